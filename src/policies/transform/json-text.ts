import { isFields } from '../../core/value.ts'

/** A value of a JSON document. A number that would lose digits stays an object that holds its text. */
export type Json = null | boolean | number | string | JsonList | JsonMap
export type JsonList = Json[]
export interface JsonMap {
  [name: string]: Json
}

/** What the compiler does not know of JSON yet (ECMAScript proposal "JSON.parse source text access", in Node since 21). */
interface JsonSource {
  parse(text: string, revive?: (key: string, value: Json, context: { readonly source?: string }) => Json): Json
  rawJSON(text: string): JsonMap
  isRawJSON(value: unknown): boolean
}

const source = withSource(JSON)

function withSource(json: object): JsonSource {
  if (!hasSource(json)) throw new Error('JSON.rawJSON is not there: this needs Node 21 or later')
  return json
}

function hasSource(json: object): json is JsonSource {
  return 'rawJSON' in json && 'isRawJSON' in json
}

/** Digits that a number may lose, or an exponent: looked for in the whole text, as most documents have neither. */
const LONG_NUMBER = /\d[\d.]{15}|\d[eE]/

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads a document (RFC 8259) with its numbers as they are written. Throws an Error for what is none, or no UTF-8. */
export function parseJson(octets: Uint8Array): Json {
  const text = decoder.decode(octets)
  if (!LONG_NUMBER.test(text)) return source.parse(text)
  return source.parse(text, (_, value, context) =>
    typeof value === 'number' && context.source !== undefined && String(value) !== context.source
      ? source.rawJSON(context.source)
      : value,
  )
}

/** Whether a value is a map. */
export function isJsonMap(value: Json | undefined): value is JsonMap {
  return isFields(value) && !source.isRawJSON(value)
}
