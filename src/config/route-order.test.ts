import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from './parse.ts'
import { routeOrderWarnings } from './route-order.ts'
import type { GatewayInput } from './gateway-input.ts'

type Match = NonNullable<GatewayInput['routes']>[number]['match']

function warningsFor(...matches: Match[]): string[] {
  const routes = matches.map((match, i) => ({ id: `r${i}`, match, reply: {} }))
  return routeOrderWarnings(parseConfig({ routes })).map(({ path, message }) => `${path}: ${message}`)
}

const takesAll = /^routes\[1\]\.match: routes\[0\] \("r0"\) takes every request/
const alike = /^routes\[\d\]\.match: a request can match both this route and routes\[\d\] \("r\d"\), which then wins/

const covering: [string, Match, Match][] = [
  [
    'matches one of the values',
    { path: '/a', headers: { v: ['1', '2'] }, precedence: 1 },
    { path: '/a', headers: { v: '1' } },
  ],
  [
    'matches any value',
    { path: '/a', query: { v: true }, precedence: 1 },
    { path: '/a', query: { v: { regex: '[0-9]' } } },
  ],
  [
    'matches the value with a pattern',
    { path: '/a', headers: { v: { regex: '[0-9]' } }, precedence: 1 },
    { path: '/a', headers: { v: '1' } },
  ],
  [
    'matches more methods',
    { path: '/a/{x}', method: ['GET', 'POST'], precedence: 1 },
    { path: '/a/{y}', method: 'POST', precedence: 0 },
  ],
]
for (const [what, earlier, later] of covering)
  test(`a route that another one shadows causes a warning: it ${what}`, () => {
    const [warning, ...more] = warningsFor(earlier, later)
    assert.match(warning ?? '', takesAll)
    assert.deepEqual(more, [])
  })

const ties: [string, Match, Match][] = [
  ['require different headers', { path: '/a', headers: { v: '1' } }, { path: '/a', headers: { w: '1' } }],
  ['require different parameters', { path: '/a', query: { v: true } }, { path: '/a', query: { w: true } }],
  ['share a method', { path: '/a', method: ['PUT', 'POST'] }, { path: '/a', method: ['PATCH', 'POST'] }],
  ['share a value', { path: '/a', headers: { v: ['1', '2'] } }, { path: '/a', headers: { v: ['2', '3'] } }],
  [
    'have patterns for values',
    { path: '/a', headers: { v: { regex: '1.' } } },
    { path: '/a', headers: { v: { regex: '.1' } } },
  ],
  ['have patterns for paths', { path: '/a/*', pathRegex: '.*1' }, { path: '/a/*', pathRegex: '/a/1.*' }],
]
for (const [what, one, other] of ties) {
  test(`equally specific routes that ${what} cause a warning`, () => {
    const [warning, ...more] = warningsFor(one, other)
    assert.match(warning ?? '', alike)
    assert.deepEqual(more, [])
  })

  test(`a precedence resolves it for routes that ${what}`, () => {
    assert.deepEqual(warningsFor(one, { ...other, precedence: 1 }), [])
  })
}

test('disjoint routes, and routes that differ in specificity, cause no warning', () => {
  assert.deepEqual(
    warningsFor(
      { path: '/a', headers: { v: '1' } },
      { path: '/a', headers: { v: '2' } },
      { path: '/a', headers: { v: { regex: '[3-9]' } } },
      { path: '/a', headers: { v: ['4', '5'] } },
      { path: '/a', headers: { v: true } },
      { path: '/a', headers: { v: '1', w: '1' } },
      { path: '/a', method: 'GET' },
      { path: '/a', method: 'POST' },
      { path: '/a' },
      { path: '/b', headers: { w: '1' } },
      { path: '/a', host: 'example.com', headers: { w: '1' } },
    ),
    [],
  )
})

for (const [path, pathRegex] of [
  ['/a/*', '/b/.*'],
  ['/a/*', '/a[0-9]+'],
  ['/a', '/a/'],
  ['/a/{id}', '/b/[0-9]+'],
] as const)
  test(`no path matches both ${path} and ${pathRegex}`, () => {
    assert.match(warningsFor({ path, pathRegex })[0] ?? '', /^routes\[0\]\.match: no path matches both/)
  })

for (const [path, pathRegex] of [
  ['/a/*', '/a'],
  ['/a/*', '/a/[0-9]+'],
  ['/*', '/[0-9]+'],
  ['/a', '/[a-z]'],
  ['/a/{id}', '/./[0-9]+'],
] as const)
  test(`some path matches both ${path} and ${pathRegex}`, () => {
    assert.deepEqual(warningsFor({ path, pathRegex }), [])
  })

test('many routes at one path are compared in bounded time', () => {
  const routes = Array.from({ length: 5000 }, (_, i): Match => ({ path: '/a', headers: { tenant: `t${i}` } }))
  assert.deepEqual(warningsFor(...routes), [])
})
