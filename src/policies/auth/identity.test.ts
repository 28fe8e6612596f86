import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isFieldValue } from '../../core/field.ts'
import { headersFromWire } from '../../http/headers.ts'
import { identityOf } from './identity.ts'
import { anyCharacter } from '../../../test/support/text.ts'

function fieldsOf(id: string, roles: readonly string[] = [], tier = 'authenticated') {
  return Object.fromEntries(headersFromWire(identityOf({ id, roles, scopes: [], tier, key: null, claims: {} }).lines))
}

test('the service gets the id, the roles and the tier', () => {
  assert.deepEqual(fieldsOf('alice', ['admin', 'user']), {
    'X-User-ID': 'alice',
    'X-User-Roles': 'admin,user',
    'X-Consumer-Tier': 'authenticated',
  })
})

test('empty headers are left out', () => {
  assert.deepEqual(Object.keys(fieldsOf('alice')), ['X-User-ID', 'X-Consumer-Tier'])
})

test('a comma in a role is escaped', () => {
  assert.equal(fieldsOf('alice', ['user,admin', 'a%2Cb'])['X-User-Roles'], 'user%2Cadmin,a%252Cb')
})

test('property: ids are distinct, decodable, and valid in a header', () => {
  const text = fc.string({ unit: anyCharacter, minLength: 1 })
  fc.assert(
    fc.property(text, fc.array(text), (id, roles) => {
      const fields = fieldsOf(id, roles, id)
      for (const value of Object.values(fields)) assert.ok(isFieldValue(value))
      assert.equal(decodeURIComponent(fields['X-User-ID'] ?? ''), id)
      const sent = fields['X-User-Roles']
      assert.deepEqual(sent === undefined ? [] : sent.split(',').map(decodeURIComponent), roles)
    }),
  )
})
