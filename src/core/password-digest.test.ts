import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { decoyOf, digestOf, hasDigest, parseDigest } from './password-digest.ts'

const SALT = 'sdBsDB4Pxof5OiTMEZ+5gw'
const HASH = '3WECDVW+JTZIGwS9Vzwtpf6uDgDgwSDAcP2t+pAA5x8'
const GOOD = `$scrypt$ln=14,r=8,p=1$${SALT}$${HASH}`

test('a digest that was made is that of its password, and of no other', async () => {
  const digest = parseDigest(await digestOf('correct horse'))
  assert.ok(digest !== null)
  assert.ok(await hasDigest('correct horse', digest))
  assert.ok(!(await hasDigest('correct horse ', digest)))
})

test('a digest of another program counts', async () => {
  const digest = parseDigest(GOOD)
  assert.ok(digest !== null)
  assert.ok(await hasDigest('correct horse', digest))
})

test('a password is the same however its letters are put together', async () => {
  const digest = parseDigest(await digestOf('zo\u00eb'))
  assert.ok(digest !== null && (await hasDigest('zoe\u0308', digest)))
})

test('a decoy takes the same effort, and is the digest of nothing that is known', () => {
  const digest = parseDigest(GOOD)
  assert.ok(digest !== null)
  const { salt, hash, ...effort } = decoyOf(digest)
  assert.partialDeepStrictEqual(digest, effort)
  assert.notDeepEqual(salt, digest.salt)
  assert.notDeepEqual(hash, digest.hash)
})

test('what takes too little effort, or too much, is no digest', () => {
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

test('no text makes reading it fail', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat({ max: 99 }), fc.nat({ max: 99 }), fc.nat({ max: 99 }), (text, ln, r, p) => {
      parseDigest(text)
      const digest = parseDigest(`$scrypt$ln=${ln},r=${r},p=${p}$${SALT}$${HASH}`)
      if (digest !== null) assert.ok(128 * digest.cost * digest.blockSize <= 256 * 1024 ** 2)
    }),
  )
})
