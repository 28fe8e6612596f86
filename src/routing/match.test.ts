import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { matchKeys, type RouteMatch, routingTable } from './match.ts'

/** In an order that is wrong in every respect, so that sorting has work to do. */
const mostSpecificFirst: RouteMatch[] = [
  { listener: ['inside'], path: ['/*'] },
  { host: ['a.example.com'], path: ['/*'] },
  { host: ['b.example.com'], path: ['/*'] },
  { host: ['*.eu.example.com'], path: ['/*'] },
  { host: ['*.example.com'], path: ['/a'] },
  { host: ['*.example.com'], path: ['/*'] },
  { path: ['/a/b/c'] },
  { path: ['/a/b'], pathRegex: '.*' },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': '1', 'x-b': true } },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': '1' }, query: { v: '1' } },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-z': true }, precedence: 1 },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': '1' } },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': ['1', '2'] } },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': ['1', '2', '3'] } },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': { regex: '[0-9]' } } },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': true } },
  { path: ['/a/b'], method: ['POST'], headers: { 'x-a': '0' }, precedence: -1 },
  { path: ['/a/b'], method: ['POST'], query: { v: '1', w: '1' } },
  { path: ['/a/b'], method: ['POST'], query: { v: '1' } },
  { path: ['/a/b'], method: ['POST'] },
  { path: ['/a/b'], method: ['GET'] },
  { path: ['/a/b'], method: ['GET', 'POST'] },
  { path: ['/a/b'], headers: { 'x-a': '1', 'x-b': '1', 'x-c': '1' } },
  { path: ['/a/b'] },
  { path: ['/a/b/*'] },
  { path: ['/a/{id}/b'] },
  { path: ['/a/{id}'] },
  { path: ['/a/{id}/*'] },
  { path: ['/a'] },
  { path: ['/a/*'] },
  { path: ['/b'] },
  { path: ['/{any}'] },
  { path: ['/*'] },
]

test('property: the table lists the most specific line first, in any order of the file', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(mostSpecificFirst, { minLength: mostSpecificFirst.length }), (shuffled) => {
      const table = routingTable(shuffled.map((match) => ({ match, value: match })))
      assert.deepEqual(
        table.map((line) => line.value),
        mostSpecificFirst,
      )
    }),
  )
})

test('a match has a line for each of its listeners, hosts and paths', () => {
  const match = { host: ['a.com', '*.b.com'], path: ['/x', '/y/*'] }
  assert.deepEqual(
    routingTable([{ match, value: 1 }]).map(({ host, pattern }) => `${host?.name} ${pattern.text}`),
    ['a.com /x', 'a.com /y/*', 'b.com /x', 'b.com /y/*'],
  )
  assert.equal(matchKeys(match).length, 4)
  assert.equal(matchKeys({ ...match, listener: ['a', 'b'] }).length, 8)
})

test('equivalent matches share a key', () => {
  const same: [RouteMatch, RouteMatch][] = [
    [{ path: ['/a/{id}'] }, { path: ['/a/{name}'] }],
    [{ path: ['/%61'] }, { path: ['/a'] }],
    [
      { path: ['/a'], host: ['A.com.'] },
      { path: ['/a'], host: ['a.com'] },
    ],
    [
      { path: ['/a'], method: ['GET', 'POST'] },
      { path: ['/a'], method: ['POST', 'GET', 'HEAD', 'GET'] },
    ],
    [
      { path: ['/a'], headers: { 'X-A': '1', b: true } },
      { path: ['/a'], headers: { B: true, 'x-a': '1' } },
    ],
    [
      { path: ['/a'], headers: { 'x-a': ['2', '1', '2'] } },
      { path: ['/a'], headers: { 'x-a': ['1', '2'] } },
    ],
    [
      { path: ['/a'], headers: { 'x-a': ['1'] } },
      { path: ['/a'], headers: { 'x-a': '1' }, precedence: 1 },
    ],
    [
      { path: ['/a'], query: { a: '1', b: true } },
      { path: ['/a'], query: { b: true, a: '1' } },
    ],
  ]
  for (const [a, b] of same) assert.deepEqual(matchKeys(a), matchKeys(b))
})

test('different matches have different keys', () => {
  const matches: RouteMatch[] = [
    ...mostSpecificFirst,
    { path: ['/a/'] },
    { path: ['/a'], host: ['example.com'] },
    { path: ['/a'], headers: { v: 'x' } },
    { path: ['/a'], headers: { v: true } },
    { path: ['/a'], query: { v: 'x' } },
    { path: ['/a'], query: { V: 'x' } },
  ]
  assert.equal(new Set(matches.flatMap(matchKeys)).size, matches.length)
})

test('a match with an invalid path or host is rejected', () => {
  assert.throws(() => matchKeys({ path: ['a'] }), { name: 'PatternError' })
  assert.throws(() => routingTable([{ match: { path: ['/a'], host: ['*'] }, value: 1 }]), { name: 'PatternError' })
})
