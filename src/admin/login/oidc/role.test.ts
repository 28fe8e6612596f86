import assert from 'node:assert/strict'
import test from 'node:test'
import { mappedRoles, roleOf, claimedRoles } from './role.ts'

const map = { 'gateway-admins': 'admin', ops: 'operator', dev: 'viewer' } as const

test('the most powerful of several roles is used', () => {
  assert.equal(roleOf(['dev', 'gateway-admins', 'ops'], { map }), 'admin')
  assert.equal(roleOf(['ops', 'dev'], { map }), 'operator')
  assert.equal(roleOf(['dev', 'dev', 'cooks'], { map }), 'viewer')
})

test('a user whose claims are not in the map has no role', () => {
  assert.equal(roleOf([], { map }), null)
  // What every object has is no value of the map.
  assert.equal(roleOf(['cooks', 'Dev', 'dev ', 'constructor', '__proto__', 'toString'], { map }), null)
  assert.deepEqual(mappedRoles(['cooks', 'constructor', 'dev'], { map }), ['dev'])
})

test('roles are read from a string or a list, at any path of claims', () => {
  assert.deepEqual(claimedRoles({ roles: 'ops' }, { claim: 'roles' }), ['ops'])
  assert.deepEqual(claimedRoles({ realm: { roles: ['ops', 7, null, ['dev']] } }, { claim: 'realm.roles' }), ['ops'])
  assert.deepEqual(claimedRoles({ 'https://example.com/roles': ['dev'] }, { claim: 'https://example.com/roles' }), [
    'dev',
  ])
  for (const claims of [{}, { roles: null }, { roles: { ops: true } }, { roles: 7 }, { roles: true }])
    assert.deepEqual(claimedRoles(claims, { claim: 'roles' }), [])
})
