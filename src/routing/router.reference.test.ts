import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Headers } from '../http/headers.ts'
import { matchKeys, type RouteMatch } from './match.ts'
import { normalizePath } from './path.ts'
import { createRouter } from './router.ts'

interface Request {
  host: string
  path: string
  method: string
  headers: Record<string, string>
  query: string
}

// The other opinion: every line of every route is tried on its own, and the best of those that match is taken.

interface NaiveLine {
  value: string
  match: RouteMatch
  host: string | null
  path: string
  key: string
}

function naiveFind(lines: NaiveLine[], request: Request): { value: string; path: string } | string[] {
  const close = lines.filter((line) => naiveMatches(line, request))
  const fitting = close.filter(({ match }) => methodsOf(match)?.includes(request.method) ?? true)
  const best = fitting.toSorted((a, b) => compareScores(scoreOf(a, request), scoreOf(b, request)))[0]
  if (best !== undefined) return { value: best.value, path: best.path }
  return [...new Set(close.flatMap(({ match }) => methodsOf(match) ?? []))].toSorted()
}

function methodsOf({ method }: RouteMatch): string[] | null {
  if (method === undefined) return null
  return method.includes('GET') ? [...new Set([...method, 'HEAD'])] : [...method]
}

function naiveMatches({ host, path, match }: NaiveLine, request: Request): boolean {
  if (host?.startsWith('*') && !request.host.endsWith(host.slice(1))) return false
  if (host !== null && !host.startsWith('*') && host !== request.host) return false
  const expression = path.replace(/\/\*$/, '(?:/.*)?').replaceAll(/\{\w+\}/g, '[^/]+')
  if (!new RegExp(`^${expression}$`).test(request.path)) return false
  const query = new URLSearchParams(request.query)
  return (
    Object.entries(match.headers ?? {}).every(([name, value]) =>
      value === true ? name in request.headers : request.headers[name] === value,
    ) &&
    Object.entries(match.query ?? {}).every(([name, value]) =>
      value === true ? query.has(name) : query.get(name) === value,
    )
  )
}

/** Numbers and texts to compare in turn; the smaller is the more specific. */
function scoreOf({ host, path, match, key }: NaiveLine, request: Request): (number | string)[] {
  const kinds = path
    .slice(1)
    .split('/')
    .map((segment) => (segment === '*' ? 'd' : segment.startsWith('{') ? 'b' : 'a'))
  const hostScore = host === null ? 1000 : host === request.host ? 0 : 500 - host.length
  return [
    hostScore,
    `${kinds.join('')}c`,
    match.method === undefined ? 1 : 0,
    -Object.keys(match.headers ?? {}).length,
    -Object.keys(match.query ?? {}).length,
    methodsOf(match)?.length ?? 0,
    key,
  ]
}

function compareScores(a: (number | string)[], b: (number | string)[]): number {
  const i = a.findIndex((score, at) => score !== b[at])
  if (i === -1) return 0
  return a[i]! < b[i]! ? -1 : 1
}

const segment = fc.constantFrom('a', 'b', 'a', '{}')
const pattern = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom('', '', '/', '/*'))
  .map(([segments, end]) => `/${segments.map((text, i) => (text === '{}' ? `{p${i}}` : text)).join('/')}${end}`)
  .filter((text) => !text.includes('//'))
const hosts = fc.constantFrom('x.y.z', 'y.z', '*.y.z', '*.z')
const methods = fc.constantFrom('GET', 'HEAD', 'POST')
const condition = fc.option(
  fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('1', '2', true as const), {
    minKeys: 1,
    noNullPrototype: true,
  }),
  { nil: undefined, freq: 1 },
)
const matches: fc.Arbitrary<RouteMatch> = fc.record({
  path: fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }),
  host: fc.option(fc.uniqueArray(hosts, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  method: fc.option(fc.uniqueArray(methods, { minLength: 1 }), { nil: undefined }),
  headers: condition,
  query: condition,
})
const requests: fc.Arbitrary<Request> = fc.record({
  host: fc.constantFrom('x.y.z', 'w.y.z', 'y.z', 'v.z', 'z', ''),
  path: fc
    .array(fc.constantFrom('a', 'b', 'c', 'a%2Fb'), { maxLength: 5 })
    .chain((parts) => fc.constantFrom(`/${parts.join('/')}`, `/${parts.join('/')}/`))
    .map((path) => normalizePath(path)!),
  method: methods,
  headers: fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('1', '2', '3'), { noNullPrototype: true }),
  query: fc.constantFrom('', '?k=1', '?k=2', '?l=1', '?k=1&l=2', '?k'),
})

test('the router finds what trying every route in order of specificity finds', () => {
  fc.assert(
    fc.property(
      fc.array(matches, { maxLength: 8 }),
      fc.array(requests, { minLength: 1, maxLength: 8 }),
      (routes, asked) => {
        // Duplicates are the configuration's to refuse; here only the first of them counts.
        const seen = new Set<string>()
        const unique = routes.filter((match) => {
          const keys = matchKeys(match)
          if (new Set(keys).size < keys.length || keys.some((key) => seen.has(key))) return false
          for (const key of keys) seen.add(key)
          return true
        })
        const lines = unique.flatMap((match, i) =>
          (match.host ?? [null]).flatMap((host) =>
            match.path.map((path) => {
              const key = matchKeys({ ...match, path: [path], host: host === null ? undefined : [host] })[0]!
              return { value: `${i}`, match, host, path, key }
            }),
          ),
        )
        const router = createRouter(unique.map((match, i) => ({ match, value: `${i}` })))
        for (const request of asked) {
          const { host, path, method, headers, query } = request
          const result = router.find(host, path, method, Headers.of(Object.entries(headers)), query)
          const actual = result.found ? { value: result.value, path: result.pattern } : result.allow
          assert.deepEqual(actual, naiveFind(lines, request), JSON.stringify(request))
        }
      },
    ),
    { numRuns: 1000 },
  )
})
