import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { normalizePath } from './path.ts'

function rewrites(cases: Record<string, string>): void {
  for (const [path, expected] of Object.entries(cases)) assert.equal(normalizePath(path), expected, path)
}

function refuses(paths: string[]): void {
  for (const path of paths) assert.equal(normalizePath(path), null, JSON.stringify(path))
}

test('a path in normal form stays unchanged', () => {
  for (const path of [
    '/',
    '/a',
    '/a/',
    '/a/b.c/d',
    '/a;v=1/b',
    "/-._~!$&'()*+,;=:@",
    '/a%2Fb',
    '/a%20b',
    '/.well-known/x',
    '/a...',
  ]) {
    assert.equal(normalizePath(path), path)
  }
})

test('escapes of unreserved characters are decoded and others upper-cased', () => {
  rewrites({
    '/%61%5A%30%2d%2e%5f%7ex': '/aZ0-._~x',
    '/a%c3%a9': '/a%C3%A9',
    '/a%3a%40': '/a%3A%40',
    '/a%20b%22': '/a%20b%22',
  })
})

test('an escape is decoded once only', () => {
  rewrites({ '/%2561': '/%2561', '/%252e%252e/a': '/%252e%252e/a', '/%25%32%65': '/%252e' })
})

test('dot segments are removed, escaped ones too', () => {
  rewrites({
    '/./a': '/a',
    '/a/.': '/a/',
    '/a/..': '/',
    '/a/b/..': '/a/',
    '/a/b/../c': '/a/c',
    '/a/./b/../../c': '/c',
    '/a/%2e%2E/b': '/b',
    '/a/%2e/b': '/a/b',
    '/a/.%2e': '/',
    '/...': '/...',
    '/.hidden/..b': '/.hidden/..b',
  })
})

test('a path that climbs above the root is rejected', () => {
  refuses(['/..', '/../a', '/a/../..', '/a/%2e%2e/%2e%2e/b', '//..'])
})

test('dot segments that only a service would see are rejected', () => {
  refuses([
    '/a/..%2Fb',
    '/a/..%2fb',
    '/a/b%2f..',
    '/a/b%2F%2e%2e%2Fc',
    '/a/.%2Fb',
    '/a/..;/b',
    '/a/..;x=1',
    '/a/.;',
    '/x%2F..;',
  ])
  rewrites({ '/a/..b%2Fc': '/a/..b%2Fc', '/a/b..%2F..c': '/a/b..%2F..c', '/a/b.;v=1': '/a/b.;v=1' })
})

test('repeated slashes are merged', () => {
  rewrites({ '//': '/', '//a': '/a', '/a//b': '/a/b', '/a///': '/a/', '/a//../b': '/b' })
})

test('an escaped slash stays escaped', () => {
  rewrites({ '/a%2fb': '/a%2Fb', '/%2F': '/%2F' })
})

test('a backslash is rejected, raw or escaped', () => {
  refuses(['/a\\b', '/a%5Cb', '/a%5cb', '/..\\a'])
})

test('control characters are rejected, raw or escaped', () => {
  refuses(['/a%00', '/%0a', '/%0D%0Ax', '/%1f', '/%7F', '/a\0', '/a\n', '/a\x7f'])
})

test('malformed escapes are rejected', () => {
  refuses(['/%', '/a%2', '/%zz', '/%2x', '/%%41', '/a/%', '/%u0041'])
})

test('escapes that are not UTF-8 are rejected', () => {
  refuses(['/%ff', '/%c0%af', '/%C0%AE', '/%e9', '/%ed%a0%80', '/%C3'])
})

test('anything that is not a path is rejected', () => {
  refuses(['', 'a', '*', 'http://a/', '?', '/a?b', '/a#b', '/a b', '/é', '/\u{1F600}'])
})

test('characters not allowed in a path are escaped', () => {
  rewrites({ '/"<>[]^`{|}': '/%22%3C%3E%5B%5D%5E%60%7B%7C%7D' })
})

const pieces = fc.constantFrom(
  '/',
  '/',
  '.',
  '..',
  '%2e',
  '%2F',
  '%2f',
  ';',
  'a',
  'B',
  '%41',
  '%25',
  '%c3%a9',
  '%5c',
  '{',
  '\\',
  '%0',
  '%00',
)
const paths = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`)
const anything = fc.string({ unit: 'binary-ascii', maxLength: 20 }).map((text) => `/${text}`)

test('property: normalization is idempotent', () => {
  fc.assert(
    fc.property(fc.oneof(paths, anything), (path) => {
      const once = normalizePath(path)
      fc.pre(once !== null)
      assert.equal(normalizePath(once), once)
    }),
  )
})

test('property: a normal path has no dot segment, empty segment, control character or backslash, decoded or not', () => {
  fc.assert(
    fc.property(fc.oneof(paths, anything), (path) => {
      const normal = normalizePath(path)
      fc.pre(normal !== null)
      assert.match(normal, /^(?:\/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)*\/?$/)
      for (const reading of [
        normal,
        normal.replaceAll(/;[^/]*/g, ''),
        normal.replaceAll('%2F', '/'),
        decodeURIComponent(normal),
      ]) {
        assert.doesNotMatch(reading, /\/\.\.?(?:\/|$)/)
        // oxlint-disable-next-line no-control-regex -- control characters are what it is about
        assert.doesNotMatch(reading, /[\x00-\x1f\x7f\\]/)
      }
    }),
  )
})

test('property: an accepted path without empty segments decodes as with a URL parser', () => {
  fc.assert(
    fc.property(paths, (path) => {
      fc.pre(!path.includes('//'))
      const normal = normalizePath(path)
      fc.pre(normal !== null)
      assert.equal(decodeURIComponent(normal), decodeURIComponent(new URL(`http://h${path}`).pathname))
    }),
  )
})
