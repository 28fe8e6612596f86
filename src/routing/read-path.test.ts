import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isPlainPath, type PathReading, readPath } from './read-path.ts'

function read(path: string): PathReading {
  const reading = readPath(path)
  assert.ok(typeof reading !== 'string', path)
  return reading
}

const refusal = (path: string): unknown => readPath(path)

test('a plain path has one form', () => {
  for (const path of ['/', '/a', '/a/b.c/d/', "/-._~!$&'()*+,=:@", '/a..b', '/a./b']) {
    assert.ok(isPlainPath(path), path)
    assert.deepEqual(read(path), { path, forms: null, encodedSlashes: false, stripped: null })
  }
  for (const path of ['', '*', 'a', '/a;v', '/%41', '/a//b', '/./a', '/a/..', '/a\\b', '/a"b'])
    assert.ok(!isPlainPath(path), path)
})

test('escapes and repeated slashes as written are kept next to the normal form', () => {
  for (const [path, normal, written] of [
    ['/b/x//y.txt', '/b/x/y.txt', '/b/x//y.txt'],
    ['/b/x//', '/b/x/', '/b/x//'],
    ['/b/%41%7e', '/b/A~', '/b/%41%7E'],
    ['/b/%c3%a9', '/b/%C3%A9', null],
    ['/b/%2d//%e2%82%ac', '/b/-/%E2%82%AC', '/b/%2D//%E2%82%AC'],
  ] as const) {
    const { path: found, forms } = read(path)
    assert.equal(found, normal)
    assert.deepEqual(forms, { path: normal, sent: path, written, others: [] })
  }
})

test('dot segments are resolved, raw or escaped, and the rest stays as written', () => {
  for (const [path, sent] of [
    ['/a/./b', '/a/b'],
    ['/a/%2e/b', '/a/b'],
    ['/a/b/../%63', '/a/%63'],
    ['/a/b/.%2E/c//d', '/a/c//d'],
    ['/a//b/..', '/a//'],
    ['/a/b/.', '/a/b/'],
  ] as const) {
    const { path: normal, forms } = read(path)
    assert.equal(forms?.sent ?? normal, sent)
  }
})

test('dot segments after empty ones are rejected, as merging slashes first would make a difference', () => {
  for (const path of ['/a//../b', '/a/b//..', '/a//./../b', '/a//%2e%2e/b'])
    assert.equal(refusal(path), 'The path has a dot segment after an empty one: send it without both.')
})

test('two slashes at the start are rejected, also after resolving dot segments', () => {
  for (const path of ['//', '//a', '//evil.example/a', '/.//a', '/a/..//b', '/%2e//a'])
    assert.equal(refusal(path), 'The path of the request begins with two slashes: send one.', path)
})

test('a raw backslash is rejected, and encoded ones are left to the route, like encoded slashes', () => {
  assert.match(String(refusal('/a\\b')), /backslash/)
  for (const [path, normal, decoded] of [
    ['/a%2fb', '/a%2Fb', '/a/b'],
    ['/a%5Cb', '/a%5Cb', '/a/b'],
    ['/a%5c%2F/b', '/a%5C%2F/b', '/a/b'],
  ] as const) {
    const reading = read(path)
    assert.equal(reading.path, normal)
    assert.equal(reading.encodedSlashes, true)
    assert.deepEqual(reading.forms?.others, [decoded])
  }
})

test('path parameters are kept, and removed in another form', () => {
  const reading = read('/admin;x/users;y=1;z')
  assert.equal(reading.path, '/admin;x/users;y=1;z')
  assert.equal(reading.stripped, '/admin/users')
  assert.deepEqual(reading.forms?.others, ['/admin/users'])
  assert.deepEqual(read('/a;b%2Fc/d').forms?.others, ['/a/d', '/a;b/c/d', '/a/c/d'])
})

test('decoding slashes before removing parameters gives another form', () => {
  assert.deepEqual(read('/;x%2Fa/admin%2Fb').forms?.others, ['/admin%2Fb', '/;x/a/admin/b', '/a/admin/b', '/admin/b'])
})

test('an encoded semicolon starts parameters for services that decode first', () => {
  const reading = read('/admin%3bx/users')
  assert.equal(reading.path, '/admin%3Bx/users')
  assert.equal(reading.stripped, null)
  assert.deepEqual(reading.forms, {
    path: '/admin%3Bx/users',
    sent: '/admin%3bx/users',
    written: null,
    others: ['/admin;x/users', '/admin/users'],
  })
  assert.equal(typeof refusal('/a/..%3bx/b'), 'string')
})

test('a path without a normal form is rejected', () => {
  for (const path of [
    '',
    'a',
    '*',
    '/..',
    '/a/../..',
    '/%',
    '/%zz',
    '/%00',
    '/%ff',
    '/a#b',
    '/a?b',
    '/..;/a',
    '/a%2f..',
  ])
    assert.equal(typeof refusal(path), 'string', path)
  assert.equal(typeof refusal('/a/..%5Cb'), 'string')
})

const pieces = fc.constantFrom('/', '/', '/', '.', '..', '%2e', '%2F', '%5c', ';', 'a', 'B', '%41', '%c3%a9', '"')
const paths = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`)

test('property: the sent path has the same normal form, no dot segment, and the same slashes as written', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const reading = readPath(path)
      fc.pre(typeof reading !== 'string')
      const { path: normal, forms } = reading
      const sent = forms?.sent ?? normal
      assert.equal(read(sent).path, normal)
      assert.ok(!sent.startsWith('//'))
      assert.ok(sent.split('/').every((segment) => !/^(?:\.|%2e){1,2}$/i.test(segment)))
      assert.equal(decodeURIComponent(sent).replace(/\/{2,}/g, '/'), decodeURIComponent(normal).replace(/\/{2,}/g, '/'))
      assert.equal(read(normal).forms?.written ?? null, null)
    }),
  )
})
