import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { readProxyHeader } from './header.ts'
import { MalformedProxyHeader } from './introduction.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** A header of version 2 with that command, family, and what follows them. */
function binary(command: number, family: number, rest: Buffer = Buffer.alloc(0), length = rest.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 255])
  return Buffer.concat([SIGNATURE, fixed, rest])
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const FROM_V4 = hex('c0000207 c6336401 dc04 01bb')
const FROM_V6 = hex('20010db8000000000000000000000007 20010db8000000000000000000000001 dc04 01bb')

const whole: readonly (readonly [name: string, header: Buffer, introduction: object])[] = [
  ['v1 TCP4', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n'), client('192.0.2.7')],
  ['v1 ports 0', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 0 0\r\n'), client('192.0.2.7')],
  ['v1 highest', Buffer.from('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n'), client('255.255.255.255')],
  ['v1 TCP6', Buffer.from('PROXY TCP6 2001:DB8::7 2001:db8::1 56324 443\r\n'), client('2001:db8::7')],
  [
    'v1 TCP6 at full length',
    Buffer.from(`PROXY TCP6 2001:0db8:0000:0000:0000:0000:0000:0007 ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    client('2001:db8::7'),
  ],
  ['v1 TCP6 of IPv4', Buffer.from('PROXY TCP6 ::ffff:192.0.2.7 ::ffff:c633:6401 1 2\r\n'), client('192.0.2.7')],
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), { kind: 'unknown' }],
  ['v1 UNKNOWN with more', Buffer.from('PROXY UNKNOWN 1 2 whatever it is\r\n'), { kind: 'unknown' }],
  ['v1 of 107 bytes', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`), { kind: 'unknown' }],
  ['v2 IPv4', binary(0x21, 0x11, FROM_V4), client('192.0.2.7')],
  ['v2 IPv4, datagrams', binary(0x21, 0x12, FROM_V4), client('192.0.2.7')],
  ['v2 IPv6', binary(0x21, 0x21, FROM_V6), client('2001:db8::7')],
  [
    'v2 IPv4 in IPv6',
    binary(0x21, 0x21, hex(`${'00'.repeat(10)}ffffc0000207 ${'00'.repeat(16)} dc0401bb`)),
    client('192.0.2.7'),
  ],
  [
    'v2 with TLVs',
    binary(0x21, 0x11, Buffer.concat([FROM_V4, hex('01 0002 6832 04 0000 ea 0003 010203')])),
    client('192.0.2.7'),
  ],
  [
    'v2 of maximum length',
    binary(0x21, 0x11, Buffer.concat([FROM_V4, hex('ea0ff1'), Buffer.alloc(4081)])),
    client('192.0.2.7'),
  ],
  ['v2 LOCAL', binary(0x20, 0x00), { kind: 'local' }],
  ['v2 LOCAL with an unknown family, and more', binary(0x20, 0xff, Buffer.alloc(40, 255)), { kind: 'local' }],
  ['v2 UNSPEC', binary(0x21, 0x00), { kind: 'unknown' }],
  ['v2 UNSPEC with more', binary(0x21, 0x00, Buffer.alloc(7, 1)), { kind: 'unknown' }],
  ['v2 IPv4 without a protocol', binary(0x21, 0x10, FROM_V4), { kind: 'unknown' }],
  ['v2 Unix', binary(0x21, 0x31, Buffer.alloc(216, 0x61)), { kind: 'unknown' }],
  ['v2 Unix datagrams', binary(0x21, 0x32, Buffer.alloc(216)), { kind: 'unknown' }],
]

function client(address: string): object {
  return { kind: 'client', address }
}

for (const [name, header, introduction] of whole)
  test(`${name} is read once it is complete, whatever follows`, () => {
    for (let end = 0; end < header.length; end++) assert.equal(readProxyHeader(header.subarray(0, end)), null)
    const expected = { introduction, length: header.length }
    assert.deepEqual(readProxyHeader(header), expected)
    for (const next of ['GET / HTTP/1.1\r\n', '\r\n', '\x16\x03\x01', 'PROXY TCP4 '])
      assert.deepEqual(readProxyHeader(Buffer.concat([header, Buffer.from(next, 'latin1')])), expected)
  })

const line = (text: string): Buffer => Buffer.from(text, 'latin1')

const refused: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['an HTTP request', line('GET')],
  ['a POST', line('PO')],
  ['an HTTP/2 preface', line('PRI')],
  ['TLS', hex('16')],
  ['another keyword', line('PROXZ')],
  ['lower case', line('proxy')],
  ['no space', line('PROXY\r')],
  ['two spaces', line('PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['lower-case family', line('PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['UDP4', line('PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['UNKNOWN with a suffix', line('PROXY UNKNOWNS\r\n')],
  ['nothing', line('PROXY \r\n')],
  ['missing addresses', line('PROXY TCP4\r\n')],
  ['IPv6 as TCP4', line('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['IPv4 as TCP6', line('PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['mixed families', line('PROXY TCP4 1.2.3.4 ::1 1 2\r\n')],
  ['a leading zero in an address', line('PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n')],
  ['an octet of 256', line('PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n')],
  ['three bytes', line('PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n')],
  ['a zone', line('PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n')],
  ['brackets', line('PROXY TCP6 [::1] ::1 1 2\r\n')],
  ['nine groups', line('PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n')],
  ['no port', line('PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n')],
  ['an empty port', line('PROXY TCP4 1.2.3.4 1.2.3.4  2\r\n')],
  ['port 65536', line('PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n')],
  ['a leading zero in a port', line('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n')],
  ['a sign', line('PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n')],
  ['a hexadecimal port', line('PROXY TCP4 1.2.3.4 1.2.3.4 0x1 2\r\n')],
  ['an extra word', line('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n')],
  ['a trailing space', line('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n')],
  ['a tab', line('PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n')],
  ['a bare LF', line('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n')],
  ['a bare CR', line('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rG')],
  ['CR within the line', line('PROXY UNKNOWN a\rb\r\n')],
  ['108 bytes', line(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)],
  ['107 bytes without a line ending', line(`PROXY UNKNOWN ${'x'.repeat(93)}`)],
  ['CR as the 107th', line(`PROXY UNKNOWN ${'x'.repeat(92)}\r`)],
  ['a wrong signature', hex('0d0a0d0a010d')],
  ['version 1, in binary', binary(0x11, 0x11, FROM_V4)],
  ['version 3', binary(0x31, 0x11, FROM_V4)],
  ['version 3, detected at its byte', Buffer.concat([SIGNATURE, hex('31')])],
  ['command 2', binary(0x22, 0x11, FROM_V4)],
  ['command 15', binary(0x2f, 0x11, FROM_V4)],
  ['family 4', binary(0x21, 0x41, Buffer.alloc(216))],
  ['protocol 3', binary(0x21, 0x13, FROM_V4)],
  ['too short for IPv4', binary(0x21, 0x11, FROM_V4.subarray(0, 11))],
  ['too short for IPv6', binary(0x21, 0x21, FROM_V6.subarray(0, 35))],
  ['too short for Unix', binary(0x21, 0x31, Buffer.alloc(215))],
  ['a TLV beyond the end', binary(0x21, 0x11, Buffer.concat([FROM_V4, hex('01 0003 6832')]))],
  ['a TLV without a length', binary(0x21, 0x11, Buffer.concat([FROM_V4, hex('01 00')]))],
  ['one byte over the maximum', binary(0x21, 0x11, Buffer.alloc(0), 4097)],
  ['the largest length', binary(0x20, 0x00, Buffer.alloc(0), 65_535)],
]

for (const [name, bytes] of refused)
  test(`${name} is rejected`, () => {
    assert.throws(() => readProxyHeader(bytes), MalformedProxyHeader)
    assert.throws(() => readProxyHeader(Buffer.concat([bytes, Buffer.alloc(8192)])), MalformedProxyHeader)
  })

test('whatever comes, more bytes never change what was read, nor make good what was refused', () => {
  const start = fc.constantFrom(...whole.map(([, header]) => header), SIGNATURE, line('PROXY '), line('PROXY TCP4 '))
  const tail = fc.uint8Array({ maxLength: 300 })
  const changed = fc.tuple(start, fc.nat(300), fc.nat(255)).map(([bytes, at, byte]) => {
    const copy = Buffer.from(bytes)
    if (at < copy.length) copy[at] = byte
    return copy
  })
  fc.assert(
    fc.property(fc.oneof(start, changed), tail, (beginning, more) => {
      const bytes = Buffer.concat([beginning, more])
      let earlier: unknown = null
      for (let end = 0; end <= bytes.length; end++) {
        const now = outcomeOf(bytes.subarray(0, end))
        if (earlier !== null) assert.deepEqual(now, earlier)
        earlier = now
      }
    }),
    { numRuns: 300 },
  )
})

/** What is read, or that it is refused; null while it is not whole. */
function outcomeOf(bytes: Buffer): unknown {
  try {
    const header = readProxyHeader(bytes)
    if (header !== null) assert.ok(header.length <= bytes.length)
    return header
  } catch (error) {
    assert.ok(error instanceof MalformedProxyHeader)
    return 'refused'
  }
}

test('property: addresses survive a round trip', () => {
  // With leading zeros and a part in decimal, an address may be longer than a line has room for.
  const ipV6 = fc.ipV6().filter((address) => address.length <= 39)
  fc.assert(
    fc.property(fc.ipV4(), ipV6, fc.nat(65_535), (v4, v6, port) => {
      for (const [family, address] of [
        ['TCP4', v4],
        ['TCP6', v6],
      ] as const) {
        const read = readProxyHeader(line(`PROXY ${family} ${address} ${address} ${port} ${port}\r\n`))
        assert.equal(read?.introduction.kind, 'client')
        const again = 'address' in read.introduction ? read.introduction.address : ''
        const other = again.includes(':') ? 'TCP6' : 'TCP4'
        assert.deepEqual(readProxyHeader(line(`PROXY ${other} ${again} ${again} 1 1\r\n`))?.introduction, client(again))
      }
    }),
  )
})
