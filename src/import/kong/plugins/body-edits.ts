import { type Fields, fieldOf, itemsOf } from '../../../core/value.ts'
import { textOf } from '../../read.ts'
import type { PluginUse } from '../plugin.ts'
import { isSecretName } from '../secret-names.ts'
import { pairsOf } from './pairs.ts'
import { importTemplate } from './templates.ts'

/** A transformer's changes to JSON bodies, in the form of transform; null if there are none. `member` is "body" or "json". */
export function bodyEditsOf(use: PluginUse, member: 'body' | 'json'): Fields | null {
  const { config, tell, secret } = use
  const set: Record<string, unknown> = {}
  const rename: Record<string, string> = {}
  const omit = itemsOf(fieldOf(config['remove'], member)).flatMap((item) => pointerOf(textOf(item) ?? '') ?? [])
  for (const [from, to] of pairsOf(fieldOf(config['rename'], member))) {
    const [old, wanted] = [pointerOf(from), pointerOf(to)]
    if (old !== null && wanted !== null) rename[old] = wanted
  }
  for (const [action, types] of [
    ['replace', 'json_types'],
    ['add', 'json_types'],
    ['append', 'json_types'],
  ] as const) {
    const kinds = itemsOf(fieldOf(config[action], types))
    for (const [i, [name, value]] of pairsOf(fieldOf(config[action], member)).entries()) {
      const pointer = pointerOf(name)
      if (pointer === null) continue
      tell(
        'different',
        `${name} in JSON bodies is always set. Kong ${action === 'add' ? 'adds it only if it is missing' : `would ${action} it`}.`,
      )
      const template = importTemplate(value)
      if (template === null) tell('narrower', `The value of ${name} was left out, because it is a Lua expression.`)
      else if (isSecretName(name) && template === value)
        set[pointer] = secret(`BODY_${name}`, `the value of ${name} in JSON bodies`)
      else set[pointer] = typed(template, textOf(kinds[i]))
    }
  }
  const edits = {
    ...(omit.length > 0 && { omit }),
    ...(Object.keys(rename).length > 0 && { rename }),
    ...(Object.keys(set).length > 0 && { set }),
  }
  return Object.keys(edits).length === 0 ? null : edits
}

function typed(text: string, type: string | undefined): unknown {
  if (type === 'number' && text !== '' && Number.isFinite(Number(text))) return Number(text)
  return type === 'boolean' ? text === 'true' : text
}

/** A member of the body, with dots as separators, as a JSON pointer (RFC 6901). */
function pointerOf(name: string): string | null {
  const steps = name.replaceAll('[*]', '.*').split('.')
  if (name === '' || steps.some((step) => step === '' || step === '__proto__')) return null
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
