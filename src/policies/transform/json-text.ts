import { isFields } from '../../core/value.ts'

/** A value of a JSON document. A number that would lose digits remains an object that holds its text. */
export type Json = null | boolean | number | string | JsonList | JsonMap
export type JsonList = Json[]
export interface JsonMap {
  [name: string]: Json
}

/** JSON methods that the compiler does not know yet (ECMAScript proposal "JSON.parse source text access", in Node since 21). */
interface JsonSource {
  parse(text: string, revive?: (key: string, value: Json, context: { readonly source?: string }) => Json): Json
  rawJSON(text: string): JsonMap
  isRawJSON(value: unknown): boolean
}

const source = withSource(JSON)

function withSource(json: object): JsonSource {
  if (!hasSource(json)) throw new Error('JSON.rawJSON is missing: this needs Node.js 21 or later')
  return json
}

function hasSource(json: object): json is JsonSource {
  return 'rawJSON' in json && 'isRawJSON' in json
}

/** Numbers that may lose digits, or have an exponent: tested on the whole text, as most documents have neither. */
const LONG_NUMBER = /\d[\d.]{15}|\d[eE]/

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Parses a document (RFC 8259) and keeps numbers as written. Throws an Error if it is not valid JSON in UTF-8. */
export function parseJson(bytes: Uint8Array): Json {
  const text = decoder.decode(bytes)
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
