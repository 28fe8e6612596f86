import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Headers } from '../../http/headers.ts'
import { bearerToken, cookieValue, dropBearerToken, queryParameter, withoutParameter } from './credentials.ts'

const repeated = { reason: 'repeated' }

function fields(name: string, ...values: string[]): Headers {
  return Headers.of(values.map((value) => [name, value]))
}

for (const value of ['Bearer abc', 'bearer abc', 'BEARER   abc', 'Bearer   abc'])
  test(`the token of ${JSON.stringify(value)} is abc`, () => {
    assert.equal(bearerToken(fields('authorization', value)), 'abc')
  })

for (const value of ['Bearer', 'Basic YTpi', 'Bearerabc', 'abc', ''])
  test(`${JSON.stringify(value)} has no token`, () => {
    assert.equal(bearerToken(fields('Authorization', value)), null)
  })

test('two Authorization headers are rejected', () => {
  assert.throws(() => bearerToken(fields('Authorization', 'Bearer a', 'Bearer b')), repeated)
  assert.throws(() => bearerToken(fields('Authorization', 'Bearer a', 'Basic b')), repeated)
})

test('only bearer tokens are removed from Authorization', () => {
  const bearer = fields('Authorization', 'bearer abc')
  dropBearerToken(bearer)
  assert.equal(bearer.has('Authorization'), false)
  const basic = fields('Authorization', 'Basic YTpi')
  dropBearerToken(basic)
  assert.equal(basic.get('Authorization'), 'Basic YTpi')
})

test('a cookie is found by its exact name', () => {
  assert.equal(cookieValue(fields('Cookie', 'a=1; token=x=y; b=2'), 'token'), 'x=y')
  assert.equal(cookieValue(fields('Cookie', 'a=1', 'token=x'), 'token'), 'x')
  for (const value of ['tokens=x', 'Token=x', 'my-token=x', 'token', '=token', 'token='])
    assert.equal(cookieValue(fields('Cookie', value), 'token'), null, value)
})

test('a repeated cookie is rejected', () => {
  assert.throws(() => cookieValue(fields('Cookie', 'token=a; token=b'), 'token'), repeated)
  assert.throws(() => cookieValue(fields('Cookie', 'token=a', 'token=b'), 'token'), repeated)
})

test('a query parameter is found by its decoded name', () => {
  assert.equal(queryParameter('?a=1&key=x%20y', 'key'), 'x y')
  assert.equal(queryParameter('?%6bey=x', 'key'), 'x')
  assert.equal(queryParameter('?Key=x&keys=y', 'key'), undefined)
  assert.equal(queryParameter('', 'key'), undefined)
  assert.throws(() => queryParameter('?key=a&%6Bey=b', 'key'), repeated)
})

test('removing a query parameter keeps the others as written', () => {
  assert.equal(withoutParameter('?a=%7e&key=x&&b', 'key'), '?a=%7e&&b')
  assert.equal(withoutParameter('?%6bey=x&key=y', 'key'), '')
  assert.equal(withoutParameter('?a=1', 'key'), '?a=1')
  assert.equal(withoutParameter('', 'key'), '')
})

test('property: exactly the parameters of that name are removed, however they are encoded', () => {
  const part = fc.array(fc.constantFrom('key', 'k', '%6b', 'ey', '%65y', '=', '+', '%', '%zz', 'a', '?'), {
    maxLength: 4,
  })
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const query = `?${parts.map((each) => each.join('')).join('&')}`
      const entries = (text: string) => [...new URLSearchParams(`&${text.slice(1)}`)]
      assert.deepEqual(
        entries(withoutParameter(query, 'key')),
        entries(query).filter(([name]) => name !== 'key'),
      )
    }),
  )
})
