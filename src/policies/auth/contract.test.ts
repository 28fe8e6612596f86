import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { makeToolbox } from '../../../test/support/policy.ts'
import { signedFields } from '../../../test/support/sign-request.ts'
import { NOW, SECRET, tokenOf } from '../../../test/support/tokens.ts'
import { Bytes } from '../../http/body.ts'
import type { PolicyToolbox } from '../policy.ts'
import type { ClientCertificate } from '../../http/client-certificate.ts'
import { Headers } from '../../http/headers.ts'
import { CredentialError } from './credential-error.ts'
import { apiKey } from './api-key/api-key.ts'
import { methods } from './index.ts'
import { basic } from './basic.ts'
import { introspection } from './introspection.ts'
import { jwt } from './jwt.ts'
import { mtls } from './mtls.ts'
import { oidc } from './oidc/oidc.ts'
import { Sessions } from './oidc/session.ts'
import { signature } from './signature/signature.ts'
import type { Authenticator } from './method.ts'

/** A method at work, with a request of alice's and one of nobody's. */
interface Fixture {
  readonly authenticator: Authenticator
  readonly good: Credential
  readonly bad: Credential
}

type Field = readonly [name: string, value: string]

/** Fields, or the certificate of the connection. */
type Credential = readonly Field[] | ClientCertificate

/** A certificate with that common name. */
function certificateOf(commonName: string): ClientCertificate {
  return {
    listener: '0.0.0.0:8443',
    subject: `CN=${commonName}`,
    commonName,
    names: { dns: [], uri: [], email: [] },
    issuer: 'CN=Clients',
    serial: '1',
    fingerprint: hash('sha256', commonName),
    thumbprint: hash('sha256', commonName, 'base64url'),
    notAfter: Number.POSITIVE_INFINITY,
    der: '',
    chain: [],
  }
}

const certificates = { alice: certificateOf('alice'), mallory: certificateOf('mallory') }

/** Knows the token "opaque-alice". */
const callService: PolicyToolbox['callService'] = (_service, { body }) => {
  const active = new URLSearchParams(body?.toText()).get('token') === 'opaque-alice'
  return Promise.resolve({
    status: 200,
    headers: Headers.of(),
    body: Bytes.fromText(JSON.stringify({ active, ...(active && { sub: 'alice' }) })),
  })
}

const toolbox = makeToolbox({ callService })

/** Of "correct horse". */
const DIGEST = '$scrypt$ln=14,r=8,p=1$sdBsDB4Pxof5OiTMEZ+5gw$3WECDVW+JTZIGwS9Vzwtpf6uDgDgwSDAcP2t+pAA5x8'

const basicOf = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

const oidcOptions = oidc.options.parse({ issuer: 'https://id.example.com', clientId: 'shop', secret: SECRET })

/** The session cookie of a user. */
function sessionOf(sub: string, options = oidcOptions): string {
  const sessions = new Sessions(options)
  const grant = { claims: { sub }, refreshToken: null, expiresIn: null }
  return `sallyport=${sessions.write(sessions.begin(grant, toolbox.clock.wall()))}`
}

/** The fields of a signature of the request that is made below. */
function signedWith(key: string): readonly Field[] {
  const authority = 'api.example.com'
  const path = '/api/v1/users/7?page=2'
  return Object.entries(signedFields({ authority, path, key, parameters: { created: NOW, keyid: 'partner' } }))
}

const fixtures: Readonly<Record<Exclude<(typeof methods)[number]['name'], 'forward'>, () => Fixture>> = {
  jwt: () => ({
    authenticator: jwt.create(jwt.options.parse({ secret: SECRET }), toolbox),
    good: [['Authorization', `Bearer ${tokenOf()}`]],
    bad: [['Authorization', `Bearer ${tokenOf({ key: 'another secret that is long enough' })}`]],
  }),
  introspection: () => ({
    authenticator: introspection.create(
      introspection.options.parse({ service: 'users', path: '/introspect' }),
      toolbox,
    ),
    good: [['Authorization', 'Bearer opaque-alice']],
    bad: [['Authorization', 'Bearer opaque-mallory']],
  }),
  'api-key': () => ({
    authenticator: apiKey.create(
      apiKey.options.parse({ keys: [{ id: 'ci', sha256: hash('sha256', 'the-key'), owner: 'alice' }] }),
      toolbox,
    ),
    good: [['X-API-Key', 'the-key']],
    bad: [['X-API-Key', 'another-key']],
  }),
  basic: () => ({
    authenticator: basic.create(basic.options.parse({ users: [{ name: 'alice', password: DIGEST }] }), toolbox),
    good: [['Authorization', basicOf('alice', 'correct horse')]],
    bad: [['Authorization', basicOf('alice', 'battery staple')]],
  }),
  mtls: () => ({
    authenticator: mtls.create(mtls.options.parse({ rules: [{ match: { commonName: 'alice' } }] }), toolbox),
    good: certificates.alice,
    bad: certificates.mallory,
  }),
  signature: () => ({
    authenticator: signature.create(
      signature.options.parse({
        keys: [{ id: 'partner', algorithm: 'hmac-sha256', secret: SECRET, owner: 'alice' }],
        replay: 'accept',
      }),
      toolbox,
    ),
    good: signedWith(SECRET),
    bad: signedWith('another secret that is long enough'),
  }),
  oidc: () => ({
    authenticator: oidc.create(oidcOptions, toolbox),
    good: [['Cookie', sessionOf('alice')]],
    bad: [
      ['Cookie', sessionOf('mallory', { ...oidcOptions, secret: ['another secret of the tests that is long enough'] })],
    ],
  }),
}

const other: [string, string] = ['X-Other', 'kept']

const isFields = (credential: Credential): credential is readonly Field[] => Array.isArray(credential)

function requestWith(...credentials: Credential[]) {
  const { client } = makeExchange()
  const [certificate = null] = credentials.flatMap((each) => (isFields(each) ? [] : [each]))
  const headers = Headers.of([...credentials.filter(isFields).flat(), other])
  return makeExchange({ headers, client: { ...client, certificate } })
}

/** As a promise, whether it is thrown or rejected. */
async function outcomeOf(authenticator: Authenticator, ...credentials: Credential[]) {
  return authenticator.authenticate(requestWith(...credentials))
}

for (const { name, summary, kind } of methods) {
  test(`${name} has a one-sentence summary`, () => {
    assert.match(name, /^[a-z]+(?:-[a-z]+)*$/)
    assert.match(summary, /^[A-Z][^\n]+\.$/)
    assert.ok(['token', 'key', 'password', 'signature', 'session', 'certificate', 'verdict'].includes(kind))
  })

  // It knows no credentials of its own.
  if (name === 'forward') continue
  const fixture = fixtures[name]

  test(`${name} accepts good credentials`, async () => {
    const { authenticator, good } = fixture()
    const identity = await outcomeOf(authenticator, good)
    assert.equal(identity?.consumer?.id, 'alice')
    assert.equal(identity.consumer?.tier, kind === 'key' ? 'api_key' : 'authenticated')
    assert.equal(identity.consumer?.key === null, kind !== 'key')
    assert.match(identity.lines, /^X-User-ID: alice\r\n/)
  })

  test(`${name} accepts known credentials again without a promise`, async () => {
    const { authenticator, good } = fixture()
    const first = await outcomeOf(authenticator, good)
    assert.equal(authenticator.authenticate(requestWith(good)), first)
  })

  test(`${name} ignores requests without its credentials`, async () => {
    const { authenticator } = fixture()
    assert.equal(authenticator.authenticate(requestWith()), null)
    const scheme = kind === 'password' ? 'Digest a=b' : 'Basic YTpi'
    assert.equal(authenticator.authenticate(requestWith([['Authorization', scheme]])), null)
    assert.equal(authenticator.authenticate(requestWith([['Authorization', 'Bearer']], [['X-API-Key', '']])), null)
  })

  test(`${name} rejects bad credentials without repeating them`, async () => {
    const { authenticator, bad } = fixture()
    // A session that cannot be read is none: keys are exchanged, and a browser is to log in again.
    if (kind === 'session') return assert.equal(await outcomeOf(authenticator, bad), null)
    for (let round = 0; round < 2; round++)
      await assert.rejects(outcomeOf(authenticator, bad), (error: unknown) => {
        assert.ok(error instanceof CredentialError)
        assert.notEqual(error.reason, 'repeated')
        for (const [, value] of isFields(bad) ? bad : [])
          assert.ok(!error.message.includes(value.replace(/^(?:Bearer|Basic) /, '')))
        return true
      })
  })

  test(`${name} leaves the request unchanged until conceal, which removes only its credentials`, async () => {
    const { authenticator, good } = fixture()
    const exchange = requestWith(good)
    await authenticator.authenticate(exchange)
    assert.deepEqual([...exchange.headers], [...(isFields(good) ? good : []), other])
    assert.equal(exchange.consumer, null)
    authenticator.conceal(exchange)
    assert.deepEqual([...exchange.headers], [other])
    assert.equal(exchange.query, '?page=2')
    authenticator.conceal(exchange)
    assert.deepEqual([...exchange.headers], [other])
  })

  // A connection has one certificate, and a request any number of signatures.
  if (kind === 'certificate' || kind === 'signature') continue

  test(`${name} rejects repeated credentials`, async () => {
    const { authenticator, good, bad } = fixture()
    await assert.rejects(outcomeOf(authenticator, good, bad), { reason: 'repeated' })
    await assert.rejects(outcomeOf(authenticator, good, good), { reason: 'repeated' })
  })
}
