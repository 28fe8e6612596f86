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

test('routes that say the same of their policies have one and the same value', () => {
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

test('what is wrong with policies that several routes have is told of each', () => {
  const broken = () => ({ cache: { ttl: 'soon' } })
  const parse = () => parseConfig({ services, routes: [routeOf('a', broken()), routeOf('b', broken())] })
  assert.throws(parse, (error) => {
    assert.ok(error instanceof ConfigError)
    const paths = error.problems.map(({ path }) => path)
    assert.deepEqual(paths, ['routes[0].policies.cache.ttl', 'routes[1].policies.cache.ttl'])
    return true
  })
})

test('a function in policies is the same only as itself', () => {
  const [one, other] = [() => 1, () => 1]
  const equals = new Equals()
  const first = equals.first({ own: { decide: one } })
  assert.notEqual(equals.first({ own: { decide: other } }), first)
  assert.equal(equals.first({ own: { decide: one } }), first)
})

test('the first of equal values is found, and of no others', () => {
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
