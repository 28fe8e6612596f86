import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import type { Consumer } from '../../http/exchange.ts'
import { clientNetwork } from '../../core/client-network.ts'
import { clientName, namesUnder } from './client-name.ts'
import { anyCharacter } from '../../../test/support/text.ts'

function nameOf(consumer: Partial<Consumer>): string {
  const whole = { id: '42', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {}, ...consumer }
  return clientName(makeExchange({ consumer: whole }))
}

test('a user goes by its id, an API key by its own, and nobody by the address', () => {
  assert.equal(nameOf({ id: '42' }), '42')
  assert.equal(nameOf({ id: 'ann@example.com' }), 'ann@example.com')
  assert.equal(nameOf({ id: '42', key: 'partner' }), 'key:partner')
  assert.equal(clientName(makeExchange()), '192.0.2.1')
})

test('addresses of one IPv6 network of 64 bits are one client, however they are written', () => {
  const same = [
    '2001:db8:0:1::1',
    '2001:DB8:0:1:ffff:ffff:ffff:ffff',
    '2001:0db8:0000:0001:0:0:0:2',
    '2001:db8:0:1::192.0.2.1',
  ]
  for (const address of same) assert.equal(clientNetwork(address), '2001:db8:0:1::/64', address)
  assert.equal(clientNetwork('2001:db8:0:2::1'), '2001:db8:0:2::/64')
  assert.equal(clientNetwork('::1'), '0:0:0:0::/64')
  assert.equal(clientNetwork('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(clientNetwork('1::'), '1:0:0:0::/64')
  assert.equal(clientNetwork('192.0.2.1'), '192.0.2.1')
})

test('every IPv6 address, in full or with its zeros left out, leads to its first four groups', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
      const full = groups.map((group) => group.toString(16)).join(':')
      const network = `${groups
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(':')}::/64`
      assert.equal(clientNetwork(full), network)
      const shortened = new URL(`http://[${full}]/`).hostname.slice(1, -1)
      assert.equal(clientNetwork(shortened), network)
    }),
  )
})

test('no user has the name of an API key or an address, nor one that a Redis key could take for its own parts', () => {
  assert.equal(nameOf({ id: '192.0.2.1', tier: 'unauthenticated' }), 'user:192.0.2.1')
  for (const id of ['key:partner', '2001:db8:0:1::/64', '{42}', '~x', '', 'a b', 'ü', 'x'.repeat(129)])
    assert.match(nameOf({ id }), /^~[\w-]{43}$/, id)
})

test('different users have different names', () => {
  const id = fc.oneof(fc.string(), fc.string({ unit: anyCharacter }), fc.constantFrom('\ud800', '\ud801', '\ufffd'))
  fc.assert(fc.property(id, id, (a, b) => assert.equal(nameOf({ id: a }) === nameOf({ id: b }), a === b)))
})

test('whoever is counted is found again under the name of the limit that counted', () => {
  const tiers = ['authenticated', 'unauthenticated', 'api_key', 'gold']
  for (const id of ['42', 'ann@example.com', '192.0.2.1', 'a:b'])
    for (const tier of tiers)
      for (const limit of [tier, `${tier}@route`, 'consumer', 'consumer@route']) {
        assert.ok(namesUnder('user', id, limit).includes(nameOf({ id, tier })), `${id} under ${limit}`)
        assert.deepEqual(namesUnder('key', 'partner', limit), [nameOf({ id, tier, key: 'partner' })])
      }
  for (const limit of ['unauthenticated', 'unauthenticated@route', 'failures'])
    assert.deepEqual(namesUnder('address', '2001:db8::1', limit), [clientNetwork('2001:db8::1')])
})

test('a user whose id is an address is not taken for the address, nor the other way round', () => {
  for (const limit of ['authenticated', 'gold@route', 'consumer'])
    assert.deepEqual(namesUnder('address', '192.0.2.1', limit), [], limit)
  for (const limit of ['unauthenticated', 'failures', 'unauthenticated@route'])
    assert.ok(!namesUnder('user', '192.0.2.1', limit).includes('192.0.2.1'), limit)
})
