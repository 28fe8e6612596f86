import assert from 'node:assert/strict'
import test from 'node:test'
import { Headers } from '../http/headers.ts'
import { createExplainer, type RoutedRequest } from './explain.ts'
import type { RouteEntry, RouteMatch } from './match.ts'

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

test('every unmet condition of a line is listed', () => {
  assert.deepEqual(lacks({}), [[]])
  assert.deepEqual(lacks({ path: ['/authors/*'] }), [[{ what: 'path', expected: '/authors/*' }]])
  assert.deepEqual(lacks({ host: ['*.example.org'] }), [[{ what: 'host', expected: '*.example.org' }]])
  assert.deepEqual(lacks({ listener: ['outside'] }), [[{ what: 'listener', expected: 'outside' }]])
  assert.deepEqual(lacks({ method: ['PUT', 'GET'] }, { method: 'POST' }), [
    [{ what: 'method', expected: ['GET', 'HEAD', 'PUT'] }],
  ])
  assert.deepEqual(lacks({ pathRegex: '/books/[a-z]+' }), [[{ what: 'path-regex', expected: '/books/[a-z]+' }]])
  assert.deepEqual(lacks({ headers: { 'X-Version': '2', 'X-Tenant': true }, query: { draft: ['no', 'maybe'] } }), [
    [
      { what: 'header', name: 'x-tenant', expected: true, present: false },
      { what: 'header', name: 'x-version', expected: '2', present: true },
      { what: 'query', name: 'draft', expected: ['maybe', 'no'], present: true },
    ],
  ])
})

test('lines are listed in the order in which the router tries them', () => {
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
