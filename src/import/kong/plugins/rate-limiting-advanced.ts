import { itemsOf } from '../../../core/value.ts'
import { numberOf, textOf } from '../../read.ts'
import type { PluginTranslator, PluginUse } from '../plugin.ts'
import { limit, LIMIT_IGNORES } from './rate-limiting.ts'

/** In seconds. */
const MAX_TIME = 31 * 86_400
const MAX = 999_999_999

/** rate-limiting-advanced: rate-limit. */
export const rateLimitingAdvanced: PluginTranslator = {
  names: ['rate-limiting-advanced'],
  ignores: [...LIMIT_IGNORES, 'namespace', 'dictionary_name', 'lock_dictionary_name', 'retry_after_jitter_max'],
  ratesFor: ratesOf,
  translate(use) {
    const { config, tell } = use
    const rates = ratesOf(use)
    if (rates.length === 0) {
      tell('left out', 'It has no limit that can be imported.')
      return {}
    }
    const strategy = textOf(config['strategy']) ?? 'local'
    const { policies } = limit(use, rates, textOf(config['identifier']) ?? 'consumer', strategy)
    const isSliding = (textOf(config['window_type']) ?? 'sliding') === 'sliding'
    return {
      policies: { 'rate-limit': { ...policies?.['rate-limit'], ...(isSliding && { algorithm: 'sliding-window' }) } },
    }
  },
}

/** Limits and windows are two parallel lists. */
function ratesOf({ config, tell }: PluginUse): string[] {
  const windows = itemsOf(config['window_size']).map((size) => Math.round(numberOf(size) ?? 0))
  const known = new Map<number, number>()
  for (const [i, item] of itemsOf(config['limit']).entries()) {
    const count = Math.min(MAX, Math.round(numberOf(item) ?? 0))
    const window = windows[i] ?? 0
    if (count < 1 || window < 1 || window > MAX_TIME)
      tell('narrower', `The limit of ${count} within ${window} s was left out.`)
    else known.set(window, count)
  }
  return Array.from(known, ([window, count]) => `${count}/${spanOf(window)}`)
}

/** With a number of at most four digits. */
function spanOf(seconds: number): string {
  for (const [unit, length] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const)
    if (seconds % length === 0) return `${seconds / length}${unit}`
  if (seconds <= 9999) return `${seconds}s`
  const minutes = Math.ceil(seconds / 60)
  return minutes <= 9999 ? `${minutes}m` : `${Math.ceil(minutes / 60)}h`
}
