import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { parseTarget } from './target.ts'

test('the absolute form has authority and path, which is at least "/"', () => {
  assert.deepEqual(parseTarget('GET', 'http://a/b?c', false), { authority: 'a', target: '/b?c' })
  assert.deepEqual(parseTarget('GET', 'HTTP://a:1', false), { authority: 'a:1', target: '/' })
  assert.deepEqual(parseTarget('GET', 'http://a?b', false), { authority: 'a', target: '/?b' })
  assert.deepEqual(parseTarget('GET', 'http://[::1]//b', false), { authority: '[::1]', target: '//b' })
})

test('the asterisk form is for OPTIONS only', () => {
  assert.deepEqual(parseTarget('OPTIONS', '*', false), { authority: null, target: '*' })
  assert.deepEqual(parseTarget('OPTIONS', 'http://a', false), { authority: 'a', target: '*' })
  assert.deepEqual(parseTarget('OPTIONS', 'http://a/', false), { authority: 'a', target: '/' })
  assert.equal(
    codeOf(() => parseTarget('GET', '*', false)),
    'bad-request',
  )
})

test('an absolute URI has to have the scheme of its connection', () => {
  for (const [target, secure] of [
    ['https://a/', false],
    ['HTTPS://a', false],
    ['http://a/', true],
  ] as const)
    assert.equal(
      codeOf(() => parseTarget('GET', target, secure)),
      'misdirected-request',
    )
  assert.deepEqual(parseTarget('GET', 'https://a/b', true), { authority: 'a', target: '/b' })
})

test('any other form is rejected', () => {
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
      codeOf(() => parseTarget('GET', target, false)),
      'bad-request',
      target,
    )
})
