import { compileWhole, mayBegin } from '../regexp/linear.ts'
import {
  compareConditions,
  compareSpecificity,
  type Condition,
  type Conditions,
  linesOf,
  type MatchLine,
  placeOf,
} from '../routing/match.ts'
import type { PathPattern } from '../routing/pattern.ts'
import { formatPath } from './problems.ts'
import type { GatewayConfig } from './schema.ts'

type Line = MatchLine<number>

/** How many routes at one path are compared with one another: beyond that they are not. */
const MOST_COMPARED = 300

/**
 * Routes that take no request though nothing is wrong with them, and those that another one is as specific as, so that a request
 * may fit both: of each route the first finding. Routes are compared that have a listener, host and path in common.
 */
export function routeOrderWarnings({ routes }: GatewayConfig): { readonly path: string; readonly message: string }[] {
  const places = new Map<string, Line[]>()
  const found = new Map<number, string>()
  const tell = (route: number, message: string): void => {
    if (!found.has(route)) found.set(route, message)
  }
  const named = (route: number): string => `routes[${route}] ("${routes[route]?.id}")`
  for (const [value, { match }] of routes.entries()) {
    if (!isConditional(match)) continue
    for (const line of linesOf({ match, value })) {
      if (line.pathRegex !== null && !mayFit(line.pattern, line.pathRegex))
        tell(value, `no path matches both ${line.pattern.text} and pathRegex, so no request can take this route there`)
      const place = placeOf(line)
      const known = places.get(place)
      if (known === undefined) places.set(place, [line])
      else if (known.length < MOST_COMPARED) known.push(line)
    }
  }
  for (const lines of places.values()) {
    const ordered = lines.toSorted(compareConditions)
    for (const [i, later] of ordered.entries())
      for (const earlier of ordered.slice(0, i)) {
        if (earlier.value === later.value) continue
        if (covers(earlier, later))
          tell(
            later.value,
            `${named(earlier.value)} takes every request that matches this route, so no request takes it there`,
          )
        else if (compareSpecificity(earlier, later) === 0 && mayShare(earlier, later))
          tell(
            later.value,
            `a request can match both this route and ${named(earlier.value)}, which then wins; decide with match.precedence which one should`,
          )
      }
  }
  return [...found]
    .toSorted(([a], [b]) => a - b)
    .map(([route, message]) => ({ path: formatPath(['routes', route, 'match']), message }))
}

/** Whether it wants anything of requests but a place: what wants nothing else comes after all at its place, and is there once. */
function isConditional({ pathRegex, method, headers, query }: GatewayConfig['routes'][number]['match']): boolean {
  return [pathRegex, method, headers, query].some((each) => each !== undefined)
}

/** Whether some path may fit both; where that is hard to say, it may. */
function mayFit({ segments, rest, text }: PathPattern, regex: string): boolean {
  const first = segments.findIndex((segment) => 'parameter' in segment)
  const literal = segments.slice(0, first === -1 ? segments.length : first)
  const beginning = literal.map((segment) => `/${'literal' in segment ? segment.literal : ''}`).join('')
  if (first !== -1) return mayBegin(regex, `${beginning}/`)
  if (!rest) return compileWhole(regex)(text)
  return compileWhole(regex)(beginning) || mayBegin(regex, `${beginning}/`)
}

/** Whether every request that fits `later` fits `earlier` as well, which is tried before it. */
function covers(earlier: Conditions, later: Conditions): boolean {
  if (earlier.pathRegex !== null && earlier.pathRegex !== later.pathRegex) return false
  if (earlier.methods.length > 0) {
    if (later.methods.length === 0 || !later.methods.every((method) => earlier.methods.includes(method))) return false
  }
  return follow(earlier.headers, later.headers) && follow(earlier.query, later.query)
}

/** Whether each of the conditions holds wherever all of the others do. */
function follow(conditions: readonly Condition[], others: readonly Condition[]): boolean {
  return conditions.every((condition) => others.some((other) => implies(other, condition)))
}

function implies(one: Condition, other: Condition): boolean {
  if (one.name !== other.name) return false
  if (other.regex !== null) {
    if (one.values.length === 0) return one.regex === other.regex
    return one.values.every(compileWhole(other.regex))
  }
  if (other.values.length === 0) return true
  return one.values.length > 0 && one.values.every((value) => other.values.includes(value))
}

/** Whether a request may fit both, as far as values that are named tell. */
function mayShare(a: Conditions, b: Conditions): boolean {
  if (a.methods.length > 0 && b.methods.length > 0 && !a.methods.some((method) => b.methods.includes(method)))
    return false
  return mayHold(a.headers, b.headers) && mayHold(a.query, b.query)
}

function mayHold(a: readonly Condition[], b: readonly Condition[]): boolean {
  return a.every((one) => {
    const other = b.find(({ name }) => name === one.name)
    return other === undefined || shareValue(one, other)
  })
}

function shareValue(a: Condition, b: Condition): boolean {
  if (a.values.length > 0 && b.values.length > 0) return a.values.some((value) => b.values.includes(value))
  if (a.values.length > 0 && b.regex !== null) return a.values.some(compileWhole(b.regex))
  if (b.values.length > 0 && a.regex !== null) return b.values.some(compileWhole(a.regex))
  return true
}
