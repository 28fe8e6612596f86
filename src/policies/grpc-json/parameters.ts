import type { DescField, JsonObject, JsonValue } from '@bufbuild/protobuf'
import { GatewayError } from '../../core/errors.ts'
import type { Binding } from './bindings.ts'
import { chainOf, isText, isTextList, jsonOfText } from './fields.ts'
import type { Variable } from './template.ts'

/** Reserved characters (RFC 3986 section 2.2), percent-encoded. */
const RESERVED = /%(?:21|23|24|26|27|28|29|2A|2B|2C|2F|3A|3B|3D|3F|40|5B|5D)/gi

/** The part of the message given by path and query, in JSON; null if there is none. Throws GatewayError 'bad-request'. */
export function parametersOf(
  binding: Binding,
  segments: readonly string[],
  query: string,
  ignoreUnknown: boolean,
): JsonObject | null {
  const values: JsonObject = {}
  if (query.length > 1)
    for (const [name, text] of new URLSearchParams(query.slice(1)))
      addParameter(values, binding, name, text, ignoreUnknown)
  for (const variable of binding.variables) {
    const chain = chainOf(binding.method.input, variable.path)
    if (chain !== null) put(values, chain, variable.path.join('.'), valueOf(variable, segments), true)
  }
  return Object.keys(values).length === 0 ? null : values
}

function addParameter(values: JsonObject, binding: Binding, name: string, text: string, ignoreUnknown: boolean): void {
  const chain = isFree(binding, name) ? chainOf(binding.method.input, name.split('.')) : null
  const field = chain?.at(-1)
  if (chain !== null && field !== undefined && (isText(field) || isTextList(field)))
    return put(values, chain, name, text, false)
  if (!ignoreUnknown)
    throw new GatewayError('bad-request', `${JSON.stringify(name)} is not a query parameter of this operation.`)
}

/** Whether the field belongs neither to the path nor to the body. */
function isFree({ body, variables, method }: Binding, name: string): boolean {
  if (body === 'message') return false
  const chain = chainOf(method.input, name.split('.'))
  if (chain === null) return false
  if (body !== 'none' && chain[0] === body) return false
  return !variables.some(({ path }) => sameFields(chainOf(method.input, path), chain))
}

function sameFields(a: readonly DescField[] | null, b: readonly DescField[]): boolean {
  return a !== null && a.length === b.length && a.every((field, i) => field === b[i])
}

function put(values: JsonObject, chain: readonly DescField[], name: string, text: string, replaces: boolean): void {
  let inner = values
  for (const [i, field] of chain.entries()) {
    const key = field.jsonName
    if (i < chain.length - 1) {
      const next = inner[key] ?? {}
      if (!isObject(next))
        throw new GatewayError('bad-request', `The parameter ${JSON.stringify(name)} is given in two forms.`)
      inner[key] = next
      inner = next
      continue
    }
    const value = jsonOfText(field, text)
    const before = inner[key]
    if (field.fieldKind === 'list') {
      if (Array.isArray(before)) before.push(value)
      else inner[key] = [value]
    } else if (before !== undefined && !replaces)
      throw new GatewayError('bad-request', `The parameter ${JSON.stringify(name)} is given twice.`)
    else inner[key] = value
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** If the variable spans several segments, reserved characters stay encoded: a decoded slash would look like a separator. */
function valueOf({ start, end, isMany }: Variable, segments: readonly string[]): string {
  const text = segments.slice(start, end ?? segments.length).join('/')
  if (!text.includes('%')) return text
  const escaped = isMany ? text.replace(RESERVED, (escape) => `%25${escape.slice(1)}`) : text
  try {
    return decodeURIComponent(escaped)
  } catch (error) {
    throw new GatewayError('bad-request', 'The path is not valid UTF-8.', { cause: error })
  }
}
