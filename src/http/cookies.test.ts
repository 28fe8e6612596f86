import assert from 'node:assert/strict'
import test from 'node:test'
import { cookieValues, dropCookie } from './cookies.ts'
import { Headers } from './headers.ts'

function fields(...values: readonly string[]): Headers {
  return Headers.of(values.map((value) => ['Cookie', value]))
}

test('cookies are found by their exact name, anywhere', () => {
  assert.deepEqual(cookieValues(fields('a=1; token=x=y; b=2', 'token=z'), 'token'), ['x=y', 'z'])
  for (const value of ['tokens=x', 'Token=x', 'my-token=x', 'token', '=token', ''])
    assert.deepEqual(cookieValues(fields(value), 'token'), [], value)
  assert.deepEqual(cookieValues(fields('token='), 'token'), [''])
})

test('dropping a cookie keeps the others', () => {
  const headers = fields('a=1; token=x; b=2', 'token=y')
  dropCookie(headers, 'token')
  assert.deepEqual(headers.getAll('Cookie'), ['a=1; b=2'])
  const only = fields('token=x')
  dropCookie(only, 'token')
  assert.equal(only.has('Cookie'), false)
  const other = fields('a=1;b=2')
  dropCookie(other, 'token')
  assert.deepEqual(other.getAll('Cookie'), ['a=1;b=2'])
})
