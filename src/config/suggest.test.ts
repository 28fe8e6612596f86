import assert from 'node:assert/strict'
import test from 'node:test'
import { hint, nearest, oneOf } from './suggest.ts'

const known = ['rate-limit', 'request-headers', 'response-headers', 'cors']

test('the nearest known name is found despite typos, case and separators', () => {
  assert.equal(nearest('ratelimit', known), 'rate-limit')
  assert.equal(nearest('RATE_LIMIT', known), 'rate-limit')
  assert.equal(nearest('rate-limt', known), 'rate-limit')
  assert.equal(nearest('response-header', known), 'response-headers')
  assert.equal(nearest('cosr', known), 'cors')
})

test('a name that resembles none gets no suggestion', () => {
  assert.equal(nearest('cache', known), undefined)
  assert.equal(nearest('', known), undefined)
  assert.equal(nearest('auth', []), undefined)
})

test('the hint suggests the nearest name, or lists all', () => {
  assert.equal(hint('cor', known), '; did you mean "cors"?')
  assert.equal(hint('auth', ['a1', 'b2', 'c3']), '; expected "a1", "b2" or "c3"')
  assert.equal(hint('auth', []), '; there are none')
})

test('alternatives are joined with commas and "or"', () => {
  assert.equal(oneOf([301]), '301')
  assert.equal(oneOf(['a', 'b']), '"a" or "b"')
})
