import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { isAuthority, parseTarget } from './target.ts'

test('an authority is a name or an address with an optional port', () => {
  for (const text of [
    'a',
    'example.com',
    'EXAMPLE.com:80',
    '127.0.0.1:8000',
    '[::1]',
    '[2001:db8::1]:443',
    '_dmarc.a',
    'a-b.c.',
  ])
    assert.ok(isAuthority(text), text)
})

test('anything else is not an authority', () => {
  for (const text of [
    '',
    ':80',
    'a:',
    'a:b',
    'a:123456',
    'a:80:80',
    'user@a',
    'a/b',
    'a b',
    'a,b',
    'a%41',
    'a#',
    'a?b',
    "a'b",
    '.a',
    '-a',
    '[',
    '[]',
    '[::1',
    '::1',
    '[::1]x',
    '[v1.x]',
    '[fe80::1%25eth0]',
    'é',
    'a\n',
    'a'.repeat(255),
  ])
    assert.ok(!isAuthority(text), JSON.stringify(text))
})

test('the absolute form names authority and path, which is at least "/"', () => {
  assert.deepEqual(parseTarget('GET', 'http://a/b?c'), { authority: 'a', target: '/b?c' })
  assert.deepEqual(parseTarget('GET', 'HTTP://a:1'), { authority: 'a:1', target: '/' })
  assert.deepEqual(parseTarget('GET', 'http://a?b'), { authority: 'a', target: '/?b' })
  assert.deepEqual(parseTarget('GET', 'http://[::1]//b'), { authority: '[::1]', target: '//b' })
})

test('the asterisk form is for OPTIONS alone', () => {
  assert.deepEqual(parseTarget('OPTIONS', '*'), { authority: null, target: '*' })
  assert.deepEqual(parseTarget('OPTIONS', 'http://a'), { authority: 'a', target: '*' })
  assert.deepEqual(parseTarget('OPTIONS', 'http://a/'), { authority: 'a', target: '/' })
  assert.equal(
    codeOf(() => parseTarget('GET', '*')),
    'bad-request',
  )
})

test('an https URI is not for a connection without TLS', () => {
  for (const target of ['https://a/', 'HTTPS://a'])
    assert.equal(
      codeOf(() => parseTarget('GET', target)),
      'misdirected-request',
    )
})

test('no other form is understood', () => {
  for (const target of [
    'a',
    'a:80',
    'ftp://a/',
    'http:/a',
    'http:///b',
    'http://',
    'http://u@a/',
    '*x',
    '?a',
    'http://a\\b/',
  ])
    assert.equal(
      codeOf(() => parseTarget('GET', target)),
      'bad-request',
      target,
    )
})
