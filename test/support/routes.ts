import * as fc from 'fast-check'
import { matchKeys, type RouteMatch, type ValueMatch } from '../../src/routing/match.ts'
import { normalizePath } from '../../src/routing/path.ts'

/** A request to look up in a router. */
export interface SyntheticRequest {
  readonly listener: string
  readonly host: string
  readonly path: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly query: string
}

const segment = fc.constantFrom('a', 'b', 'a', '{}')
const pattern = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom('', '', '/', '/*'))
  .map(([segments, end]) => `/${segments.map((text, i) => (text === '{}' ? `{p${i}}` : text)).join('/')}${end}`)
  .filter((text) => !text.includes('//'))
const hosts = fc.constantFrom('x.y.z', 'y.z', '*.y.z', '*.z')
const methods = fc.constantFrom('GET', 'HEAD', 'POST')
const condition = fc.option(
  fc.dictionary(
    fc.constantFrom('k', 'l'),
    fc.oneof(
      fc.constantFrom<ValueMatch>('1', '2', true),
      fc.uniqueArray(fc.constantFrom('1', '2', '3'), { minLength: 1 }),
      fc.constantFrom('[12]', '1|2', '3').map((regex) => ({ regex })),
    ),
    { minKeys: 1, noNullPrototype: true },
  ),
  { nil: undefined, freq: 1 },
)
/** Matches that routes may have. */
export const matches: fc.Arbitrary<RouteMatch> = fc.record({
  path: fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }),
  listener: fc.option(fc.uniqueArray(fc.constantFrom('inside', 'outside'), { minLength: 1 }), {
    nil: undefined,
    freq: 1,
  }),
  pathRegex: fc.option(fc.constantFrom('/a(?:/.*)?', '.*b', '/[^/]*'), { nil: undefined, freq: 1 }),
  precedence: fc.option(fc.integer({ min: -1, max: 1 }), { nil: undefined }),
  host: fc.option(fc.uniqueArray(hosts, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  method: fc.option(fc.uniqueArray(methods, { minLength: 1 }), { nil: undefined }),
  headers: condition,
  query: condition,
})
/** Requests, some of which match some of those routes. */
export const requests: fc.Arbitrary<SyntheticRequest> = fc.record({
  listener: fc.constantFrom('inside', 'outside', 'elsewhere'),
  host: fc.constantFrom('x.y.z', 'w.y.z', 'y.z', 'v.z', 'z', ''),
  path: fc
    .array(fc.constantFrom('a', 'b', 'c', 'a%2Fb'), { maxLength: 5 })
    .chain((parts) => fc.constantFrom(`/${parts.join('/')}`, `/${parts.join('/')}/`))
    .map((path) => normalizePath(path)!),
  method: methods,
  headers: fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('1', '2', '3'), { noNullPrototype: true }),
  query: fc.constantFrom('', '?k=1', '?k=2', '?l=1', '?k=1&l=2', '?k'),
})

/** The routes without duplicates of earlier ones, which the configuration would refuse. */
export function withoutDuplicates(routes: readonly RouteMatch[]): RouteMatch[] {
  const seen = new Set<string>()
  return routes.filter((match) => {
    const keys = matchKeys(match)
    if (new Set(keys).size < keys.length || keys.some((key) => seen.has(key))) return false
    for (const key of keys) seen.add(key)
    return true
  })
}
