import assert from 'node:assert/strict'
import test from 'node:test'
import { Headers } from '../http/headers.ts'
import type { RouteMatch } from './match.ts'
import type { RouteFound } from './candidate.ts'
import { createRouter, type RouteMissing } from './router.ts'

interface Request {
  host?: string
  path: string
  method?: string
  headers?: Record<string, string>
  query?: string
}

type Find = (request: Request) => RouteFound<string> | RouteMissing

/** A router whose routes are named by the keys of the record. */
function routerFor(routes: Record<string, RouteMatch>): Find {
  const router = createRouter(Object.entries(routes).map(([value, match]) => ({ match, value })))
  return ({ host = 'any.test', path, method = 'GET', headers = {}, query = '' }) =>
    router.find(host, path, method, Headers.of(Object.entries(headers)), query)
}

function routeOf(found: RouteFound<string> | RouteMissing): string | null {
  return found.found ? found.value : null
}

function takes(find: Find, cases: Record<string, string | null>): void {
  for (const [path, route] of Object.entries(cases)) assert.equal(routeOf(find({ path })), route, path)
}

test('an exact pattern matches exactly its path', () => {
  takes(routerFor({ a: { path: ['/a/b'] } }), { '/a/b': 'a', '/a/b/': null, '/a': null, '/a/b/c': null, '/a/bc': null })
})

test('a prefix matches its path and everything below it, but not longer names', () => {
  takes(routerFor({ a: { path: ['/a/*'] } }), {
    '/a': 'a',
    '/a/': 'a',
    '/a/b': 'a',
    '/a/b/c/': 'a',
    '/ab': null,
    '/': null,
  })
})

test('the root pattern matches the root, and /* everything', () => {
  takes(routerFor({ root: { path: ['/'] }, rest: { path: ['/*'] } }), { '/': 'root', '/a': 'rest', '/a/b': 'rest' })
})

test('a parameter matches one segment that is not empty', () => {
  takes(routerFor({ a: { path: ['/u/{id}'] }, b: { path: ['/u/{id}/o/*'] }, c: { path: ['/u/{id}/'] } }), {
    '/u/1': 'a',
    '/u/': null,
    '/u': null,
    '/u/1/': 'c',
    '/u/1/o': 'b',
    '/u/1/o/': 'b',
    '/u/1/o/2/3': 'b',
    '/u/1/x': null,
    '/u//': null,
  })
})

test('literals take precedence over parameters, parameters over the rest, and deeper patterns over shorter', () => {
  const find = routerFor({
    rest: { path: ['/*'] },
    prefix: { path: ['/u/*'] },
    parameter: { path: ['/u/{id}'] },
    parameterRest: { path: ['/u/{id}/*'] },
    literal: { path: ['/u/me'] },
    literalRest: { path: ['/u/me/*'] },
    mixed: { path: ['/u/{id}/o'] },
  })
  takes(find, {
    '/u/me': 'literal',
    '/u/me/': 'literalRest',
    '/u/me/o': 'literalRest',
    '/u/7': 'parameter',
    '/u/7/': 'parameterRest',
    '/u/7/o': 'mixed',
    '/u/7/o/1': 'parameterRest',
    '/u': 'prefix',
    '/u/': 'prefix',
    '/x': 'rest',
  })
})

test('a more specific branch without a match falls back to a less specific one', () => {
  const find = routerFor({ a: { path: ['/x/{p}/y/z'] }, b: { path: ['/{q}/a/{r}'] }, c: { path: ['/x/b/*'] } })
  takes(find, { '/x/a/y/z': 'a', '/x/a/y': 'b', '/x/b/y/z': 'c', '/x/c/y': null })
  assert.deepEqual(find({ path: '/x/a/y' }), {
    found: true,
    value: 'b',
    pattern: '/{q}/a/{r}',
    params: { q: 'x', r: 'y' },
  })
})

test('parameters are percent-decoded, under the names in the matching pattern', () => {
  const find = routerFor({
    read: { path: ['/u/{id}/{file}'], method: ['GET'] },
    write: { path: ['/u/{user}/{name}'], method: ['PUT'] },
  })
  const path = '/u/caf%C3%A9/a%2Fb%25'
  assert.deepEqual(find({ path }), {
    found: true,
    value: 'read',
    pattern: '/u/{id}/{file}',
    params: { id: 'café', file: 'a/b%' },
  })
  const put = find({ path, method: 'PUT' })
  assert.deepEqual(put.found && put.params, { user: 'café', name: 'a/b%' })
})

test('an escaped slash does not separate segments', () => {
  takes(routerFor({ a: { path: ['/a/b'] }, p: { path: ['/{one}'] } }), { '/a%2Fb': 'p' })
})

test('a pattern written with escapes matches the normal form of the path', () => {
  takes(routerFor({ a: { path: ['/café/%7euser'] } }), { '/caf%C3%A9/~user': 'a' })
})

test('a match without parameters returns the same result object each time', () => {
  const find = routerFor({ a: { path: ['/a/*'] } })
  assert.equal(find({ path: '/a/1' }), find({ path: '/a/2' }))
})

test('the most specific host wins: exact, longest wildcard, none', () => {
  const find = routerFor({
    none: { path: ['/a'] },
    short: { path: ['/*'], host: ['*.example.com'] },
    long: { path: ['/*'], host: ['*.eu.example.com'] },
    exact: { path: ['/*'], host: ['api.eu.example.com', '[::1]'] },
  })
  const cases: Record<string, string | null> = {
    'api.eu.example.com': 'exact',
    'API.EU.Example.COM.:8000': 'exact',
    '[::1]:8000': 'exact',
    'web.eu.example.com': 'long',
    'a.b.eu.example.com': 'long',
    'eu.example.com': 'short',
    'api.example.com': 'short',
    'example.com': 'none',
    'badexample.com': 'none',
    'example.com.evil.test': 'none',
    '': 'none',
  }
  for (const [host, route] of Object.entries(cases)) {
    assert.equal(routeOf(find({ host, path: '/a' })), route, host)
    assert.equal(routeOf(find({ host, path: '/a' })), route, `${host}, asked again`)
  }
  assert.equal(routeOf(find({ host: 'example.com', path: '/b' })), null)
})

test('a host without a matching route falls back to less specific hosts', () => {
  const find = routerFor({
    none: { path: ['/*'] },
    wildcard: { path: ['/a/*'], host: ['*.b.com'] },
    exact: { path: ['/a/x'], host: ['a.b.com'], method: ['POST'] },
  })
  const host = 'a.b.com'
  assert.equal(routeOf(find({ host, path: '/a/x', method: 'POST' })), 'exact')
  assert.equal(routeOf(find({ host, path: '/a/x' })), 'wildcard')
  assert.equal(routeOf(find({ host, path: '/b' })), 'none')
})

test('a route with the method takes precedence over one without', () => {
  const find = routerFor({ any: { path: ['/a'] }, post: { path: ['/a'], method: ['POST'] } })
  assert.equal(routeOf(find({ path: '/a', method: 'POST' })), 'post')
  assert.equal(routeOf(find({ path: '/a', method: 'DELETE' })), 'any')
})

test('a path whose routes do not match the method falls back to less specific paths', () => {
  const find = routerFor({ exact: { path: ['/a/b'], method: ['POST'] }, prefix: { path: ['/a/*'] } })
  takes(find, { '/a/b': 'prefix' })
})

test('GET includes HEAD unless a route has HEAD itself, and OPTIONS is never included', () => {
  const find = routerFor({ get: { path: ['/a', '/b'], method: ['GET'] }, head: { path: ['/b'], method: ['HEAD'] } })
  assert.equal(routeOf(find({ path: '/a', method: 'HEAD' })), 'get')
  assert.equal(routeOf(find({ path: '/b', method: 'HEAD' })), 'head')
  assert.equal(routeOf(find({ path: '/b', method: 'GET' })), 'get')
  assert.equal(routeOf(find({ path: '/a', method: 'OPTIONS' })), null)
})

test('methods are case-sensitive', () => {
  assert.equal(routeOf(routerFor({ a: { path: ['/a'], method: ['GET'] } })({ path: '/a', method: 'get' })), null)
})

test('if only the method does not match, allow has all methods of matching routes, sorted', () => {
  const find = routerFor({
    a: { path: ['/a/b'], method: ['PUT', 'GET'] },
    b: { path: ['/a/*'], method: ['DELETE', 'PUT'] },
    c: { path: ['/a/{x}'], method: ['PATCH'], headers: { 'x-v': '1' } },
    d: { path: ['/a/b'], method: ['LOCK'], host: ['other.test'] },
  })
  assert.deepEqual(find({ path: '/a/b', method: 'POST' }), { found: false, allow: ['DELETE', 'GET', 'HEAD', 'PUT'] })
  assert.deepEqual(find({ path: '/a/b', method: 'POST', headers: { 'X-V': '1' } }), {
    found: false,
    allow: ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT'],
  })
  assert.deepEqual(find({ path: '/b', method: 'POST' }), { found: false, allow: [] })
})

test('headers match by value or presence, and more of them take precedence', () => {
  const find = routerFor({
    plain: { path: ['/a'] },
    present: { path: ['/a'], headers: { 'X-Version': true } },
    both: { path: ['/a'], headers: { 'x-version': '2', 'x-beta': 'yes' } },
  })
  const route = (headers: Record<string, string>) => routeOf(find({ path: '/a', headers }))
  assert.equal(route({}), 'plain')
  assert.equal(route({ 'x-version': '' }), 'present')
  assert.equal(route({ 'X-VERSION': '2', 'X-Beta': 'yes' }), 'both')
  assert.equal(route({ 'x-version': '2', 'x-beta': 'YES' }), 'present')
})

test('a repeated header matches by any of its values', () => {
  const router = createRouter([{ match: { path: ['/a'], headers: { v: '2' } }, value: 'a' }])
  const headers = Headers.of([
    ['V', '1'],
    ['V', '2'],
  ])
  assert.equal(router.find('', '/a', 'GET', headers, '').found, true)
})

test('query parameters match decoded, by value or presence, and more of them take precedence', () => {
  const find = routerFor({
    plain: { path: ['/a'] },
    present: { path: ['/a'], query: { 'a b': true } },
    both: { path: ['/a'], query: { 'a b': 'é&', v: '' } },
  })
  const route = (query: string) => routeOf(find({ path: '/a', query }))
  assert.equal(route(''), 'plain')
  assert.equal(route('?'), 'plain')
  assert.equal(route('?x=a%20b'), 'plain')
  assert.equal(route('?x&a%20b'), 'present')
  assert.equal(route('?a+b=1'), 'present')
  assert.equal(route('?v&a%20b=1&%61%20b=%C3%A9%26'), 'both')
  assert.equal(route('?a%20b=%C3%A9%26'), 'present')
  assert.equal(route('?%zz=%&a%20b'), 'present')
})

test('headers take precedence over query parameters, and all have to match', () => {
  const find = routerFor({
    header: { path: ['/a'], headers: { v: '1' } },
    query: { path: ['/a'], query: { v: '1' } },
    both: { path: ['/a'], headers: { v: '1' }, query: { v: '2' } },
  })
  assert.equal(routeOf(find({ path: '/a', headers: { v: '1' }, query: '?v=1' })), 'header')
  assert.equal(routeOf(find({ path: '/a', headers: { v: '1' }, query: '?v=2' })), 'both')
  assert.equal(routeOf(find({ path: '/a', query: '?v=1' })), 'query')
  assert.equal(routeOf(find({ path: '/a', query: '?v=2' })), null)
})

test('backtracking tries each candidate once, whatever the path', () => {
  const depth = 10
  const patterns = Array.from({ length: 2 ** depth }, (_pattern, bits) =>
    Array.from({ length: depth }, (_segment, i) => (bits & (1 << i) ? '/a' : `/{p${i}}`)).join(''),
  )
  const router = createRouter([{ match: { path: patterns, headers: { v: '1' } }, value: 0 }])
  const headers = Headers.of()
  let lookups = 0
  headers.getAll = () => {
    lookups++
    return []
  }
  assert.equal(router.find('', '/a'.repeat(depth), 'GET', headers, '').found, false)
  assert.equal(lookups, patterns.length)
})

test('a path of thousands of segments is searched no deeper than the patterns', () => {
  const find = routerFor({ a: { path: ['/a/{b}/{c}/d'] }, rest: { path: ['/a/{b}/*'] } })
  takes(find, { ['/a'.repeat(4000)]: 'rest' })
})
