import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import * as fc from 'fast-check'
import { integer, namedBits, objectIdentifier, octetString, pemOf, sequence, setOf } from './der.ts'

test('integers and lengths take the fewest bytes', () => {
  assert.equal(integer(0).toString('hex'), '020100')
  assert.equal(integer(127).toString('hex'), '02017f')
  assert.equal(integer(128).toString('hex'), '02020080')
  assert.equal(integer(256n).toString('hex'), '02020100')
  for (const [length, head] of [
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_536, '0483010000'],
  ] as const)
    assert.ok(octetString(Buffer.alloc(length)).toString('hex').startsWith(`${head}00`), head)
})

test('property: OpenSSL reads back every object identifier, integer and string', () => {
  // Below 2.999, which is for examples: OpenSSL knows no names there.
  const ids = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { maxLength: 6 }).map((arcs) => ['2.999', ...arcs].join('.'))
  const values = fc.record({ id: ids, number: fc.bigInt(0n, 2n ** 200n), bytes: fc.uint8Array({ maxLength: 600 }) })
  const sample = fc.sample(values, 60)
  const der = sequence(
    ...sample.map(({ id, number, bytes }) => sequence(objectIdentifier(id), integer(number), octetString(bytes))),
  )
  const text = execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: der, encoding: 'utf8' })
  const items = text.split('\n').filter((line) => line.includes('prim'))
  assert.equal(items.length, 3 * 60)
  for (const [i, { id, number, bytes }] of sample.entries()) {
    assert.ok(items[i * 3]?.endsWith(`OBJECT            :${id}`), items[i * 3] ?? 'nothing')
    assert.equal(BigInt(`0x${/INTEGER +:(\w*)/.exec(items[i * 3 + 1] ?? '')?.[1]}`), number)
    assert.match(items[i * 3 + 2] ?? '', new RegExp(`l= *${bytes.length} prim: OCTET STRING`))
  }
  const ends = sequence(objectIdentifier('0.39.128'), objectIdentifier('1.3.6.1.4.1.4294967295.127'))
  const known = execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: ends, encoding: 'utf8' })
  assert.match(known, /OBJECT +:0\.39\.128\n[^]*OBJECT +:1\.3\.6\.1\.4\.1\.4294967295\.127\n/)
})

test('sets are ordered by their bytes, and named bits end with the last set bit', () => {
  assert.equal(setOf(integer(2), integer(1)).toString('hex'), '3106020101020102')
  assert.equal(namedBits(0).toString('hex'), '03020780')
  assert.equal(namedBits(5, 6).toString('hex'), '03020106')
})

test('PEM lines have 64 characters', () => {
  assert.equal(
    pemOf('THING', Buffer.alloc(49)),
    `-----BEGIN THING-----\n${'A'.repeat(64)}\nAA==\n-----END THING-----\n`,
  )
})
