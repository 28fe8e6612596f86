import type { ErrorObject } from 'ajv/dist/2020.js'
import { pointerToken } from '../../core/json-pointer.ts'
import { type ErrorCode, GatewayError } from '../../core/errors.ts'

/** The part of a request that is invalid. */
export type Place = 'body' | 'query' | 'path' | 'header'

/** One error in a request. */
export interface Violation {
  /** JSON pointer (RFC 6901) into the body, or to a parameter by its name. */
  readonly pointer: string
  readonly in: Place
  readonly detail: string
}

/** Most violations that are reported to a client. */
const MAXIMUM = 20
/** Most characters of reported texts of the client or the schema. */
const MAX_LENGTH = 256

/** The error for an invalid request; `violations` become the member `errors` of the problem document. */
export function refusal(code: ErrorCode, detail: string, violations: readonly Violation[]): GatewayError {
  return new GatewayError(code, detail, { members: { errors: violations.slice(0, MAXIMUM) } })
}

/** Converts the library's errors to the gateway's wording. */
export function violationsOf(errors: readonly ErrorObject[], place: Place): Violation[] {
  // Errors of the branch that applies are listed separately.
  const specific = errors.filter(({ keyword }) => keyword !== 'if')
  const found = (specific.length > 0 ? specific : errors).slice(0, 4 * MAXIMUM).map((error) => ({
    pointer: shortened(error.instancePath + memberOf(error)),
    in: place,
    detail: describe(error),
  }))
  const seen = new Set<string>()
  return found.filter(({ pointer, detail }) => {
    const key = `${pointer} ${detail}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Keywords whose errors say no more than that the value is not allowed. */
const FORBIDDING = new Set(['additionalProperties', 'unevaluatedProperties', 'false schema', 'not'])

/** Keyword -> what its limit means, before and after the number. */
const LIMITS = new Map<string, readonly [relation: string, unit: string]>([
  ['minimum', ['be at least', '']],
  ['maximum', ['be at most', '']],
  ['exclusiveMinimum', ['be greater than', '']],
  ['exclusiveMaximum', ['be less than', '']],
  ['minLength', ['have at least', 'character']],
  ['maxLength', ['have at most', 'character']],
  ['minItems', ['have at least', 'item']],
  ['maxItems', ['have at most', 'item']],
  ['minProperties', ['have at least', 'member']],
  ['maxProperties', ['have at most', 'member']],
])

/** Describes an error of a value. */
export function describe({ keyword, params, message = 'is not allowed' }: ErrorObject): string {
  if (keyword === 'required' || keyword === 'dependentRequired') return 'is required'
  if (FORBIDDING.has(keyword)) return 'is not allowed'
  if (keyword === 'type') return `must be ${[params['type']].flat().map(withArticle).join(' or ')}`
  const limit = LIMITS.get(keyword)
  if (limit !== undefined) return `must ${limit[0]} ${countOf(params['limit'], limit[1])}`
  const allowed: unknown =
    keyword === 'enum' ? params['allowedValues'] : keyword === 'const' ? params['allowedValue'] : null
  const values = allowed === null ? '' : JSON.stringify(allowed)
  if (values === '' || values.length > MAX_LENGTH) return message.slice(0, MAX_LENGTH)
  return keyword === 'enum' ? `must be one of ${values.slice(1, -1).replaceAll(',', ', ')}` : `must be ${values}`
}

function withArticle(type: unknown): string {
  if (type === 'null') return 'null'
  return `${/^[aio]/.test(String(type)) ? 'an' : 'a'} ${String(type)}`
}

function countOf(limit: unknown, unit: string): string {
  if (unit === '') return String(limit)
  return `${String(limit)} ${unit}${limit === 1 ? '' : 's'}`
}

/** The member that is missing or not allowed, if an error is about one. */
function memberOf({ params }: ErrorObject): string {
  const name: unknown =
    params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'] ?? params['propertyName']
  return typeof name === 'string' ? pointerToken(name) : ''
}

/** The nearest enclosing value whose pointer is short enough: names may be as long as the body. */
function shortened(pointer: string): string {
  return pointer.length <= MAX_LENGTH ? pointer : pointer.slice(0, Math.max(0, pointer.lastIndexOf('/', MAX_LENGTH)))
}
