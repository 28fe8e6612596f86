import assert from 'node:assert/strict'
import test from 'node:test'
import { pickClaim } from '../pick-claim.ts'
import { claimNames, consumerOf } from './claims.ts'

function consumer(claims: object, names: object = {}) {
  return consumerOf({ ...claims }, claimNames.parse(names))
}

test('the usual claims become a consumer', () => {
  assert.deepEqual(consumer({ sub: 'alice', roles: ['admin'], scope: 'read write', tier: 'gold' }), {
    id: 'alice',
    roles: ['admin'],
    scopes: ['read', 'write'],
    tier: 'gold',
    key: null,
    claims: { sub: 'alice', roles: ['admin'], scope: 'read write', tier: 'gold' },
  })
})

test('a token with only a subject has no roles and scopes', () => {
  assert.deepEqual(consumer({ sub: 'alice' }), {
    id: 'alice',
    roles: [],
    scopes: [],
    tier: 'authenticated',
    key: null,
    claims: { sub: 'alice' },
  })
})

test('claims can have other names, be nested, and contain dots', () => {
  const names = { id: 'user.id', roles: 'https://example.com/roles', scopes: 'scp', tier: 'plan.0.name' }
  const claims = {
    user: { id: 7 },
    'https://example.com/roles': 'admin, user',
    scp: ['read'],
    plan: { 0: { name: 'gold' } },
  }
  const { id, roles, scopes, tier } = consumer(claims, names)
  assert.deepEqual({ id, roles, scopes, tier }, { id: '7', roles: ['admin', 'user'], scopes: ['read'], tier: 'gold' })
})

for (const sub of [undefined, null, '', 1.5, true, ['alice'], {}, '\ud800', Number.MAX_VALUE])
  test(`a subject that is ${JSON.stringify(sub)} is rejected`, () => {
    assert.throws(() => consumer({ sub }), { reason: 'subject' })
  })

for (const roles of [null, 7, { admin: true }, [1, null, ['admin'], '', ' ', '\udfff'], '', ','])
  test(`roles that are ${JSON.stringify(roles)} are ignored`, () => {
    assert.deepEqual(consumer({ sub: 'alice', roles }).roles, [])
  })

test('inherited properties are not claims', () => {
  assert.throws(() => consumer({}, { id: 'constructor.name' }), { reason: 'subject' })
  assert.throws(() => consumer({ user: {} }, { id: 'user.__proto__.constructor.name' }), { reason: 'subject' })
})

test('a path given as a list reaches claims with dots in their names', () => {
  const claims = { 'https://example.com/app': { 'a.b': ['admin'] }, a: { b: 'nested' }, 'a.b': 'flat' }
  assert.deepEqual(pickClaim(claims, ['https://example.com/app', 'a.b']), ['admin'])
  assert.equal(pickClaim(claims, ['a', 'b']), 'nested')
  assert.equal(pickClaim(claims, 'a.b'), 'flat')
  assert.equal(pickClaim(claims, ['a.b']), 'flat')
  for (const steps of [['a', 'c'], ['a', 'b', 'length'], ['constructor'], ['a', '__proto__']])
    assert.equal(pickClaim(claims, steps), undefined)
})
