import type { RequestFacts } from '../http/exchange.ts'
import { READ_AMBIGUOUSLY, SPELLED_AMBIGUOUSLY } from '../http/path-forms.ts'
import type { Headers } from '../http/headers.ts'
import { readPath, withoutParameters } from '../routing/read-path.ts'
import { isSameMatch, type Router } from '../routing/router.ts'

/** How path parameters (";…") are treated. */
export type PathParameters = 'refuse' | 'strip' | 'keep'

/** A route's rules for ambiguous paths. */
export interface PathRules {
  readonly info: { readonly id: string }
  /** Whether it accepts "%2F" and "%5C". */
  readonly encodedSlashes: boolean
  readonly pathParameters: PathParameters
}

type Match = ReturnType<Router<PathRules>['find']>

/**
 * Normalizes the path of an exchange and keeps its alternative readings. Returns why the request is rejected, or null. Only for requests
 * whose path is not plain.
 *
 * 1. Parameters are stripped if the route of the path without them requires that.
 * 2. The path is normalized, or rejected.
 * 3. Encoded slashes and parameters require a route that accepts them.
 * 4. The path as written, which the service receives, must lead to the same route with the same parameters.
 * 5. No alternative reading by a service may lead to a different route.
 */
export function settlePath(
  router: Router<PathRules>,
  exchange: RequestFacts,
  method: string,
  headers: Headers,
): string | null {
  const { host, query, listener } = exchange
  const find = (path: string): Match => router.find(host, path, method, headers, query, listener)
  exchange.forms = null
  // 1.
  let reading = readPath(exchange.path)
  if (typeof reading !== 'string' && reading.stripped !== null && strips(find(reading.stripped)))
    reading = readPath(withoutParameters(exchange.path))
  // 2.
  if (typeof reading === 'string') return reading
  const { path, forms, encodedSlashes, stripped } = reading
  const found = find(path)
  // 3.
  if (encodedSlashes && !(found.found && found.value.encodedSlashes)) return ENCODED_SLASH
  if (stripped !== null && found.found && found.value.pathParameters === 'refuse') return PARAMETERS
  // 4. and 5.
  if (forms !== null) {
    if (forms.written !== null && !isSameMatch(found, find(forms.written))) return SPELLED_AMBIGUOUSLY
    if (forms.others.some((other) => leadsElsewhere(found, find(other)))) return READ_AMBIGUOUSLY
  }
  exchange.path = path
  exchange.forms = forms
  return null
}

const ENCODED_SLASH =
  'The path has an encoded slash or backslash, which services interpret differently: send such a value in the query.'
const PARAMETERS = 'The path has path parameters (";…"), which are not accepted here.'

function strips(match: Match): boolean {
  return match.found && match.value.pathParameters === 'strip'
}

function leadsElsewhere(found: Match, other: Match): boolean {
  return found.found && other.found && found.value.info.id !== other.value.info.id
}
