import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parseConfig } from './parse.ts'
import { ConfigError } from './problems.ts'
import { Equals } from './shared-policies.ts'

const services = { users: { instances: ['http://127.0.0.1:8001'] } }

function routeOf(id: string, policies?: object) {
  return { id, match: { path: `/${id}` }, service: 'users', ...(policies && { policies }) }
}

test('routes with equal policies share one object', () => {
  const { policies, routes } = parseConfig({
    services,
    policies: { 'rate-limit': { tiers: { unauthenticated: '10/m' } } },
    routes: [
      routeOf('a'),
      routeOf('b', { cache: { ttl: '1s', share: 'everyone' } }),
      routeOf('c', {}),
      routeOf('d', { cache: { share: 'everyone', ttl: '1s' } }),
      routeOf('e', { cache: { ttl: '2s', share: 'everyone' } }),
    ],
  })
  const [a, b, c, d, e] = routes.map((route) => route.policies)
  assert.equal(a, policies)
  assert.equal(c, policies)
  assert.equal(d, b)
  assert.notEqual(e, b)
  assert.equal(Object.keys(b!).length, 2)
})

test('a problem in shared policies is reported for each route', () => {
  const broken = () => ({ cache: { ttl: 'soon' } })
  const parse = () => parseConfig({ services, routes: [routeOf('a', broken()), routeOf('b', broken())] })
  assert.throws(parse, (error) => {
    assert.ok(error instanceof ConfigError)
    const paths = error.problems.map(({ path }) => path)
    assert.deepEqual(paths, ['routes[0].policies.cache.ttl', 'routes[1].policies.cache.ttl'])
    return true
  })
})

test('functions in policies are compared by identity', () => {
  const [one, other] = [() => 1, () => 1]
  const equals = new Equals()
  const first = equals.first({ own: { decide: one } })
  assert.notEqual(equals.first({ own: { decide: other } }), first)
  assert.equal(equals.first({ own: { decide: one } }), first)
})

test('property: equal values map to the first, and others do not', () => {
  const values = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 3,
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(values, values, (one, other) => {
      const equals = new Equals()
      assert.equal(equals.first(one), one)
      assert.equal(equals.first(structuredClone(one)), one)
      const found = equals.first(other)
      assert.deepStrictEqual(found, other)
    }),
  )
})
