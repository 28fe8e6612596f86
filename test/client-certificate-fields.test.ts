import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { Authority, type Leaf } from './support/certificates.ts'
import { cleanUp } from './support/cleanup.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'
import { authority as ofServers, connectSecurely, writeLeaf } from './support/tls.ts'

const ofClients = new Authority({ subject: { commonName: 'Clients' } })
const between = ofClients.intermediate({ subject: { commonName: 'Between' } })
const names = ['spiffe://example.org/a', 'a.example.org']
const alice = ofClients.issueClient({ subject: { organization: 'Exämple', commonName: 'alice' }, names })

/** Headers that clients would like services to trust. */
const FORGED = [
  'Client-Cert: :Zm9yZ2Vk:',
  'client_cert: :Zm9yZ2Vk:',
  'Client.Cert: :Zm9yZ2Vk:',
  'Client-Cert-Chain: :Zm9yZ2Vk:',
  'X-SSL-Client-Verify: SUCCESS',
  'X_SSL_Client_S_DN: CN=forged',
  'X-Ssl-Client-Cert: forged',
  'X-SSL-Cert: forged',
  'X-ARR-ClientCert: forged',
  'X-Client-Verify: SUCCESS',
  'X_Client_DN: CN=forged',
  'X-Amzn-Mtls-Clientcert-Leaf: forged',
  'X-Forwarded-Client-Cert: Hash=forged',
  'x_forwarded_client_cert: Hash=forged',
]

type Forward = ('client-cert' | 'x-ssl-client' | 'x-forwarded-client-cert')[]

async function start(t: TestContext, forward: Forward, config: GatewayInput = {}, known = '') {
  const service = await startService(t)
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-mtls-'))
  cleanUp(t, () => rmSync(folder, { recursive: true }))
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, ofClients.cert + known)
  const tls = {
    certificates: [writeLeaf(t, ofServers.issue())],
    clientCertificates: { mode: 'wanted' as const, ca, forward },
  }
  const { port } = await startGateway(
    t,
    proxyTo(service.url, { listeners: [{ address: '127.0.0.1:0', tls }], ...config }),
  )
  return { port, service }
}

/** Sends two requests with forged headers over one connection; returns the headers that a service may trust. */
async function receivedFields(
  t: TestContext,
  forward: Forward,
  leaf: Leaf | null,
  config: GatewayInput = {},
  more: string[] = [],
  known = '',
) {
  const { port, service } = await start(t, forward, config, known)
  const { peer } = await connectSecurely(t, port, leaf ?? {})
  for (let i = 0; i < 2; i++) {
    peer.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${[...FORGED, ...more].map((line) => `${line}\r\n`).join('')}\r\n`)
    assert.match((await peer.reply()).start, / 200 /)
  }
  const [first, second] = service.received.map(({ rawHeaders }) =>
    Array.from(
      { length: rawHeaders.length / 2 },
      (_, i) => [rawHeaders[2 * i]!, rawHeaders[2 * i + 1]!] as const,
    ).filter(([name]) => /client.cert|ssl.client/i.test(name)),
  )
  assert.deepEqual(first, second)
  return first!
}

const END = '-----END CERTIFICATE-----\n'
const der = (cert: string): string => new X509Certificate(cert).raw.toString('base64')

test('Client-Cert and Client-Cert-Chain follow RFC 9440', async (t) => {
  assert.deepEqual(await receivedFields(t, ['client-cert'], alice), [['Client-Cert', `:${der(alice.cert)}:`]])
  const leaf = between.issueClient()
  assert.deepEqual(await receivedFields(t, ['client-cert'], leaf), [
    ['Client-Cert', `:${der(leaf.cert)}:`],
    ['Client-Cert-Chain', `:${der(between.cert)}:`],
  ])
})

test('Client-Cert-Chain is the chain used for verification, whatever else the client sends', async (t) => {
  const admins = ofClients.intermediate({ subject: { commonName: 'Admins' } })
  const twin = new Authority({ subject: { commonName: 'Between' } }).intermediate({
    subject: { commonName: 'Between' },
  })
  const leaf = between.issueClient()
  const own = `${leaf.cert.split(END)[0]}${END}`
  for (const sent of [
    own + admins.cert + between.cert,
    own + twin.cert + between.cert,
    own + between.cert + admins.cert + ofClients.cert,
    own + between.cert + between.cert,
  ])
    assert.deepEqual(await receivedFields(t, ['client-cert'], { cert: sent, key: leaf.key }), [
      ['Client-Cert', `:${der(own)}:`],
      ['Client-Cert-Chain', `:${der(between.cert)}:`],
    ])
  // The gateway knows the intermediate CA, so that it need not be sent.
  assert.deepEqual(await receivedFields(t, ['client-cert'], { cert: own, key: leaf.key }, {}, [], between.cert), [
    ['Client-Cert', `:${der(own)}:`],
    ['Client-Cert-Chain', `:${der(between.cert)}:`],
  ])
  const direct = ofClients.issueClient()
  assert.deepEqual(await receivedFields(t, ['client-cert'], { cert: direct.cert + admins.cert, key: direct.key }), [
    ['Client-Cert', `:${der(direct.cert)}:`],
  ])
})

test('X-SSL-Client-* have the values that nginx would set', async (t) => {
  const fields = Object.fromEntries(await receivedFields(t, ['x-ssl-client'], alice))
  const read = new X509Certificate(alice.cert)
  assert.equal(fields['X-SSL-Client-Verify'], 'SUCCESS')
  assert.equal(fields['X-SSL-Client-S-DN'], String.raw`CN=alice,O=Ex\c3\a4mple`)
  assert.equal(fields['X-SSL-Client-I-DN'], 'CN=Clients')
  assert.equal(fields['X-SSL-Client-Serial'], read.serialNumber.toLowerCase())
  assert.equal(
    new X509Certificate(decodeURIComponent(fields['X-SSL-Client-Cert']!)).fingerprint256,
    read.fingerprint256,
  )
  assert.equal(Object.keys(fields).length, 5)
})

test('X-Forwarded-Client-Cert has the format of Envoy', async (t) => {
  const hash = new X509Certificate(alice.cert).fingerprint256.replaceAll(':', '').toLowerCase()
  const value = `Hash=${hash};Subject="${String.raw`CN=alice,O=Ex\\c3\\a4mple`}";URI="${names[0]}";DNS="${names[1]}"`
  assert.deepEqual(await receivedFields(t, ['x-forwarded-client-cert'], alice), [['X-Forwarded-Client-Cert', value]])
})

test('nothing is set without a certificate, or without configured headers', async (t) => {
  assert.deepEqual(await receivedFields(t, ['client-cert', 'x-ssl-client', 'x-forwarded-client-cert'], null), [])
  assert.deepEqual(await receivedFields(t, [], alice), [])
})

test('a trusted proxy can set the header for its clients; otherwise its value is replaced', async (t) => {
  const config = { trustedProxies: ['127.0.0.1'], proxyFields: ['Client-Cert'] }
  const forged = [['Client-Cert', ':Zm9yZ2Vk:']]
  assert.deepEqual(await receivedFields(t, ['client-cert'], alice, config, ['X-Forwarded-For: 203.0.113.9']), forged)
  assert.deepEqual(await receivedFields(t, ['client-cert'], alice, config), [['Client-Cert', `:${der(alice.cert)}:`]])
})

test('a stored reply is only used for the certificate it was created for', async (t) => {
  const { port, service } = await start(t, ['client-cert'], {
    policies: { cache: { ttl: '1m' } },
  })
  for (const leaf of [alice, between.issueClient(), alice]) {
    const { peer } = await connectSecurely(t, port, leaf)
    peer.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    assert.match((await peer.reply()).start, / 200 /)
  }
  assert.equal(service.received.length, 3)
})
