import assert from 'node:assert/strict'
import test from 'node:test'
import { checkTarget } from './target.ts'

for (const [path, query] of [
  ['/', ''],
  ['*', ''],
  ['/a%0d;b=1/~!$', '?'],
  ['/a', '?a=b&c={"d"}|?'],
] as const)
  test(`${path}${query} may stand in a request line`, () => checkTarget(path, query))

for (const [path, query, message] of [
  ['', '', /does not begin with "\/"/],
  ['a', '', /does not begin with "\/"/],
  ['http://a/', '', /does not begin with "\/"/],
  ['/', 'a=b', /neither empty nor begins with "\?"/],
  ['/a b', '', /percent-encode/],
  ['/ HTTP/1.1\r\nX: 1\r\n', '', /percent-encode/],
  ['/', '? HTTP/1.1', /percent-encode/],
  ['/', '?a\n', /percent-encode/],
  ['/\0', '', /percent-encode/],
  ['/#', '', /percent-encode/],
  ['/\u010d\u010a', '', /percent-encode/],
  ['/\xe9', '', /percent-encode/],
] as const)
  test(`${JSON.stringify(path + query)} may not`, () =>
    assert.throws(() => checkTarget(path, query), { name: 'TypeError', message }))
