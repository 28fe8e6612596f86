import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { decoyOf, digestOf, hasDigest, parseDigest } from './password-digest.ts'

const SALT = 'sdBsDB4Pxof5OiTMEZ+5gw'
const HASH = '3WECDVW+JTZIGwS9Vzwtpf6uDgDgwSDAcP2t+pAA5x8'
const GOOD = `$scrypt$ln=14,r=8,p=1$${SALT}$${HASH}`

test('a digest matches its password and no other', async () => {
  const digest = parseDigest(await digestOf('correct horse'))
  assert.ok(digest !== null)
  assert.ok(await hasDigest('correct horse', digest))
  assert.ok(!(await hasDigest('correct horse ', digest)))
})

test('digests of other programs work', async () => {
  const digest = parseDigest(GOOD)
  assert.ok(digest !== null)
  assert.ok(await hasDigest('correct horse', digest))
})

test('passwords are compared in normalized Unicode form', async () => {
  const digest = parseDigest(await digestOf('zo\u00eb'))
  assert.ok(digest !== null && (await hasDigest('zoe\u0308', digest)))
})

test('a decoy has the same cost and matches no known password', () => {
  const digest = parseDigest(GOOD)
  assert.ok(digest !== null)
  const { salt, hash, ...effort } = decoyOf(digest)
  assert.partialDeepStrictEqual(digest, effort)
  assert.notDeepEqual(salt, digest.salt)
  assert.notDeepEqual(hash, digest.hash)
})

test('digests with too little or too much cost are rejected', () => {
  for (const effort of [
    'ln=13,r=8,p=1',
    'ln=14,r=4,p=1',
    'ln=18,r=16,p=1',
    'ln=99,r=8,p=1',
    'ln=17,r=8,p=9',
    'ln=14,r=0,p=8',
    'ln=14,r=8,p=0',
  ])
    assert.equal(parseDigest(`$scrypt$${effort}$${SALT}$${HASH}`), null, effort)
  for (const text of [
    '',
    'correct horse',
    `${GOOD} `,
    GOOD.replace('scrypt', 'argon2id'),
    GOOD.replace(SALT, 'c2FsdA'),
  ])
    assert.equal(parseDigest(text), null, text)
})

test('property: parsing never throws, and costs are bounded', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat({ max: 99 }), fc.nat({ max: 99 }), fc.nat({ max: 99 }), (text, ln, r, p) => {
      parseDigest(text)
      const digest = parseDigest(`$scrypt$ln=${ln},r=${r},p=${p}$${SALT}$${HASH}`)
      if (digest !== null) assert.ok(128 * digest.cost * digest.blockSize <= 256 * 1024 ** 2)
    }),
  )
})
