import type { JsonDocument } from '../../core/document.ts'
import { pointerToken } from '../../core/json-pointer.ts'
import { isFields } from '../../core/value.ts'
import { refusalOfPattern } from '../../regexp/linear.ts'
import { LISTS, MAPS, SINGLE } from '../../openapi/schema-keywords.ts'

/** A pattern that cannot be used, as one line: where it is, its text and the reason. */
export type UnusablePatterns = string[]

/**
 * A schema without the patterns that cannot be used, which are added to `found`. The result accepts everything that the schema
 * accepts: keywords that would refuse more without a pattern are removed or relaxed. `place` is the location of the schema.
 */
export function withoutUnusablePatterns(schema: unknown, place: string, found: UnusablePatterns): unknown {
  if (!isFields(schema)) return schema
  const lost = new Set<string>()
  const inner = (name: string, at: string, value: unknown): unknown => {
    const before = found.length
    const usable = withoutUnusablePatterns(value, at, found)
    if (found.length > before) lost.add(name)
    return usable
  }
  const entries = Object.entries(schema).flatMap(([name, value]): [string, unknown][] => {
    const at = place + pointerToken(name)
    if (name === 'pattern' && isUnusable(value, at, found)) return []
    if (SINGLE.has(name)) return [[name, inner(name, at, value)]]
    if (LISTS.has(name) && Array.isArray(value))
      return [[name, value.map((each, i) => inner(name, `${at}/${i}`, each))]]
    if (!MAPS.has(name) || !isFields(value)) return [[name, value]]
    const members = Object.entries(value).flatMap(([key, each]): [string, unknown][] => {
      if (name === 'patternProperties' && isUnusable(key, at + pointerToken(key), found)) {
        lost.add('names')
        return []
      }
      return [[key, inner(name, at + pointerToken(key), each)]]
    })
    return [[name, Object.fromEntries(members)]]
  })
  return lost.size === 0 ? Object.fromEntries(entries) : widened(Object.fromEntries(entries), lost)
}

/** Relaxes the keywords that would refuse more without what was removed. */
function widened(schema: JsonDocument, lost: ReadonlySet<string>): JsonDocument {
  const { oneOf, allOf, ...rest } = schema
  const entries = Object.entries(rest).filter(([name]) => {
    if (name === 'not') return !lost.has('not')
    if (name === 'if' || name === 'then' || name === 'else') return !lost.has('if')
    if (name === 'additionalProperties' || name === 'unevaluatedProperties') return !lost.has('names')
    return name !== 'maxContains' || !lost.has('contains')
  })
  const all: unknown[] = Array.isArray(allOf) ? allOf : []
  // If branches differed only by a pattern, several of them may now match.
  if (oneOf !== undefined && lost.has('oneOf'))
    return { ...Object.fromEntries(entries), allOf: [...all, { anyOf: oneOf }] }
  return {
    ...Object.fromEntries(entries),
    ...(allOf !== undefined && { allOf }),
    ...(oneOf !== undefined && { oneOf }),
  }
}

function isUnusable(pattern: unknown, place: string, found: UnusablePatterns): boolean {
  const reason = typeof pattern === 'string' ? refusalOfPattern(pattern) : null
  if (reason === null) return false
  found.push(`${place}: the pattern ${JSON.stringify(pattern)} ${reason}`)
  return true
}
