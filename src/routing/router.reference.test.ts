import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { Headers } from '../http/headers.ts'
import { type SyntheticRequest, matches, requests, withoutDuplicates } from '../../test/support/routes.ts'
import { matchKeys, type RouteMatch, type ValueMatch } from './match.ts'
import { createRouter } from './router.ts'

// The other opinion: every line of every route is tried on its own, and the best of those that match is taken.

interface NaiveLine {
  value: string
  match: RouteMatch
  listener: string | null
  host: string | null
  path: string
  key: string
}

function naiveFind(lines: NaiveLine[], request: SyntheticRequest): { value: string; path: string } | string[] {
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

function naiveMatches({ listener, host, path, match }: NaiveLine, request: SyntheticRequest): boolean {
  if (listener !== null && listener !== request.listener) return false
  if (host?.startsWith('*') && !request.host.endsWith(host.slice(1))) return false
  if (host !== null && !host.startsWith('*') && host !== request.host) return false
  const expression = path.replace(/\/\*$/, '(?:/.*)?').replaceAll(/\{\w+\}/g, '[^/]+')
  if (!new RegExp(`^${expression}$`).test(request.path)) return false
  if (match.pathRegex !== undefined && !new RegExp(`^(?:${match.pathRegex})$`).test(request.path)) return false
  const query = new URLSearchParams(request.query)
  return (
    Object.entries(match.headers ?? {}).every(([name, value]) => naiveFits(value, request.headers[name] ?? null)) &&
    Object.entries(match.query ?? {}).every(([name, value]) => naiveFits(value, query.get(name)))
  )
}

function naiveFits(wanted: ValueMatch, value: string | null): boolean {
  if (value === null) return false
  if (wanted === true || wanted === value) return true
  if (typeof wanted === 'string') return false
  return 'regex' in wanted ? new RegExp(`^(?:${wanted.regex})$`).test(value) : wanted.includes(value)
}

function kindOf(value: ValueMatch): 'one' | 'several' | 'regex' | 'any' {
  if (value === true) return 'any'
  if (typeof value === 'string') return 'one'
  if ('regex' in value) return 'regex'
  return value.length === 1 ? 'one' : 'several'
}

/** Numbers and texts to compare in turn; the smaller is the more specific. */
function scoreOf({ listener, host, path, match, key }: NaiveLine, request: SyntheticRequest): (number | string)[] {
  const values = [...Object.values(match.headers ?? {}), ...Object.values(match.query ?? {})]
  const fewerOf = (kind: string): number => -values.filter((value) => kindOf(value) === kind).length
  const named = values.flatMap((value) => (typeof value === 'string' || Array.isArray(value) ? value : []))
  const kinds = path
    .slice(1)
    .split('/')
    .map((segment) => (segment === '*' ? 'd' : segment.startsWith('{') ? 'b' : 'a'))
  const hostScore = host === null ? 1000 : host === request.host ? 0 : 500 - host.length
  return [
    listener === null ? 1 : 0,
    hostScore,
    `${kinds.join('')}c`,
    match.pathRegex === undefined ? 1 : 0,
    match.method === undefined ? 1 : 0,
    -Object.keys(match.headers ?? {}).length,
    -Object.keys(match.query ?? {}).length,
    -(match.precedence ?? 0),
    fewerOf('one'),
    fewerOf('several'),
    fewerOf('regex'),
    (methodsOf(match)?.length ?? 0) + named.length,
    key,
  ]
}

function compareScores(a: (number | string)[], b: (number | string)[]): number {
  const i = a.findIndex((score, at) => score !== b[at])
  if (i === -1) return 0
  return a[i]! < b[i]! ? -1 : 1
}

test('property: the router finds the same as trying every route by specificity, in any order of the file', () => {
  fc.assert(
    fc.property(
      fc.array(matches, { maxLength: 8 }),
      fc.array(requests, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
      (routes, asked, ranks) => {
        const unique = withoutDuplicates(routes)
        const lines = unique.flatMap((match, i) =>
          (match.listener ?? [null]).flatMap((listener) =>
            (match.host ?? [null]).flatMap((host) =>
              match.path.map((path) => {
                const one = { path: [path], host: host === null ? undefined : [host] }
                const key = matchKeys({ ...match, ...one, listener: listener === null ? undefined : [listener] })[0]!
                return { value: `${i}`, match, listener, host, path, key }
              }),
            ),
          ),
        )
        const entries = unique.map((match, i) => ({ match, value: `${i}`, rank: ranks[i] ?? 0 }))
        const routers = [createRouter(entries), createRouter(entries.toSorted((a, b) => a.rank - b.rank))]
        for (const request of asked) {
          const { listener, host, path, method, headers, query } = request
          for (const router of routers) {
            const result = router.find(host, path, method, Headers.of(Object.entries(headers)), query, listener)
            const actual = result.found ? { value: result.value, path: result.pattern } : result.allow
            assert.deepEqual(actual, naiveFind(lines, request), JSON.stringify(request))
          }
        }
      },
    ),
    { numRuns: cases(200) },
  )
})
