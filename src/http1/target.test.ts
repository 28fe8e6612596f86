import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { parseTarget } from './target.ts'

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
