import type { Headers } from '../../http/headers.ts'
import { decode, malformed } from './query-text.ts'
import { readBrackets } from './brackets.ts'
import { type Shape, valueOf } from './shape.ts'
import { empty, type Values } from './values.ts'

/** How lists and maps are serialized in a parameter (OpenAPI 3.1 section 4.8.12.2). */
export const styles = ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject', 'simple'] as const

export type Style = (typeof styles)[number]

/** A declared parameter. */
export interface Parameter {
  readonly name: string
  readonly style: Style
  /** Each item or member is separate: repeated in a query, "name=value" elsewhere. */
  readonly explode: boolean
  readonly shape: Shape
  /** Whether the value may be empty in a query, regardless of the schema (OpenAPI 3.1 section 4.8.12.2). */
  readonly mayBeEmpty: boolean
}

const SEPARATORS: Readonly<Record<Style, RegExp>> = {
  form: /,/,
  spaceDelimited: /%20|\+/,
  pipeDelimited: /\||%7[Cc]/,
  deepObject: /,/,
  simple: /,/,
}

/**
 * Parses a query, "?…" or "". Undeclared parameters are strings, or lists of strings if repeated. Throws GatewayError 'bad-request'
 * for invalid percent-encoded UTF-8, and if a parameter is repeated that is not a list.
 */
export function readQuery(query: string, known: readonly Parameter[]): Values {
  const parameters = new Map<string, string[]>()
  for (const part of query.slice(1).split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decode(equals === -1 ? part : part.slice(0, equals), '')
    const value = equals === -1 ? '' : part.slice(equals + 1)
    const values = parameters.get(name)
    if (values === undefined) parameters.set(name, [value])
    else values.push(value)
  }
  const values = empty()
  for (const parameter of known) {
    const value = inQuery(parameter, parameters)
    if (value !== undefined) values[parameter.name] = value
  }
  for (const [name, texts] of parameters) {
    const decoded = texts.map((text) => decode(text, name))
    values[name] ??= decoded.length === 1 ? decoded[0] : decoded
  }
  return values
}

/** The values of the declared headers; several lines of a header are combined (RFC 9110 section 5.3). */
export function readHeaders(headers: Headers, known: readonly Parameter[]): Values {
  const values = empty()
  for (const parameter of known) {
    const text = headers.combined(parameter.name)
    if (text !== undefined) values[parameter.name] = simple(parameter, text)
  }
  return values
}

/** The values of path parameters, given as decoded texts. */
export function readPath(params: Readonly<Record<string, string>>, known: readonly Parameter[]): Values {
  const values = empty()
  for (const [name, text] of Object.entries(params)) values[name] = text
  for (const parameter of known) {
    const text = values[parameter.name]
    if (typeof text === 'string') values[parameter.name] = simple(parameter, text)
  }
  return values
}

/** Removes what it uses from `parameters`. */
function inQuery({ name, style, explode, shape, mayBeEmpty }: Parameter, parameters: Map<string, string[]>): unknown {
  if (mayBeEmpty && parameters.get(name)?.join() === '') {
    parameters.delete(name)
    return ''
  }
  if (style === 'deepObject') return readBrackets(name, shape, parameters)
  if (shape.type === 'map' && explode) {
    const members = empty()
    for (const [member, types] of shape.members) {
      const texts = parameters.get(member)
      if (texts === undefined) continue
      parameters.delete(member)
      const values = texts.map((text) => valueOf(decode(text, name), types))
      members[member] = values.length === 1 ? values[0] : values
    }
    return Object.keys(members).length === 0 ? undefined : members
  }
  const texts = parameters.get(name)
  if (texts === undefined) return undefined
  parameters.delete(name)
  if (shape.type === 'list') {
    const items = explode ? texts : texts.flatMap((text) => (text === '' ? [] : text.split(SEPARATORS[style])))
    return items.map((text) => valueOf(decode(text, name), shape.item))
  }
  if (texts.length > 1 && shape.type === 'scalar' && !shape.repeatable) throw malformed(name, 'is given more than once')
  const values = texts.map((text) => {
    if (shape.type === 'scalar') return valueOf(decode(text, name), shape.types)
    if (shape.type === 'json') return json(decode(text, name))
    return pairs(
      text.split(SEPARATORS[style]).map((each) => decode(each, name)),
      shape.members,
    )
  })
  return values.length === 1 ? values[0] : values
}

/** The style of path and header parameters. */
function simple({ explode, shape }: Parameter, text: string): unknown {
  if (shape.type === 'scalar') return valueOf(text, shape.types)
  if (shape.type === 'json') return json(text)
  const items = text.split(',').map((item) => item.trim())
  if (shape.type === 'list') return items.map((item) => valueOf(item, shape.item))
  const names = explode ? items.flatMap((item) => [item.replace(/=.*/s, ''), item.slice(item.indexOf('=') + 1)]) : items
  return pairs(names, shape.members)
}

function pairs(items: readonly string[], members: ReadonlyMap<string, ReadonlySet<string>>): Values {
  const values = empty()
  for (const [i, name] of items.entries())
    // Names and values alternate.
    if (i % 2 === 0) values[name] = valueOf(items[i + 1] ?? '', members.get(name) ?? new Set())
  return values
}

/** Invalid JSON remains a string, which its schema then refuses. */
function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
