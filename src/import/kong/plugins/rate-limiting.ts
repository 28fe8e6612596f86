import { type Fields, isFields } from '../../../core/value.ts'
import { flagOf, numberOf, textOf } from '../../read.ts'
import { hasVariable } from '../../variables.ts'
import type { Fragment, PluginTranslator, PluginUse } from '../plugin.ts'

const UNITS = [
  ['second', 's'],
  ['minute', 'm'],
  ['hour', 'h'],
  ['day', 'd'],
] as const
const MAX = 999_999_999
/** Kong's default message. */
const USUAL_MESSAGE = 'API rate limit exceeded'

/** Further options of all kinds of limits; the key that is counted by and the errors are reported separately. */
export const LIMIT_IGNORES = ['sync_rate', 'header_name', 'path', 'error_code', 'error_message', 'redis']

/** rate-limiting: rate-limit. */
export const rateLimiting: PluginTranslator = {
  names: ['rate-limiting'],
  ignores: LIMIT_IGNORES,
  ratesFor: ratesOf,
  translate(use) {
    const rates = ratesOf(use)
    if (rates.length === 0) {
      use.tell('left out', 'It has no limit that can be imported.')
      return {}
    }
    return limit(use, rates, textOf(use.config['limit_by']) ?? 'consumer', textOf(use.config['policy']) ?? 'local')
  },
}

/** The rates that apply at the same time. */
function ratesOf({ config, tell }: PluginUse): string[] {
  const rates = UNITS.flatMap(([name, unit]) => {
    const count = Math.round(numberOf(config[name]) ?? 0)
    return count < 1 ? [] : [`${Math.min(count, MAX)}/${unit}`]
  })
  const month = Math.round(numberOf(config['month']) ?? 0)
  if (month > 0) tell('different', 'A month is 30 days, counted from the first request.')
  if (numberOf(config['year']) !== undefined)
    tell('different', 'The limit for a year was left out: windows are at most 31 days.')
  return month > 0 ? [...rates, `${Math.min(month, MAX)}/30d`] : rates
}

/** A limit for every client, with notes on how it is counted. Used by all plugins that limit rates. */
export function limit(use: PluginUse, rates: readonly string[], by: string, policy: string): Fragment {
  const { config, tell, scope } = use
  const quota = rates.length === 1 ? rates[0] : rates
  if (by === 'ip') tell('different', 'Only anonymous clients are counted by address; all others by user or API key.')
  else if (by === 'credential') tell('different', 'API keys are counted one by one, all other credentials by user.')
  else if (by !== 'consumer')
    tell('different', `limit_by ${by} is not supported: the limit applies to each client. See docs/rate-limits.md.`)
  if (scope === 'service') tell('different', 'Each route of the service has its own count. In Kong they share one.')
  const hides = flagOf(config['hide_client_headers']) ?? false
  const message = textOf(config['error_message']) ?? USUAL_MESSAGE
  if (message !== USUAL_MESSAGE || (numberOf(config['error_code']) ?? 429) !== 429)
    tell('different', 'Clients over the limit get 429 with a problem document, not the configured error.')
  return {
    policies: {
      'rate-limit': {
        tiers: { authenticated: quota, unauthenticated: quota, api_key: quota },
        ...(hides ? { headers: false } : { legacyHeaders: true }),
        ...storeOf(use, policy),
      },
    },
  }
}

function storeOf({ config, tell, useRedis, secret }: PluginUse, policy: string): Fields {
  if (policy === 'local') return { store: 'memory' }
  if (policy !== 'redis') {
    tell(
      'different',
      `The policy ${policy} is not supported: counts are kept in the memory of each gateway. To share them, configure stores.redis.`,
    )
    return { store: 'memory' }
  }
  const own = isFields(config['redis']) ? config['redis'] : {}
  const of = (name: string): string | undefined => textOf(own[name]) ?? textOf(config[`redis_${name}`])
  const host = of('host')
  const opensOnFailure = flagOf(config['fault_tolerant']) ?? true
  const onStoreFailure = opensOnFailure ? 'open' : 'closed'
  if (host === undefined || !/^[\w.:\uE000\uE001[\]-]+$/.test(host)) {
    tell(
      'different',
      'It has no Redis host, or uses a cluster or Sentinels: configure stores.redis. Until then counts are kept in memory.',
    )
    return { store: 'memory' }
  }
  const scheme = flagOf(own['ssl'] ?? config['redis_ssl']) === true ? 'rediss' : 'redis'
  const port = of('port') ?? '6379'
  const database = of('database')
  const url = `${scheme}://${host}:${/^\d+$/.test(port) || hasVariable(port) ? port : '6379'}/${database !== undefined && /^\d+$/.test(database) ? database : 0}`
  const password = of('password')
  const username = of('username')
  const isKnown = password !== undefined && hasVariable(password)
  useRedis({
    url,
    ...(username !== undefined && username !== '' && { username }),
    ...(password !== undefined &&
      password !== '' && { password: isKnown ? password : secret('REDIS_PASSWORD', 'the password of Redis') }),
  })
  return { onStoreFailure }
}
