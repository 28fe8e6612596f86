import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { readProxyHeader } from './header.ts'
import { ITSELF, proxyHeader } from './written-header.ts'

const ends = { localAddress: '10.0.0.1', localPort: 40_000, remoteAddress: '10.0.0.2', remotePort: 8001 }
const ends6 = { ...ends, localAddress: '2001:db8::1', remoteAddress: '2001:db8::2' }

test('version 1 is a line with both addresses and ports', () => {
  const lineFor = (client: string, of = ends): string => proxyHeader('v1', client, of).toString()
  assert.equal(lineFor('192.0.2.7'), 'PROXY TCP4 192.0.2.7 10.0.0.2 0 8001\r\n')
  assert.equal(lineFor('2001:db8::7', ends6), 'PROXY TCP6 2001:db8:0:0:0:0:0:7 2001:db8:0:0:0:0:0:2 0 8001\r\n')
  assert.equal(lineFor('192.0.2.7', ends6), 'PROXY TCP6 0:0:0:0:0:ffff:c000:207 2001:db8:0:0:0:0:0:2 0 8001\r\n')
  assert.equal(lineFor('2001:db8::7'), 'PROXY TCP6 2001:db8:0:0:0:0:0:7 0:0:0:0:0:ffff:a00:2 0 8001\r\n')
})

test('version 2 is the same in bytes', () => {
  const hexFor = (client: string, of = ends): string => proxyHeader('v2', client, of).toString('hex')
  assert.equal(hexFor('192.0.2.7'), '0d0a0d0a000d0a515549540a2111000cc00002070a00000200001f41')
  assert.equal(
    hexFor('2001:db8::7', ends6),
    '0d0a0d0a000d0a515549540a2121002420010db800000000000000000000000720010db800000000000000000000000200001f41',
  )
})

test('for the gateway itself, version 2 is LOCAL and version 1 has the ends of the connection', () => {
  assert.equal(proxyHeader('v2', ITSELF, ends).toString('hex'), '0d0a0d0a000d0a515549540a20000000')
  assert.equal(proxyHeader('v1', ITSELF, ends).toString(), 'PROXY TCP4 10.0.0.1 10.0.0.2 40000 8001\r\n')
})

test('an invalid client, or a closed connection, is written as unknown', () => {
  assert.equal(proxyHeader('v1', 'unknown', ends).toString(), 'PROXY UNKNOWN\r\n')
  assert.equal(proxyHeader('v1', '192.0.2.7', {}).toString(), 'PROXY UNKNOWN\r\n')
  assert.equal(proxyHeader('v2', '192.0.2.7', {}).toString('hex').slice(24), '20000000')
})

test('zones are removed, and IPv4-mapped addresses written as IPv4', () => {
  assert.match(proxyHeader('v1', 'fe80::1%eth0', ends6).toString(), /^PROXY TCP6 fe80:0:0:0:0:0:0:1 /)
  const local = { ...ends, remoteAddress: '::ffff:10.0.0.2' }
  assert.equal(proxyHeader('v1', '192.0.2.7', local).toString(), 'PROXY TCP4 192.0.2.7 10.0.0.2 0 8001\r\n')
})

test('property: listeners can read what is written', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(address, address, fc.constantFrom('v1', 'v2'), (client, remoteAddress, version) => {
      const header = proxyHeader(version, client, { ...ends, remoteAddress })
      const read = readProxyHeader(header)
      assert.equal(read?.length, header.length)
      assert.equal(read.introduction.kind, 'client')
      const again = 'address' in read.introduction ? read.introduction.address : ''
      assert.deepEqual(proxyHeader(version, again, { ...ends, remoteAddress }), header)
    }),
  )
})
