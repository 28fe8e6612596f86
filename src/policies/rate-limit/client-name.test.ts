import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import type { Consumer } from '../../http/exchange.ts'
import { clientName, namesUnder } from './client-name.ts'
import { anyCharacter } from '../../../test/support/text.ts'

function nameOf(consumer: Partial<Consumer>): string {
  const whole = { id: '42', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {}, ...consumer }
  return clientName(makeExchange({ consumer: whole }))
}

test('a user is named by id, an API key by its id, and anonymous callers by address', () => {
  assert.equal(nameOf({ id: '42' }), '42')
  assert.equal(nameOf({ id: 'ann@example.com' }), 'ann@example.com')
  assert.equal(nameOf({ id: '42', key: 'partner' }), 'key:partner')
  assert.equal(clientName(makeExchange()), '192.0.2.1')
})

test('the name of a user cannot equal that of a key or an address, or break a Redis key', () => {
  assert.equal(nameOf({ id: '192.0.2.1', tier: 'unauthenticated' }), 'user:192.0.2.1')
  for (const id of ['key:partner', '2001:db8:0:1::/64', '{42}', '~x', '', 'a b', 'ü', 'x'.repeat(129)])
    assert.match(nameOf({ id }), /^~[\w-]{43}$/, id)
})

test('property: different users have different names', () => {
  const id = fc.oneof(fc.string(), fc.string({ unit: anyCharacter }), fc.constantFrom('\ud800', '\ud801', '\ufffd'))
  fc.assert(fc.property(id, id, (a, b) => assert.equal(nameOf({ id: a }) === nameOf({ id: b }), a === b)))
})

test('a counted client is found again by its name and the name of the limit', () => {
  const tiers = ['authenticated', 'unauthenticated', 'api_key', 'gold']
  for (const id of ['42', 'ann@example.com', '192.0.2.1', 'a:b'])
    for (const tier of tiers)
      for (const limit of [tier, `${tier}@route`, 'consumer', 'consumer@route']) {
        assert.ok(namesUnder('user', id, limit).includes(nameOf({ id, tier })), `${id} under ${limit}`)
        assert.deepEqual(namesUnder('key', 'partner', limit), [nameOf({ id, tier, key: 'partner' })])
      }
  for (const limit of ['unauthenticated', 'unauthenticated@route', 'failures', 'refusals'])
    assert.deepEqual(namesUnder('address', '2001:db8::1', limit), ['2001:db8:0:0::/64'])
})

test('a user whose id is an address is distinguished from the address', () => {
  for (const limit of ['authenticated', 'gold@route', 'consumer'])
    assert.deepEqual(namesUnder('address', '192.0.2.1', limit), [], limit)
  for (const limit of ['unauthenticated', 'failures', 'refusals', 'unauthenticated@route'])
    assert.ok(!namesUnder('user', '192.0.2.1', limit).includes('192.0.2.1'), limit)
})
