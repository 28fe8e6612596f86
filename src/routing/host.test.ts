import assert from 'node:assert/strict'
import test from 'node:test'
import { parseHostPattern } from './host.ts'
import { PatternError } from './pattern.ts'

test('a host pattern is a name or a wildcard', () => {
  assert.deepEqual(parseHostPattern('API.example.com.'), { name: 'api.example.com', wildcard: false })
  assert.deepEqual(parseHostPattern('*.Example.com'), { name: 'example.com', wildcard: true })
  assert.deepEqual(parseHostPattern('[::1]'), { name: '[::1]', wildcard: false })
})

test('a host pattern with a port is rejected', () => {
  for (const text of ['a.b:80', '*.a.b:80', '[::1]:80', 'a:']) {
    assert.throws(() => parseHostPattern(text), { name: 'PatternError', message: /must not have a port/ })
  }
})

test('an invalid host name is rejected', () => {
  for (const text of [
    '',
    '*',
    '*.',
    'a.*.b',
    '*a.b',
    'a..b',
    'a b',
    'a/b',
    'bücher.example',
    '*.[::1]',
    '[::1]a',
    'a:b',
    '::1x',
  ]) {
    assert.throws(() => parseHostPattern(text), PatternError, text)
  }
})
