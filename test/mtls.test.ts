import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { Authority, type Leaf } from './support/certificates.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'
import { authority as ofServers, connectSecurely, writeLeaf } from './support/tls.ts'
import { SECRET, tokenOf } from './support/tokens.ts'

const ofClients = new Authority({ subject: { commonName: 'Clients' } })
const ofPartners = new Authority({ subject: { commonName: 'Partners' } })
const orders = ofClients.issueClient({
  subject: { organization: 'Example', commonName: 'orders' },
  names: ['spiffe://example.org/ns/shop/orders', 'Orders.Internal', 'orders@example.org'],
})
const billing = ofClients.issueClient({ subject: { commonName: 'billing' } })
const partner = ofPartners.issueClient({ subject: { commonName: 'orders' } })

type Auth = NonNullable<NonNullable<GatewayInput['policies']>['auth']>

interface Setup {
  readonly methods: Exclude<Auth, false>['methods']
  readonly config?: GatewayInput
  readonly mode?: 'required' | 'wanted'
  readonly forward?: ('client-cert' | 'x-ssl-client' | 'x-forwarded-client-cert')[]
}

/** A gateway with three listeners for the same routes: for clients, for partners, and for plain HTTP. */
async function start(t: TestContext, { methods, config = {}, mode = 'wanted', forward = [] }: Setup) {
  const service = await startService(t)
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-mtls-'))
  cleanUp(t, () => rmSync(folder, { recursive: true }))
  const certificates = [writeLeaf(t, ofServers.issue())]
  const listeners = [ofClients, ofPartners].map((authority, i) => {
    const ca = join(folder, `ca-${i}.pem`)
    writeFileSync(ca, authority.cert)
    return { address: `127.0.0.1:0`, tls: { certificates, clientCertificates: { mode, ca, forward } } }
  })
  const plain = { address: '127.0.0.1:0' }
  const { gateway, log } = await startGateway(
    t,
    proxyTo(service.url, { listeners: [...listeners, plain], policies: { auth: { methods } }, ...config }),
  )
  const [clients, partners, open] = gateway.addresses.map(({ port }) => port)
  return { service, log, clients: clients!, partners: partners!, open: open! }
}

/** The replies to requests over one connection with that certificate. */
async function ask(t: TestContext, port: number, leaf: Leaf | null, fields: readonly string[] = [], times = 1) {
  const { peer } = await connectSecurely(t, port, leaf ?? {})
  const statuses: number[] = []
  let challenge: string | undefined
  for (let i = 0; i < times; i++) {
    peer.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`)
    const reply = await peer.reply()
    statuses.push(Number(reply.start.split(' ')[1]))
    challenge = reply.fields.get('WWW-Authenticate')
  }
  return { status: statuses[0]!, statuses, challenge }
}

test('without rules, the common name of a certificate is the consumer', async (t) => {
  const { clients, open, service } = await start(t, { methods: { mtls: {} } })
  assert.deepEqual((await ask(t, clients, orders, [], 2)).statuses, [200, 200])
  const { headers } = service.received[1]!
  assert.deepEqual(
    [headers['x-user-id'], headers['x-user-roles'], headers['x-consumer-tier']],
    ['orders', undefined, 'authenticated'],
  )
  const none = await ask(t, clients, null)
  assert.deepEqual([none.status, none.challenge], [401, 'ClientCertificate realm="sallyport"'])
  // The same route over a listener that requires no certificate.
  assert.equal((await send(open)).status, 401)
  assert.equal(
    (await send(open, { headers: { 'Client-Cert': ':AAAA:', 'X-SSL-Client-Verify': 'SUCCESS' } })).status,
    401,
  )
})

test('a certificate without a subject is identified by its other names', async (t) => {
  const uri = 'spiffe://example.org/ns/shop/nameless'
  const nameless = ofClients.issueClient({ subject: {}, names: [uri] })
  const forward: ['client-cert', 'x-ssl-client', 'x-forwarded-client-cert'] = [
    'client-cert',
    'x-ssl-client',
    'x-forwarded-client-cert',
  ]
  const { clients, service } = await start(t, { methods: { mtls: { id: 'uri' } }, forward })
  assert.equal((await ask(t, clients, nameless)).status, 200)
  const { headers } = service.received[0]!
  assert.deepEqual([headers['x-user-id'], headers['x-ssl-client-s-dn']], [uri, ''])
  const bySubject = await start(t, { methods: { mtls: { id: 'subject' } } })
  assert.equal((await ask(t, bySubject.clients, nameless)).status, 401)
})

for (const [id, expected] of [
  ['subject', 'CN=orders,O=Example'],
  ['uri', 'spiffe://example.org/ns/shop/orders'],
  ['dns', 'orders.internal'],
  ['email', 'orders@example.org'],
  ['fingerprint', createHash('sha256').update(new X509Certificate(orders.cert).raw).digest('hex')],
] as const)
  test(`the id of the consumer can be its ${id}`, async (t) => {
    const { clients, service } = await start(t, { methods: { mtls: { id } } })
    assert.equal((await ask(t, clients, orders)).status, 200)
    assert.equal(decodeURIComponent(String(service.received[0]!.headers['x-user-id'])), expected)
    // A certificate without such a name identifies nobody.
    if (id !== 'subject' && id !== 'fingerprint') assert.equal((await ask(t, clients, billing)).status, 401)
  })

const digest = new X509Certificate(orders.cert).fingerprint256
for (const match of [
  { subject: 'CN=orders,O=Example' },
  { commonName: ['x', 'orders'] },
  { dns: 'ORDERS.internal' },
  { uri: 'spiffe://example.org/ns/shop/*' },
  { uri: 'spiffe://example.org/ns/shop/orders' },
  { email: 'orders@example.org' },
  { fingerprint: digest },
  { fingerprint: digest.replaceAll(':', '').toLowerCase() },
  { issuer: 'CN=Clients', commonName: 'orders' },
])
  test(`a rule by ${JSON.stringify(match).slice(0, 60)} identifies the consumer, and other certificates are rejected`, async (t) => {
    const rule = { match, consumer: 'order-service', roles: ['internal', 'writer'], tier: 'gold' }
    const { clients, partners, service } = await start(t, { methods: { mtls: { rules: [rule] } } })
    assert.equal((await ask(t, clients, orders)).status, 200)
    const { headers } = service.received[0]!
    assert.deepEqual(
      [headers['x-user-id'], headers['x-user-roles'], headers['x-consumer-tier']],
      ['order-service', 'internal,writer', 'gold'],
    )
    assert.equal((await ask(t, clients, billing)).status, 401)
    // A certificate of another CA may have the same common name: rules for it alone apply to one CA.
    if (!('commonName' in match) || 'issuer' in match) assert.equal((await ask(t, partners, partner)).status, 401)
  })

test('a rule can be limited to a listener, and thus to its authority', async (t) => {
  const rules = [{ match: { listener: '127.0.0.1:1', commonName: 'orders' } }]
  const { clients, partners } = await start(t, { methods: { mtls: { rules } } })
  // Both listen on any port here, which is not that of the rule.
  for (const [port, leaf] of [
    [clients, orders],
    [partners, partner],
  ] as const)
    assert.equal((await ask(t, port, leaf)).status, 401)
  const own = await start(t, { methods: { mtls: { rules: [{ match: { listener: '127.0.0.1:0' } }] } } })
  assert.equal((await ask(t, own.clients, orders)).status, 200)
})

test('a certificate of another listener’s authority fails the handshake', async (t) => {
  const { clients, partners, service } = await start(t, { methods: { mtls: {} } })
  await assert.rejects(ask(t, clients, partner))
  await assert.rejects(ask(t, partners, orders))
  assert.equal(service.received.length, 0)
})

test('the certificate of a trusted proxy does not identify its clients', async (t) => {
  const config = { trustedProxies: ['127.0.0.1'] }
  const { clients } = await start(t, { methods: { mtls: {} }, config })
  assert.equal((await ask(t, clients, orders)).status, 200)
  assert.equal((await ask(t, clients, orders, ['X-Forwarded-For: 203.0.113.9'])).status, 401)
})

const thumbprint = (leaf: Leaf): string =>
  createHash('sha256').update(new X509Certificate(leaf.cert).raw).digest('base64url')
const EXPIRES = Math.ceil(Date.now() / 1000) + 3600
const bearer = (claims: object): string => `Authorization: Bearer ${tokenOf({ claims: { exp: EXPIRES, ...claims } })}`

test('a token bound to a certificate is only accepted with it, even when the token is cached', async (t) => {
  const { clients, open, service } = await start(t, { methods: { jwt: { secret: SECRET } } })
  const token = bearer({ cnf: { 'x5t#S256': thumbprint(orders) } })
  for (let round = 0; round < 2; round++) {
    assert.deepEqual((await ask(t, clients, orders, [token], 2)).statuses, [200, 200])
    const other = await ask(t, clients, billing, [token])
    assert.equal(other.status, 401)
    assert.match(
      other.challenge ?? '',
      /error="invalid_token", error_description="The token is bound to a client certificate/,
    )
    assert.equal((await ask(t, clients, null, [token])).status, 401)
    const [name, value] = token.split(': ')
    assert.equal((await send(open, { headers: { [name!]: value! } })).status, 401)
  }
  assert.equal(service.received.length, 4)
  // Anybody may use other consumers' names.
  assert.equal((await ask(t, clients, billing, [bearer({})])).status, 200)
  assert.equal((await ask(t, clients, null, [bearer({ cnf: { jkt: 'x' } })])).status, 200)
  for (const cnf of ['x', [], { 'x5t#S256': 1 }, { 'x5t#S256': '' }])
    assert.equal((await ask(t, clients, orders, [bearer({ cnf })])).status, 401)
})

test('the introspection endpoint can bind a token to a certificate', async (t) => {
  const users = await startService(t, (_, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ active: true, sub: 'alice', cnf: { 'x5t#S256': thumbprint(orders) } }))
  })
  const { clients } = await start(t, { methods: { introspection: { url: `${users.url}/introspect` } } })
  for (let round = 0; round < 2; round++) {
    assert.equal((await ask(t, clients, orders, ['Authorization: Bearer opaque'])).status, 200)
    assert.equal((await ask(t, clients, billing, ['Authorization: Bearer opaque'])).status, 401)
  }
})

test('a valid certificate does not make up for an invalid token', async (t) => {
  const { clients } = await start(t, { methods: { jwt: { secret: SECRET }, mtls: {} } })
  assert.equal((await ask(t, clients, orders)).status, 200)
  assert.equal((await ask(t, clients, orders, [bearer({ cnf: { 'x5t#S256': thumbprint(billing) } })])).status, 401)
  assert.equal(
    (await ask(t, clients, orders, [`Authorization: Bearer ${tokenOf({ key: 'another secret, long enough for it' })}`]))
      .status,
    401,
  )
})
