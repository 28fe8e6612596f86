import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { matches, requests, withoutDuplicates } from '../../test/support/routes.ts'
import { Headers } from '../http/headers.ts'
import { createExplainer, type RoutedRequest } from './explain.ts'
import type { RouteEntry, RouteMatch } from './match.ts'
import { createRouter } from './router.ts'

const TABLES = 2_000
const REQUESTS = 50

test('of 100,000 requests, each takes the first line that lacks nothing for it', () => {
  let asked = 0
  fc.assert(
    fc.property(
      fc.array(matches, { maxLength: 8 }),
      fc.array(requests, { minLength: REQUESTS, maxLength: REQUESTS }),
      (routes, all) => {
        const entries = withoutDuplicates(routes).map((match, value) => ({ match, value }))
        const router = createRouter(entries)
        const explain = createExplainer(entries)
        for (const { listener, host, path, method, headers: fields, query } of all) {
          const headers = Headers.of(Object.entries(fields))
          const found = router.find(host, path, method, headers, query, listener)
          const winner = explain({ listener, host, path, method, headers, query }).find(
            ({ unmet }) => unmet.length === 0,
          )
          assert.equal(winner?.value, found.found ? found.value : undefined)
          assert.equal(winner?.pattern, found.found ? found.pattern : undefined)
          asked++
        }
      },
    ),
    { numRuns: TABLES },
  )
  assert.equal(asked, TABLES * REQUESTS)
})

const base: RoutedRequest = {
  host: 'api.example.com',
  path: '/books/7',
  method: 'GET',
  headers: Headers.of([['X-Version', '1']]),
  query: '?draft=yes',
  listener: 'inside',
}

function lacks(match: Omit<RouteMatch, 'path'> & { path?: string[] }, request: Partial<RoutedRequest> = {}) {
  const entries: RouteEntry<string>[] = [{ match: { path: ['/books/*'], ...match }, value: 'books' }]
  return createExplainer(entries)({ ...base, ...request }).map(({ unmet }) => unmet)
}

test('everything that a line wants and a request has not is told', () => {
  assert.deepEqual(lacks({}), [[]])
  assert.deepEqual(lacks({ path: ['/authors/*'] }), [[{ what: 'path', wanted: '/authors/*' }]])
  assert.deepEqual(lacks({ host: ['*.example.org'] }), [[{ what: 'host', wanted: '*.example.org' }]])
  assert.deepEqual(lacks({ listener: ['outside'] }), [[{ what: 'listener', wanted: 'outside' }]])
  assert.deepEqual(lacks({ method: ['PUT', 'GET'] }, { method: 'POST' }), [
    [{ what: 'method', wanted: ['GET', 'HEAD', 'PUT'] }],
  ])
  assert.deepEqual(lacks({ pathRegex: '/books/[a-z]+' }), [[{ what: 'path-regex', wanted: '/books/[a-z]+' }]])
  assert.deepEqual(lacks({ headers: { 'X-Version': '2', 'X-Tenant': true }, query: { draft: ['no', 'maybe'] } }), [
    [
      { what: 'header', name: 'x-tenant', wanted: true, present: false },
      { what: 'header', name: 'x-version', wanted: '2', present: true },
      { what: 'query', name: 'draft', wanted: ['maybe', 'no'], present: true },
    ],
  ])
})

test('lines are told in the order in which a router tries them', () => {
  const entry = (value: string, match: RouteMatch): RouteEntry<string> => ({ value, match })
  const explain = createExplainer([
    entry('all', { path: ['/*'] }),
    entry('versioned', { path: ['/books/{id}'], headers: { 'X-Version': '2' } }),
    entry('hosted', { path: ['/*'], host: ['api.example.com'] }),
    entry('one', { path: ['/books/{id}'] }),
  ])
  assert.deepEqual(
    explain(base).map(({ value, unmet }) => [value, unmet.length]),
    [
      ['hosted', 0],
      ['versioned', 1],
      ['one', 0],
      ['all', 0],
    ],
  )
})
