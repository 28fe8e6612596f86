import assert from 'node:assert/strict'
import test from 'node:test'
import { hostName, parseHostPattern } from './host.ts'
import { PatternError } from './pattern.ts'

test('the name of a host leaves case, port and trailing dot out', () => {
  const cases: Record<string, string> = {
    'api.example.com': 'api.example.com',
    'API.Example.com:8000': 'api.example.com',
    'api.example.com.': 'api.example.com',
    'api.example.com.:80': 'api.example.com',
    'localhost:': 'localhost',
    '127.0.0.1:80': '127.0.0.1',
    '[::1]': '[::1]',
    '[FE80::1]:8000': '[fe80::1]',
    '[broken': '[broken',
    '': '',
    '.': '',
  }
  for (const [host, name] of Object.entries(cases)) assert.equal(hostName(host), name, host)
})

test('a name longer than names can be is no name', () => {
  assert.equal(hostName('a'.repeat(253)), 'a'.repeat(253))
  assert.equal(hostName('a.'.repeat(4000)), '')
})

test('a host pattern is a name or a wildcard', () => {
  assert.deepEqual(parseHostPattern('API.example.com.'), { name: 'api.example.com', wildcard: false })
  assert.deepEqual(parseHostPattern('*.Example.com'), { name: 'example.com', wildcard: true })
  assert.deepEqual(parseHostPattern('[::1]'), { name: '[::1]', wildcard: false })
})

test('a host pattern with a port is refused', () => {
  for (const text of ['a.b:80', '*.a.b:80', '[::1]:80', 'a:']) {
    assert.throws(() => parseHostPattern(text), { name: 'PatternError', message: /must not have a port/ })
  }
})

test('what is no host name is refused', () => {
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
