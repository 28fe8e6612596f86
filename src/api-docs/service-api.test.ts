import assert from 'node:assert/strict'
import test from 'node:test'
import { runToEnd } from '../core/time-slices.ts'
import { parseConfig } from '../config/parse.ts'
import { BrokenDocument } from './broken.ts'
import { Places } from './places.ts'
import { readServiceApi } from './service-api.ts'

const { routes } = parseConfig({
  services: { users: { instances: ['http://127.0.0.1:8001'] } },
  routes: [{ id: 'users', match: { path: '/users/*' }, service: 'users' }],
})

/** A document in which so many operations refer to one response with a long description. */
function documentOf(count: number): string {
  const operation = { responses: { 200: { $ref: '#/components/responses/Long' } } }
  const paths = Object.fromEntries(Array.from({ length: count }, (_, i) => [`/users/${i}`, { get: operation }]))
  const components = { responses: { Long: { description: 'x'.repeat(100_000) } } }
  return JSON.stringify({ openapi: '3.1.0', paths, components })
}

test('a short document cannot expand beyond the limit through its references', () => {
  const places = new Places(routes, [])
  assert.equal(runToEnd(readServiceApi(documentOf(100), 'users', places)).operations.length, 100)
  assert.throws(() => runToEnd(readServiceApi(documentOf(200), 'users', places)), BrokenDocument)
})
