import assert from 'node:assert/strict'
import test from 'node:test'
import { endpointOf } from './endpoint.ts'

for (const [pattern, endpoint] of Object.entries({
  '/api/v1/users/*': '/api/v1/users',
  '/api/v1/users': '/api/v1/users',
  '/users/{id}/*': '/users/{id}',
  '/users/{id}': '/users/{id}',
  '/*': '/',
  '/': '/',
}))
  test(`the endpoint of ${pattern} is ${endpoint}`, () => {
    assert.equal(endpointOf(pattern), endpoint)
  })
