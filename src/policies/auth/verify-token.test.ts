import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject } from 'node:crypto'
import test from 'node:test'
import { encode, jwkOf, NOW, pairs, pemOf, SECRET, signatureOf, tokenOf } from '../../../test/support/tokens.ts'
import { CredentialError, type CredentialReason } from './credential-error.ts'
import { configuredKeys, type KeySource, keyOfJwk, publicAlgorithms } from './keys.ts'
import { type TokenRules, verifyToken } from './verify-token.ts'

const everyAlgorithm = ['HS256', 'HS384', 'HS512', ...publicAlgorithms]

const open: TokenRules = {
  algorithms: everyAlgorithm,
  issuer: undefined,
  audience: undefined,
  type: undefined,
  tolerance: 5000,
}

const secretKeys = configuredKeys([SECRET], [])
const rsaKeys = configuredKeys([], [pemOf(pairs.rsa.publicKey)])

interface Attempt {
  readonly keys?: KeySource
  readonly rules?: Partial<TokenRules>
}

function verify(token: string, { keys = secretKeys, rules = {} }: Attempt = {}) {
  return verifyToken(token, keys, { ...open, ...rules }, NOW * 1000)
}

function reasonOf(token: string, attempt?: Attempt): Promise<CredentialReason | 'accepted'> {
  return verify(token, attempt).then(
    () => 'accepted' as const,
    (error: unknown) => {
      assert.ok(error instanceof CredentialError, String(error))
      return error.reason
    },
  )
}

const signers: Readonly<Record<string, { privateKey: KeyObject | string; publicKey: KeyObject | null }>> = {
  HS: { privateKey: SECRET, publicKey: null },
  RS: pairs.rsa,
  PS: pairs.rsa,
  ES256: pairs.p256,
  ES384: pairs.p384,
  ES512: pairs.p521,
  Ed: pairs.ed25519,
}

function signerOf(algorithm: string) {
  return signers[algorithm] ?? signers[algorithm.slice(0, 2)]!
}

for (const algorithm of everyAlgorithm)
  test(`a token signed with ${algorithm} is accepted, with a key as PEM or JWK`, async () => {
    const { privateKey, publicKey } = signerOf(algorithm)
    const token = tokenOf({ algorithm, key: privateKey })
    const pem = publicKey === null ? secretKeys : configuredKeys([], [pemOf(publicKey)])
    assert.equal((await verify(token, { keys: pem, rules: { algorithms: [algorithm] } }))['sub'], 'alice')
    const jwk = publicKey === null ? null : keyOfJwk(jwkOf(publicKey, { alg: algorithm, use: 'sig' }))
    if (jwk !== null) assert.equal((await verify(token, { keys: { find: () => [jwk] } }))['sub'], 'alice')
  })

for (const [i, algorithm] of everyAlgorithm.entries())
  test(`a token signed with ${algorithm} is rejected if it is not configured`, async () => {
    const { privateKey, publicKey } = signerOf(algorithm)
    const keys = publicKey === null ? secretKeys : configuredKeys([], [pemOf(publicKey)])
    const algorithms = everyAlgorithm.toSpliced(i, 1)
    assert.equal(await reasonOf(tokenOf({ algorithm, key: privateKey }), { keys, rules: { algorithms } }), 'algorithm')
  })

for (const algorithm of ['none', 'None', 'NONE', 'nOnE', '', 'hs256', 'HS256 ', 'ES256K', 'RSA-OAEP'])
  test(`the algorithm ${JSON.stringify(algorithm)} is rejected, with or without a signature`, async () => {
    const [head = '', claims = ''] = tokenOf({ header: { alg: algorithm } }).split('.')
    assert.equal(await reasonOf(`${head}.${claims}.`), 'algorithm')
    assert.equal(await reasonOf(tokenOf({ header: { alg: algorithm } })), 'algorithm')
  })

for (const alg of [undefined, null, 1, ['HS256'], {}])
  test(`an algorithm that is ${JSON.stringify(alg) ?? 'missing'} is rejected`, async () => {
    assert.equal(await reasonOf(tokenOf({ header: { alg } })), 'algorithm')
  })

test('an RSA public key is never used as a secret: not as PEM, DER or modulus', async () => {
  const pem = pemOf(pairs.rsa.publicKey)
  const der = pairs.rsa.publicKey.export({ type: 'spki', format: 'der' })
  const { n = '' } = pairs.rsa.publicKey.export({ format: 'jwk' })
  const input = tokenOf().split('.').slice(0, 2).join('.')
  for (const secret of [pem, pem.trim(), der.toString('latin1'), n, Buffer.from(n, 'base64url').toString('latin1')]) {
    const forged = `${input}.${signatureOf(input, secret, 'HS256').toString('base64url')}`
    assert.equal(await reasonOf(forged, { keys: rsaKeys }), 'unknown-key')
  }
})

test('a secret is not used for a public-key algorithm', async () => {
  const token = tokenOf({ algorithm: 'RS256', key: pairs.rsa.privateKey })
  assert.equal(await reasonOf(token, { keys: secretKeys }), 'unknown-key')
})

test('keys of another type, curve or size are not tried', async () => {
  const rs256 = tokenOf({ algorithm: 'RS256', key: pairs.rsa.privateKey })
  const es256 = tokenOf({ algorithm: 'ES256', key: pairs.p256.privateKey })
  const p384 = configuredKeys([], [pemOf(pairs.p384.publicKey)])
  assert.equal(await reasonOf(rs256, { keys: p384 }), 'unknown-key')
  assert.equal(await reasonOf(es256, { keys: p384 }), 'unknown-key')
  assert.equal(await reasonOf(es256, { keys: rsaKeys }), 'unknown-key')
  const short = configuredKeys(['x'.repeat(47)], [])
  assert.equal(await reasonOf(tokenOf({ key: 'x'.repeat(47), algorithm: 'HS256' }), { keys: short }), 'accepted')
  assert.equal(await reasonOf(tokenOf({ key: 'x'.repeat(47), algorithm: 'HS384' }), { keys: short }), 'unknown-key')
})

test('keys in or referenced by the token header are ignored', async () => {
  const { publicKey, privateKey } = pairs.otherRsa
  for (const header of [
    { jwk: jwkOf(publicKey) },
    { jku: 'http://127.0.0.1:1/keys' },
    { x5u: 'http://127.0.0.1:1/chain' },
    { x5c: [publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
  ])
    assert.equal(
      await reasonOf(tokenOf({ algorithm: 'RS256', key: privateKey, header }), { keys: rsaKeys }),
      'signature',
    )
})

for (const kid of [
  '../../../../dev/null',
  '/dev/null',
  "' OR '1'='1",
  '__proto__',
  'http://127.0.0.1/',
  '',
  '\0',
  'x'.repeat(4000),
])
  test(`the key id ${JSON.stringify(kid.slice(0, 24))} is only compared by name`, async () => {
    const jwk = keyOfJwk(jwkOf(pairs.rsa.publicKey, { kid: 'the-key' }))!
    const named: KeySource = { find: (_, id) => [jwk].filter((key) => key.id === id) }
    const token = tokenOf({ algorithm: 'RS256', key: pairs.rsa.privateKey, header: { kid } })
    assert.equal(await reasonOf(token, { keys: named }), 'unknown-key')
    assert.equal(await reasonOf(tokenOf({ key: '', header: { kid } })), 'signature')
  })

for (const kid of [null, 1, true, {}, ['the-key']])
  test(`a key id that is ${JSON.stringify(kid)} is malformed`, async () => {
    assert.equal(await reasonOf(tokenOf({ header: { kid } })), 'malformed')
  })

for (const crit of [['exp'], ['b64'], ['x-unknown'], [], null, 'exp'])
  test(`crit ${JSON.stringify(crit)} is rejected`, async () => {
    assert.equal(await reasonOf(tokenOf({ header: { crit, b64: true, exp: 1 } })), 'critical')
  })

test('an unencoded payload is rejected', async () => {
  assert.notEqual(await reasonOf(tokenOf({ header: { b64: false } })), 'accepted')
})

test('during a rotation both secrets are tried', async () => {
  const both = configuredKeys(['another secret that is long enough.', SECRET], [])
  assert.equal(await reasonOf(tokenOf(), { keys: both }), 'accepted')
  assert.equal(await reasonOf(tokenOf({ key: 'a third secret that is long enough..' }), { keys: both }), 'signature')
})

test('a token with any character changed, removed or doubled is rejected', async () => {
  for (const token of [tokenOf(), tokenOf({ algorithm: 'ES256', key: pairs.p256.privateKey })]) {
    const keys = configuredKeys([SECRET], [pemOf(pairs.p256.publicKey)])
    assert.equal(await reasonOf(token, { keys }), 'accepted')
    for (const [i, character] of token.split('').entries()) {
      const others = [character === 'A' ? 'B' : 'A', next(character), '.', '=', ''].filter(
        (other) => other !== character,
      )
      for (const other of [...others, character + character]) {
        const changed = token.slice(0, i) + other + token.slice(i + 1)
        assert.notEqual(await reasonOf(changed, { keys }), 'accepted', `${JSON.stringify(other)} at ${i}`)
      }
    }
  }
})

/** The character whose bits differ in the lowest one only: bits that are not used at the end of a part must be zero. */
function next(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) ^ 1] ?? ''
}

test('every bit of the signature is significant', async () => {
  const [head = '', claims = '', signature = ''] = tokenOf().split('.')
  const bytes = Buffer.from(signature, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(await reasonOf(`${head}.${claims}.${changed.toString('base64url')}`), 'signature')
  }
})

test('an ECDSA signature in DER, or all zeros, is rejected', async () => {
  const token = tokenOf({ algorithm: 'ES256', key: pairs.p256.privateKey })
  const keys = configuredKeys([], [pemOf(pairs.p256.publicKey)])
  const input = token.slice(0, token.lastIndexOf('.'))
  assert.equal(await reasonOf(`${input}.${Buffer.alloc(64).toString('base64url')}`, { keys }), 'signature')
  assert.equal(await reasonOf(`${input}.`, { keys }), 'signature')
})

const times: readonly [what: string, claims: object, reason: CredentialReason | 'accepted'][] = [
  ['expired just now, within the tolerance', { exp: NOW - 4 }, 'accepted'],
  ['expired just beyond the tolerance', { exp: NOW - 5 }, 'expired'],
  ['expired long ago', { exp: 1 }, 'expired'],
  ['without an expiry', { exp: undefined }, 'claims'],
  ['with an expiry that is not a number', { exp: String(NOW + 3600) }, 'claims'],
  ['with an expiry of null', { exp: null }, 'claims'],
  ['valid from now', { nbf: NOW }, 'accepted'],
  ['valid soon, within the tolerance', { nbf: NOW + 5 }, 'accepted'],
  ['valid later', { nbf: NOW + 6 }, 'early'],
  ['with a not-before that is not a number', { nbf: '0' }, 'claims'],
  ['issued just now, within the tolerance', { iat: NOW + 5 }, 'accepted'],
  ['issued in the future', { iat: NOW + 6 }, 'early'],
  ['with an issue time that is not a number', { iat: 'now' }, 'claims'],
  ['issued long ago', { iat: 1 }, 'accepted'],
]
for (const [what, claims, reason] of times)
  test(`a token ${what} is ${reason}`, async () => {
    assert.equal(await reasonOf(tokenOf({ claims })), reason)
  })

for (const claims of ['"exp":1e999', `"exp":${NOW + 3600},"nbf":-1e999`, `"exp":${NOW + 3600},"iat":-1e999`])
  test(`a time beyond the range of numbers is malformed: ${claims}`, async () => {
    const payload = Buffer.from(`{"sub":"alice",${claims}}`).toString('base64url')
    const input = `${encode({ alg: 'HS256' })}.${payload}`
    const token = `${input}.${signatureOf(input, SECRET, 'HS256').toString('base64url')}`
    assert.equal(await reasonOf(token), 'claims')
  })

test('the issuer has to be the configured one', async () => {
  const rules = { issuer: 'user-service' }
  assert.equal(await reasonOf(tokenOf({ claims: { iss: 'user-service' } }), { rules }), 'accepted')
  for (const iss of ['User-Service', 'user-service/', '', undefined, ['user-service'], null])
    assert.equal(await reasonOf(tokenOf({ claims: { iss } }), { rules }), 'issuer', JSON.stringify(iss))
})

test('one of the audiences has to be configured', async () => {
  const rules = { audience: ['gateway', 'platform'] }
  for (const aud of ['gateway', 'platform', ['other', 'platform']])
    assert.equal(await reasonOf(tokenOf({ claims: { aud } }), { rules }), 'accepted')
  for (const aud of ['other', [], '', 'gateway platform', undefined, null, { gateway: true }, [['gateway']]])
    assert.equal(await reasonOf(tokenOf({ claims: { aud } }), { rules }), 'audience', JSON.stringify(aud))
})

test('a token with an audience is rejected if none is configured', async () => {
  for (const aud of ['other', [], null]) assert.equal(await reasonOf(tokenOf({ claims: { aud } })), 'audience')
})

test('the type has to be the configured one', async () => {
  const rules = { type: 'at+jwt' }
  for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT'])
    assert.equal(await reasonOf(tokenOf({ header: { typ } }), { rules }), 'accepted')
  for (const typ of ['JWT', '', undefined, null, ['at+jwt']])
    assert.equal(await reasonOf(tokenOf({ header: { typ } }), { rules }), 'type', JSON.stringify(typ))
})

test('anything that is not a JWT is malformed', async () => {
  const [head = '', claims = '', signature = ''] = tokenOf().split('.')
  for (const text of [
    '..',
    'a.b.c',
    `.${claims}.${signature}`,
    `${encode('text')}.${claims}.${signature}`,
    `${encode([])}.${claims}.${signature}`,
    `${head}=.${claims}.${signature}`,
    `${head}.${claims}.${signature}.`,
    `${head}.${claims}`,
  ])
    assert.equal(await reasonOf(text), 'malformed', text)
})

for (const claims of ['null', '[]', '1', '"text"', '{', '', '\xff'])
  test(`claims that are ${JSON.stringify(claims)} are malformed`, async () => {
    const input = `${encode({ alg: 'HS256' })}.${Buffer.from(claims, 'latin1').toString('base64url')}`
    const token = `${input}.${signatureOf(input, SECRET, 'HS256').toString('base64url')}`
    assert.equal(await reasonOf(token), 'claims')
  })

for (const [what, jwk] of [
  ['a secret', { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') }],
  ['for encryption', jwkOf(pairs.rsa.publicKey, { use: 'enc' })],
  ['for other operations', jwkOf(pairs.rsa.publicKey, { key_ops: ['encrypt'] })],
  ['broken', { kty: 'RSA', n: 'x' }],
  ['of an unknown type', { kty: 'AKP' }],
  ['not a map', 'text'],
  ['nothing', null],
] as const)
  test(`a JSON Web Key that is ${what} is rejected`, () => {
    assert.equal(keyOfJwk(jwk), null)
  })

test('a JSON Web Key with alg is used for that algorithm only', () => {
  assert.deepEqual(keyOfJwk(jwkOf(pairs.rsa.publicKey, { alg: 'RS256' }))?.algorithms, ['RS256'])
  assert.deepEqual(keyOfJwk(jwkOf(pairs.rsa.publicKey, { alg: 'HS256' }))?.algorithms, [])
})

test('a private JSON Web Key is reduced to the public key', () => {
  const key = keyOfJwk({ ...pairs.p256.privateKey.export({ format: 'jwk' }) })
  assert.equal(key?.key.type, 'public')
  assert.ok(key.key.equals(createPublicKey(pairs.p256.privateKey)))
})
