import assert from 'node:assert/strict'
import test from 'node:test'
import { checkTarget, isOriginalTarget } from './target.ts'

for (const [path, query] of [
  ['/', ''],
  ['*', ''],
  ['/a%0d;b=1/~!$', '?'],
  ['/a', '?a=b&c={"d"}|?'],
] as const)
  test(`${path}${query} is a valid target`, () => checkTarget(path, query))

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
  test(`${JSON.stringify(path + query)} is an invalid target`, () =>
    assert.throws(() => checkTarget(path, query), { name: 'TypeError', message }))

for (const [target, path, query] of [
  ['/', '/', ''],
  ['*', '*', ''],
  ['/a/b', '/a/b', ''],
  ['/a?', '/a', '?'],
  ['/a?b=c', '/a', '?b=c'],
] as const)
  test(`${path}${query} corresponds to the target ${target}`, () => assert.ok(isOriginalTarget(target, path, query)))

for (const [target, path, query] of [
  [null, '/a', ''],
  ['/a', '/b', ''],
  ['/a', '/a', '?b'],
  ['/a', '/a', ' HTTP/1.1\r\nX: 1'],
  ['/a?b', '/a', ''],
  ['/a?b', '/a', '?c'],
  ['/a?b', '/c', '?b'],
  ['/a?b', '/a', '?b '],
  ['/a?b', '/a ', '?b'],
  ['/ab', '/a', 'b'],
] as const)
  test(`${JSON.stringify(path + query)} does not correspond to the target ${target}`, () =>
    assert.ok(!isOriginalTarget(target, path, query)))
