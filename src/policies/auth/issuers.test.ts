import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import { startKeyServer } from '../../../test/support/key-server.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { makeToolbox } from '../../../test/support/policy.ts'
import { encode, jwkOf, NOW, pairs, pemOf, SECRET, tokenOf } from '../../../test/support/tokens.ts'
import { Bytes } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import { CredentialError } from './credential-error.ts'
import { jwt } from './jwt.ts'

const A = 'https://a.example.com'
const B = 'https://b.example.com'
const OTHER_SECRET = 'another secret of the tests that is long enough for HS256 as well'

/** A has a secret, B an RSA key, C another secret. */
const three = {
  issuers: [
    { issuer: A, secret: SECRET },
    { issuer: B, publicKeys: pemOf(pairs.rsa.publicKey) },
    { issuer: 'c', secret: OTHER_SECRET },
  ],
}

function setUp(options: Parameters<typeof jwt.options.parse>[0]) {
  const clock = new ManualClock()
  const requests: string[] = []
  const callService = (name: string) => {
    requests.push(name)
    return Promise.resolve({ status: 200, headers: Headers.of(), body: Bytes.fromText('{"active":false}') })
  }
  const authenticator = jwt.create(jwt.options.parse(options), makeToolbox({ clock, callService }))
  const ask = (token: string) =>
    authenticator.authenticate(makeExchange({ headers: Headers.of([['Authorization', `Bearer ${token}`]]) }))
  return { clock, asked: requests, ask, consumer: async (token: string) => (await ask(token))?.consumer }
}

const ofA = (claims: object = {}) => tokenOf({ claims: { iss: A, ...claims } })
const ofB = (claims: object = {}, key = pairs.rsa.privateKey, header: object = {}) =>
  tokenOf({ algorithm: 'RS256', key, header, claims: { iss: B, ...claims } })

test('tokens are verified with the keys of their issuer', async () => {
  const { consumer, ask } = setUp(three)
  for (const token of [ofA(), ofB({ sub: 'bob' }), tokenOf({ key: OTHER_SECRET, claims: { iss: 'c' } })])
    assert.equal((await consumer(token))?.id, token === ofB({ sub: 'bob' }) ? 'bob' : 'alice')
  assert.ok(!(ask(ofA()) instanceof Promise), 'it is remembered')
})

for (const [what, token, reason] of [
  ['signed by A as B', tokenOf({ claims: { iss: B } }), 'algorithm'],
  ['signed by A as C', tokenOf({ claims: { iss: 'c' } }), 'signature'],
  ['signed by C as A', tokenOf({ key: OTHER_SECRET, claims: { iss: A } }), 'signature'],
  ['signed by B as A', ofB({ iss: A }), 'algorithm'],
  [
    'signed with the public key of B as a secret',
    tokenOf({ key: pemOf(pairs.rsa.publicKey), claims: { iss: B } }),
    'algorithm',
  ],
  [
    'with alg RS256, signed with the public key of B as a secret',
    tokenOf({ key: pemOf(pairs.rsa.publicKey), header: { alg: 'RS256' }, claims: { iss: B } }),
    'signature',
  ],
  ['that is not signed', `${encode({ alg: 'none' })}.${encode({ iss: A, sub: 'alice', exp: NOW + 60 })}.`, 'algorithm'],
  ['without iss', tokenOf(), 'issuer'],
  ['from an unknown issuer', tokenOf({ claims: { iss: `${A}/` } }), 'issuer'],
  ['with an empty iss', tokenOf({ claims: { iss: '' } }), 'issuer'],
  ['with a list of issuers', tokenOf({ claims: { iss: [A] } }), 'issuer'],
  ['with a number as iss', tokenOf({ claims: { iss: 1 } }), 'issuer'],
  ['with null as iss', tokenOf({ claims: { iss: null } }), 'issuer'],
  ['with iss only in the header', tokenOf({ header: { iss: A } }), 'issuer'],
  ['whose claims are not JSON', `${encode({ alg: 'HS256' })}.e30x.AAAA`, 'malformed'],
  ['whose claims are a list', `${encode({ alg: 'HS256' })}.${encode([A])}.AAAA`, 'malformed'],
] as const)
  test(`a token ${what} is rejected`, async () => {
    const { ask } = setUp(three)
    await assert.rejects(async () => ask(token), { name: 'CredentialError', reason })
  })

test('with a duplicate iss in a token, the parsed one decides', async () => {
  const { ask } = setUp(three)
  const head = encode({ alg: 'HS256' })
  const claims = Buffer.from(`{"iss":"${B}","iss":"${A}","sub":"alice","exp":${NOW + 60}}`).toString('base64url')
  // Signed by nobody: the last one chooses A, whose secret did not sign it.
  await assert.rejects(async () => ask(`${head}.${claims}.AAAA`), { reason: 'signature' })
})

test('property: no token is accepted with a key of another issuer', async () => {
  const { consumer } = setUp(three)
  const keys = [
    { iss: A, algorithm: 'HS256', key: SECRET },
    { iss: B, algorithm: 'RS256', key: pairs.rsa.privateKey },
    { iss: 'c', algorithm: 'HS256', key: OTHER_SECRET },
  ]
  const parts = fc.record({
    signer: fc.constantFrom(...keys),
    iss: fc.option(fc.constantFrom(A, B, 'c', '', `${A}/`, 'A'), { nil: undefined }),
    alg: fc.constantFrom('HS256', 'RS256', 'none', undefined),
  })
  await fc.assert(
    fc.asyncProperty(parts, async ({ signer, iss, alg }) => {
      const header = alg === undefined ? {} : { alg }
      const token = tokenOf({ algorithm: signer.algorithm, key: signer.key, header, claims: { iss } })
      const passes = await consumer(token).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof CredentialError, String(error))
          return false
        },
      )
      assert.equal(passes, iss === signer.iss && (alg === undefined || alg === signer.algorithm))
    }),
    { numRuns: 60 },
  )
})

test('each issuer can override the common options', async () => {
  const { consumer } = setUp({
    audience: 'shop',
    claims: { roles: 'groups' },
    issuers: [
      { issuer: A, secret: SECRET },
      { issuer: 'c', secret: OTHER_SECRET, audience: 'partner', type: 'at+jwt', claims: { id: 'email' } },
    ],
  })
  const ofC = (claims: object, typ: string) =>
    tokenOf({ key: OTHER_SECRET, header: { typ }, claims: { iss: 'c', email: 'c@example.com', ...claims } })
  assert.deepEqual((await consumer(ofA({ aud: 'shop', groups: ['g'] })))?.roles, ['g'])
  await assert.rejects(consumer(ofA({ aud: 'partner' })), { reason: 'audience' })
  const known = await consumer(ofC({ aud: 'partner', groups: ['g'] }, 'at+jwt'))
  assert.deepEqual([known?.id, known?.roles], ['c@example.com', ['user']])
  await assert.rejects(consumer(ofC({ aud: 'shop' }, 'at+jwt')), { reason: 'audience' })
  await assert.rejects(consumer(ofC({ aud: 'partner' }, 'JWT')), { reason: 'type' })
})

test('introspection of one issuer only applies to its tokens', async () => {
  const introspection = { service: 'users', path: '/introspect' }
  const { consumer, asked } = setUp({
    issuers: [
      { issuer: A, secret: SECRET },
      { issuer: 'c', secret: OTHER_SECRET, introspection },
    ],
  })
  assert.equal((await consumer(ofA()))?.id, 'alice')
  const ofC = tokenOf({ key: OTHER_SECRET, claims: { iss: 'c' } })
  for (let i = 0; i < 2; i++) await assert.rejects(consumer(ofC), { reason: 'inactive' })
  assert.deepEqual(asked, ['users'])
})

test('key ids are separate for each issuer, and so are their caches', async (t) => {
  const setOfA = await startKeyServer(t, [jwkOf(pairs.otherRsa.publicKey, { kid: 'a1' })])
  const setOfB = await startKeyServer(t, [jwkOf(pairs.rsa.publicKey, { kid: 'b1' })])
  const { ask, consumer, clock } = setUp({
    issuers: [
      { issuer: A, jwks: `${setOfA.url}/keys` },
      { issuer: B, jwks: `${setOfB.url}/keys` },
    ],
  })
  const tokenOfA = ofB({ iss: A }, pairs.otherRsa.privateKey, { kid: 'a1' })
  const tokenOfB = ofB({}, pairs.rsa.privateKey, { kid: 'b1' })
  await Promise.all([consumer(tokenOfA), consumer(tokenOfB)])
  await assert.rejects(consumer(ofB({ iss: A }, pairs.rsa.privateKey, { kid: 'b1' })), { reason: 'unknown-key' })
  await assert.rejects(consumer(ofB({ iss: A }, pairs.rsa.privateKey, { kid: 'a1' })), { reason: 'signature' })
  setOfA.keys = [jwkOf(pairs.otherRsa.publicKey, { kid: 'a2' })]
  clock.advance(10_000)
  await consumer(ofB({ iss: A }, pairs.otherRsa.privateKey, { kid: 'a2' }))
  assert.ok(!(ask(tokenOfB) instanceof Promise), 'the tokens of B are still known')
  await assert.rejects(consumer(tokenOfA), { reason: 'unknown-key' })
})

test('tokens of one issuer do not evict those of another', async () => {
  const { ask, consumer } = setUp({ ...three, cacheSize: 12 })
  await consumer(ofB())
  for (let i = 0; i < 100; i++) await consumer(ofA({ jti: i }))
  assert.ok(!(ask(ofB()) instanceof Promise))
})
