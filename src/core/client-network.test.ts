import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { clientNetwork } from './client-network.ts'
import { canonicalAddress } from './plain-address.ts'

test('an address counts under itself, or under its /64 network', () => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:DB8:0000:0001:2:3:4:5', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['2001:db8:0:1::192.0.2.1', '2001:db8:0:1::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ] as const)
    assert.equal(clientNetwork(address), network, address)
})

test('property: all spellings of an address count under the same network', () => {
  // Zeros are frequent, as they are what the canonical form leaves out.
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const hex = groups.map((each) => each.toString(16))
      const network = `${hex.slice(0, 4).join(':')}::/64`
      const full = hex.map((each) => each.padStart(4, '0')).join(':')
      for (const address of [hex.join(':'), full, full.toUpperCase(), canonicalAddress(full, 'ipv6')])
        if (address.includes(':')) assert.equal(clientNetwork(address), network, address)
    }),
  )
})
