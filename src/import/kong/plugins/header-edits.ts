import { isToken, isWireField } from '../../../core/field.ts'
import { type Fields, fieldOf, itemsOf } from '../../../core/value.ts'
import { textOf } from '../../read.ts'
import { hasVariable } from '../../variables.ts'
import type { PluginUse } from '../plugin.ts'
import { isSecretName } from '../secret-names.ts'
import { pairsOf } from './pairs.ts'
import { importTemplate, isFieldTemplate } from './templates.ts'

/** A transformer's changes to headers, in the form of request-headers and response-headers; null if there are none. */
export function headerEditsOf(use: PluginUse): Fields | null {
  const { config, tell } = use
  const set: Record<string, string> = {}
  const add: Record<string, string> = {}
  const rename: Record<string, string> = {}
  const remove: string[] = []
  const put = (where: Record<string, string>, name: string, value: string): void => {
    const template = templateOf(use, name, value)
    if (template === null) return
    if (Object.hasOwn(where, name)) tell('different', `${name} is listed twice: the last one is used.`)
    where[name] = template
  }

  for (const item of itemsOf(fieldOf(config['remove'], 'headers'))) {
    // A value after a colon selects which of several headers to remove.
    const [name = '', value] = (textOf(item) ?? '').split(':')
    if (!isUsable(use, name)) continue
    if (value !== undefined && value !== '')
      tell('different', `All values of ${name} are removed, not only the given one.`)
    remove.push(name)
  }
  for (const [from, to] of pairsOf(fieldOf(config['rename'], 'headers')))
    if (isUsable(use, from) && isUsable(use, to)) rename[from] = to
  const replaced = pairsOf(fieldOf(config['replace'], 'headers'))
  const added = pairsOf(fieldOf(config['add'], 'headers'))
  const isIn = (pairs: typeof added, [name, value]: (typeof added)[number]): boolean =>
    pairs.some((pair) => pair[0].toLowerCase() === name.toLowerCase() && pair[1] === value)
  for (const pair of replaced) {
    const [name, value] = pair
    if (!isUsable(use, name)) continue
    if (!isIn(added, pair)) tell('different', `${name} is always set. Kong replaces it only if it is present.`)
    put(set, name, value)
  }
  for (const pair of added) {
    const [name, value] = pair
    // A header that is replaced if present and added if absent is set.
    if (!isUsable(use, name) || isIn(replaced, pair)) continue
    if (!remove.some((removed) => removed.toLowerCase() === name.toLowerCase()))
      tell('different', `${name} is always set. Kong adds it only if it is missing.`)
    put(set, name, value)
  }
  for (const [name, value] of pairsOf(fieldOf(config['append'], 'headers')))
    if (isUsable(use, name)) put(add, name, value)
  const edits = {
    ...(remove.length > 0 && { remove: [...new Set(remove)] }),
    ...(Object.keys(rename).length > 0 && { rename }),
    ...(Object.keys(set).length > 0 && { set }),
    ...(Object.keys(add).length > 0 && { add }),
  }
  return Object.keys(edits).length === 0 ? null : edits
}

function isUsable({ tell }: PluginUse, name: string): boolean {
  if (name === '') return false
  if (isToken(name) && !isWireField(name)) return true
  tell(
    'narrower',
    isToken(name)
      ? `The header ${name} was left out: only the gateway sets it.`
      : 'A header with an invalid name was left out.',
  )
  return false
}

/** The value to set, as a template; secrets become variables. Null if it cannot be translated, which is reported. */
function templateOf({ tell, secret }: PluginUse, name: string, value: string): string | null {
  const template = importTemplate(value)
  if (template === null) {
    tell(
      'narrower',
      `The value of ${name} was left out, because it is a Lua expression: write a custom policy, see docs/writing-policies.md.`,
    )
    return null
  }
  if (!isFieldTemplate(template)) {
    tell('narrower', `The value of ${name} was left out: it has characters other than visible ASCII.`)
    return null
  }
  if (hasVariable(template))
    tell('different', `The value of ${name} is a variable. Lua expressions in it are not evaluated.`)
  if (isSecretName(name) && template === value && value !== '' && !hasVariable(value)) {
    tell('exact', `The value of ${name} became a variable, because it may be a secret.`)
    return secret(`HEADER_${name}`, `the value of the header ${name}`)
  }
  return template
}
