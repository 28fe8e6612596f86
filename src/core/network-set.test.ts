import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import test from 'node:test'
import * as fc from 'fast-check'
import { NetworkSet } from './network-set.ts'

test('a set contains addresses and networks of both families', () => {
  const set = new NetworkSet(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '2001:db9::1'])
  for (const address of ['10.0.0.0', '10.255.255.255', '192.0.2.7', '2001:db8::', '2001:db8:ffff::1', '2001:db9::1'])
    assert.ok(set.has(address), address)
  for (const address of ['9.255.255.255', '11.0.0.0', '192.0.2.6', '192.0.2.8', '2001:db7:ffff::', '2001:db9::2', '::'])
    assert.ok(!set.has(address), address)
})

test('IPv4-mapped IPv6 addresses equal their IPv4 addresses, in the set and in lookups', () => {
  const plain = new NetworkSet(['192.0.2.0/24'])
  assert.ok(plain.has('::ffff:192.0.2.1'))
  assert.ok(plain.has('::ffff:c000:201'))
  assert.ok(!plain.has('::ffff:192.0.3.1'))
  const mapped = new NetworkSet(['::ffff:192.0.2.0/120', '::ffff:198.51.100.1'])
  assert.ok(mapped.has('192.0.2.255'))
  assert.ok(!mapped.has('192.0.3.0'))
  assert.ok(mapped.has('198.51.100.1'))
})

test('a network of all addresses of one family contains none of the other', () => {
  const v6 = new NetworkSet(['::/0'])
  assert.ok(v6.has('2001:db8::1'))
  assert.ok(!v6.has('192.0.2.1'))
  assert.ok(!new NetworkSet(['::ffff:0:0/90']).has('192.0.2.1'))
  const v4 = new NetworkSet(['0.0.0.0/0'])
  assert.ok(v4.has('255.255.255.255'))
  assert.ok(!v4.has('2001:db8::1'))
})

test('the zone of an address is ignored', () => {
  assert.ok(new NetworkSet(['fe80::/10']).has('fe80::1%eth0'))
  assert.ok(new NetworkSet(['fe80::1%eth0']).has('fe80::1'))
})

test('invalid addresses are in no set', () => {
  const all = new NetworkSet(['0.0.0.0/0', '::/0'])
  for (const text of [
    '',
    'unknown',
    '10.0.0',
    '10.0.0.1/8',
    '[::1]',
    '1.2.3.4:80',
    '1.2.3.04',
    '1.2.3.256',
    '1..2.3',
    '1.2.3.4.',
  ])
    assert.ok(!all.has(text), text)
})

const v4 = fc.ipV4()
const v6 = fc.ipV6()
/** With the first bit set, so that the addresses that stand for IPv4 lie in none of its networks: those are held apart above. */
const high = fc
  .tuple(
    fc.integer({ min: 0x8000, max: 0xffff }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 7, maxLength: 7 }),
  )
  .map(([first, others]) => [first, ...others].map((group) => group.toString(16)).join(':'))
const network = fc.oneof(
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })),
  fc.tuple(high, fc.integer({ min: 1, max: 128 })),
)

test('property: the set agrees with the BlockList of Node.js', () => {
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 20 }),
      fc.array(fc.oneof(v4, v6, high), { maxLength: 20 }),
      (networks, addresses) => {
        const set = new NetworkSet(networks.map(([address, prefix]) => `${address}/${prefix}`))
        const list = new BlockList()
        const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')
        for (const [address, prefix] of networks) list.addSubnet(address, prefix, familyOf(address))
        for (const address of [...addresses, ...networks.map(([each]) => each)])
          assert.equal(set.has(address), list.check(address, familyOf(address)), address)
      },
    ),
  )
})

test('property: IPv4 addresses are recognized as by Node.js', () => {
  const all = new NetworkSet(['0.0.0.0/0'])
  const part = fc.oneof(
    fc.nat({ max: 300 }).map(String),
    fc.constantFrom('', '0', '00', '01', ' 1', '+1', '0x1', '1e1'),
  )
  const texts = fc.oneof(
    fc.string(),
    fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.')),
  )
  fc.assert(fc.property(texts, (text) => assert.equal(all.has(text), isIPv4(text))))
})
