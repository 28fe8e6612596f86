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

/** Only this many routes at one path are compared with each other; any further ones are not compared. */
const MAX_COMPARED = 300

/**
 * Routes that can never receive a request although they are valid, and routes that are as specific as another one although a request may
 * match both; of each route the first finding. Only routes that share a listener, host and path are compared.
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
      else if (known.length < MAX_COMPARED) known.push(line)
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
            `a request can match both this route and ${named(earlier.value)}, which then wins; set match.precedence to decide which one should`,
          )
      }
  }
  return [...found]
    .toSorted(([a], [b]) => a - b)
    .map(([route, message]) => ({ path: formatPath(['routes', route, 'match']), message }))
}

/**
 * Whether the route has conditions besides its place: a route without any is tried after all others at its place, and there is only one.
 */
function isConditional({ pathRegex, method, headers, query }: GatewayConfig['routes'][number]['match']): boolean {
  return [pathRegex, method, headers, query].some((each) => each !== undefined)
}

/** Whether some path may match both; if that is hard to tell, the answer is true. */
function mayFit({ segments, isPrefix, text }: PathPattern, regex: string): boolean {
  const first = segments.findIndex((segment) => 'parameter' in segment)
  const literal = segments.slice(0, first === -1 ? segments.length : first)
  const beginning = literal.map((segment) => `/${'literal' in segment ? segment.literal : ''}`).join('')
  if (first !== -1) return mayBegin(regex, `${beginning}/`)
  if (!isPrefix) return compileWhole(regex)(text)
  return compileWhole(regex)(beginning) || mayBegin(regex, `${beginning}/`)
}

/** Whether every request that matches `later` also matches `earlier`, which is tried first. */
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

/** Whether a request may match both, as far as literal values tell. */
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
