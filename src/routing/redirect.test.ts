import assert from 'node:assert/strict'
import test from 'node:test'
import { parsePattern, PatternError } from './pattern.ts'
import { compileRedirect, parseRedirect } from './redirect.ts'

function location(to: string, pattern: string, path: string, params = {}, query = ''): string {
  const parsed = parsePattern(pattern)
  const make = compileRedirect(parseRedirect(to, [parsed]), parsed, true)
  return make({ scheme: 'http', host: 'a.example:8000', path, query, params })
}

test('parameters of the pattern are inserted encoded', () => {
  assert.equal(location('/new/{id}', '/old/{id}', '/old/7', { id: '7' }), '/new/7')
  assert.equal(location('/new/{id}', '/old/{id}', '/old/x', { id: '/evil?#é' }), '/new/%2Fevil%3F%23%C3%A9')
  assert.equal(location('/{host}', '/{host}', '/x', { host: 'parameter' }), '/parameter')
})

test('"/*" is the rest of the path', () => {
  for (const [path, expected] of [
    ['/old', '/new'],
    ['/old/', '/new/'],
    ['/old/a/b', '/new/a/b'],
  ] as const)
    assert.equal(location('/new/*', '/old/*', path), expected)
  assert.equal(location('/*', '/v1/{any}/*', '/v1/a/b/c'), '/b/c')
  assert.equal(location('/*', '/v1/*', '/v1'), '/')
  assert.equal(location('https://b.example/*', '/*', '/x/y'), 'https://b.example/x/y')
  assert.equal(location('https://b.example/*', '/*', '/'), 'https://b.example/')
})

test('host, path and scheme are those of the request', () => {
  assert.equal(location('https://{host}{path}', '/*', '/x'), 'https://a.example:8000/x')
  assert.equal(location('{scheme}://www.example{path}', '/*', '/x'), 'http://www.example/x')
})

test('host name and port can be used separately', () => {
  assert.equal(location('{scheme}://{hostname}:8083{path}', '/*', '/x'), 'http://a.example:8083/x')
  assert.equal(location('https://{hostname}:{port}/', '/*', '/x'), 'https://a.example:8000/')
})

test('the query is appended to an existing one, before a fragment', () => {
  assert.equal(location('/new', '/old', '/old', {}, '?a=1&b'), '/new?a=1&b')
  assert.equal(location('/new?x=1#top', '/old', '/old', {}, '?a=1'), '/new?x=1&a=1#top')
  const pattern = parsePattern('/old')
  const drop = compileRedirect(parseRedirect('/new', [pattern]), pattern, false)
  assert.equal(drop({ scheme: 'http', host: '', path: '/old', query: '?a', params: {} }), '/new')
})

test('a parameter that is not in every path of the route is rejected', () => {
  const patterns = ['/a/{id}', '/b/{name}'].map(parsePattern)
  for (const to of ['/new/{id}', '/new/{nope}', '/new/*', '/new/{', '/new/}', '/{}', '/{path}'])
    assert.throws(() => parseRedirect(to, patterns), PatternError, to)
})
