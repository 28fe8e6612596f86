import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { decoyOf, digestOf, digestProblem, hasDigest, parseDigest } from './password-digest.ts'

const SALT = 'sdBsDB4Pxof5OiTMEZ+5gw'
const HASH = '3WECDVW+JTZIGwS9Vzwtpf6uDgDgwSDAcP2t+pAA5x8'
const GOOD = `$scrypt$ln=14,r=8,p=1$${SALT}$${HASH}`
/** Of the command argon2 of its authors. */
const ARGON2ID = '$argon2id$v=19$m=16384,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$P/PNQRkp0AbOJe9UxLEHV4B9BvaxKNfPoWogh+CQArg'

test('a digest matches its password and no other', async () => {
  const digest = parseDigest(await digestOf('correct horse'))
  assert.ok(digest !== null)
  assert.ok(await hasDigest('correct horse', digest))
  assert.ok(!(await hasDigest('correct horse ', digest)))
})

for (const text of [ARGON2ID, GOOD])
  test(`digests of other programs work: ${text.slice(1, text.indexOf('$', 1))}`, async () => {
    const digest = parseDigest(text)
    assert.ok(digest !== null)
    assert.ok(await hasDigest('correct horse', digest))
    assert.ok(!(await hasDigest('correct hors', digest)))
  })

test('new digests are of argon2id, with a salt of their own', async () => {
  const digests = [await digestOf('correct horse'), await digestOf('correct horse')]
  for (const digest of digests) assert.match(digest, /^\$argon2id\$v=19\$m=65536,t=3,p=4\$/)
  assert.notEqual(digests[0], digests[1])
})

test('passwords are compared in normalized Unicode form', async () => {
  const digest = parseDigest(await digestOf('zo\u00eb'))
  assert.ok(digest !== null && (await hasDigest('zoe\u0308', digest)))
})

test('a decoy has the same cost and matches no known password', () => {
  const digest = parseDigest(GOOD)
  assert.ok(digest !== null)
  const { salt, hash, effort } = decoyOf(digest)
  assert.equal(effort, digest.effort)
  assert.notDeepEqual(salt, digest.salt)
  assert.notDeepEqual(hash, digest.hash)
})

test('digests with too little or too much cost, or with invalid parameters, are rejected', () => {
  for (const effort of [
    'ln=13,r=8,p=1',
    'ln=14,r=4,p=1',
    'ln=18,r=16,p=1',
    'ln=99,r=8,p=1',
    'ln=17,r=8,p=9',
    'ln=14,r=0,p=8',
    'ln=14,r=8,p=0',
    'ln=16,r=1,p=2',
  ])
    assert.equal(parseDigest(`$scrypt$${effort}$${SALT}$${HASH}`), null, effort)
  for (const effort of [
    'm=8192,t=1,p=1',
    'm=262145,t=1,p=1',
    'm=65536,t=17,p=1',
    'm=65536,t=0,p=1',
    'm=65536,t=3,p=0',
    'm=256,t=999,p=33',
    'm=65536,t=3',
  ])
    assert.equal(parseDigest(`$argon2id$v=19$${effort}$${SALT}$${HASH}`), null, effort)
  for (const text of [
    '',
    'correct horse',
    `${GOOD} `,
    GOOD.replace('scrypt', 'argon2id$v=19'),
    ARGON2ID.replace('v=19', 'v=16'),
    ARGON2ID.replace('argon2id', 'argon2i'),
    GOOD.replace(SALT, 'c2FsdA'),
  ])
    assert.equal(parseDigest(text), null, text)
})

test('a digest that is rejected for its cost is told apart from a text that is none', () => {
  assert.equal(digestProblem(GOOD), null)
  assert.match(
    digestProblem(GOOD.replace('ln=14', 'ln=13')) ?? '',
    /16 to 1024 MiB of memory in total.*256 MiB at a time/,
  )
  assert.match(digestProblem(ARGON2ID.replace('m=16384', 'm=524288')) ?? '', /16 to 1024 MiB/)
  assert.match(digestProblem('correct horse') ?? '', /^expected the digest of a password/)
})

test('property: parsing never throws, and costs are bounded', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat({ max: 99 }), fc.nat({ max: 99 }), fc.nat({ max: 99 }), (text, ln, r, p) => {
      parseDigest(text)
      for (const effort of [`scrypt$ln=${ln},r=${r},p=${p}`, `argon2id$v=19$m=${2 ** ln},t=${r},p=${p}`])
        assert.ok((parseDigest(`$${effort}$${SALT}$${HASH}`)?.effort.memory ?? 0) <= 256 * 1024 ** 2)
    }),
  )
})
