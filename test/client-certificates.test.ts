import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { createGateway } from '../src/gateway.ts'
import { Authority, type Leaf, selfSigned } from './support/certificates.ts'
import { cleanUp } from './support/cleanup.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { Peer } from './support/peer.ts'
import { startService } from './support/service.ts'
import { settled } from './support/settled.ts'
import { authority as ofServers, connectSecurely, tlsListeners, writeLeaf } from './support/tls.ts'

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
const ofClients = new Authority({ subject: { commonName: 'Clients' } })
const ofOthers = new Authority({ subject: { commonName: 'Others' } })
const good = ofClients.issueClient()

/** A folder of the test with these files; returns their paths by name. */
function write<Name extends string>(t: TestContext, files: Readonly<Record<Name, string>>): Record<Name, string> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-mtls-'))
  cleanUp(t, () => rmSync(folder, { recursive: true }))
  const paths = Object.entries<string>(files).map(([name, text]) => {
    writeFileSync(join(folder, name), text)
    return [name, join(folder, name)]
  })
  return Object.fromEntries(paths) as Record<Name, string>
}

interface Clients {
  readonly mode?: 'required' | 'wanted'
  readonly ca: string
  readonly crl?: string
}

async function start(t: TestContext, clientCertificates: Clients, config: object = {}) {
  const service = await startService(t)
  const [listener] = tlsListeners([writeLeaf(t, ofServers.issue())]).listeners
  const listeners = [{ ...listener!, tls: { ...listener!.tls, clientCertificates } }]
  const started = await startGateway(t, proxyTo(service.url, { listeners, ...config }))
  return { ...started, service }
}

/**
 * The outcome of a request over a new connection: the status, or null if it is rejected, in the handshake or right
 * after it.
 */
async function ask(port: number, options: ConnectionOptions = {}): Promise<number | null> {
  const raw = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(raw, 'connect')
  const socket: TLSSocket = connectTls({ socket: raw, servername: 'localhost', ca: ofServers.cert, ...options })
  const peer = new Peer(socket)
  socket.write(GET)
  try {
    const { start: line } = await peer.reply()
    return Number(line.split(' ')[1])
  } catch {
    return null
  } finally {
    socket.destroy()
  }
}

const expired = ofClients.issueClient({ notBefore: Date.now() - 7_200_000, notAfter: Date.now() - 3_600_000 })
const early = ofClients.issueClient({ notBefore: Date.now() + 3_600_000, notAfter: Date.now() + 7_200_000 })
const bad: readonly (readonly [name: string, leaf: Leaf])[] = [
  ['that has expired', expired],
  ['that is not yet valid', early],
  ['of another CA', ofOthers.issueClient()],
  ['of another CA with the same name', new Authority({ subject: { commonName: 'Clients' } }).issueClient()],
  ['that is self-signed', selfSigned({ purposes: ['client'] })],
  ['for servers', ofClients.issue()],
]

for (const mode of ['required', 'wanted'] as const)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version } as const

    test(`${mode}, ${version}: a certificate of the authority is accepted, and none is accepted only if optional`, async (t) => {
      const { ca } = write(t, { ca: ofClients.cert })
      const { port, service, gateway } = await start(t, { mode, ca })
      assert.equal(await ask(port, { ...only, ...good }), 200)
      assert.equal(await ask(port, only), mode === 'required' ? null : 200)
      assert.equal(service.received.length, mode === 'required' ? 1 : 2)
      await settled(gateway)
    })

    for (const [name, leaf] of bad)
      test(`${mode}, ${version}: a certificate ${name} is rejected, and no request is answered`, async (t) => {
        const { ca } = write(t, { ca: ofClients.cert })
        const { port, service, log, gateway } = await start(t, { mode, ca })
        assert.equal(await ask(port, { ...only, ...leaf }), null)
        const line = await log.line({ reason: 'client-certificate' })
        assert.equal(line['level'], 'debug')
        assert.equal(service.received.length, 0)
        await settled(gateway)
      })
  }

test('intermediate certificates sent by the client complete the chain', async (t) => {
  const { ca } = write(t, { ca: ofClients.cert })
  const { port } = await start(t, { ca })
  const between = ofClients.intermediate()
  assert.equal(await ask(port, between.issueClient()), 200)
  const { key, cert } = between.issueClient()
  // Without its intermediate.
  assert.equal(
    await ask(port, { key, cert: cert.slice(0, cert.indexOf('-----END')) + '-----END CERTIFICATE-----\n' }),
    null,
  )
})

test('revoked certificates are rejected, a changed list is read again, and connections that use a revoked one are closed', async (t) => {
  const files = write(t, { ca: ofClients.cert, crl: ofClients.revoke([]) })
  const { port, log } = await start(t, files)
  const { peer } = await connectSecurely(t, port, good)
  peer.write(GET)
  assert.match((await peer.reply()).start, / 200 /)
  writeFileSync(files.crl, ofClients.revoke([good.cert]))
  await log.line({ message: 'CA certificates for client certificates were replaced' })
  assert.match(await peer.closed(), /end|reset/)
  assert.equal(await ask(port, good), null)
  assert.equal(await ask(port, ofClients.issueClient()), 200)
  // An invalid list changes nothing.
  writeFileSync(files.crl, 'nonsense')
  const line = await log.line({
    message: 'CA certificates for client certificates cannot be used: the previous ones stay in use',
  })
  assert.equal(line['reason'], 'holds no PEM block X509 CRL')
  assert.equal(await ask(port, good), null)
  assert.equal(await ask(port, ofClients.issueClient()), 200)
  writeFileSync(files.crl, ofClients.revoke([]))
  await log.line({ message: 'CA certificates for client certificates were replaced' }, log.lines.length)
  assert.equal(await ask(port, good), 200)
})

test('a handshake that began before the list changed is subject to the new list', async (t) => {
  const files = write(t, { ca: ofClients.cert, crl: ofClients.revoke([]) })
  const { port, log, service } = await start(t, files)
  // Forwards the first bytes of the client, and the rest on demand.
  const held: Buffer[] = []
  let open: ((bytes: Buffer) => void) | null = null
  const relay = createServer((client) => {
    const gateway = connectSocket({ port, host: '127.0.0.1' })
    gateway.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.on('error', () => gateway.destroy()).on('close', () => gateway.destroy())
    gateway.pipe(client)
    client.once('data', (hello: Buffer) => {
      gateway.write(hello)
      client.on('data', (bytes: Buffer) => (open === null ? held.push(bytes) : open(bytes)))
      release.resolve(() => {
        open = (bytes) => void gateway.write(bytes)
        for (const bytes of held) open(bytes)
      })
    })
  })
  const release = Promise.withResolvers<() => void>()
  await once(relay.listen(0, '127.0.0.1'), 'listening')
  cleanUp(t, () => void relay.close())
  const { peer } = await connectSecurely(t, (relay.address() as AddressInfo).port, { ...good, minVersion: 'TLSv1.3' })
  peer.write(GET)
  writeFileSync(files.crl, ofClients.revoke([good.cert]))
  await log.line({ message: 'CA certificates for client certificates were replaced' })
  ;(await release.promise)()
  assert.match(await peer.closed(), /end|reset/)
  assert.equal(service.received.length, 0)
})

test('a replaced authority applies to new connections and open ones', async (t) => {
  const files = write(t, { ca: ofClients.cert })
  const { port, log } = await start(t, files)
  const { peer } = await connectSecurely(t, port, good)
  peer.write(GET)
  await peer.reply()
  writeFileSync(files.ca, ofOthers.cert)
  await log.line({ message: 'CA certificates for client certificates were replaced' })
  assert.match(await peer.closed(), /end|reset/)
  assert.equal(await ask(port, good), null)
  assert.equal(await ask(port, ofOthers.issueClient()), 200)
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`sessions that were resumed would skip the check, so none is where certificates are requested: ${version}`, async (t) => {
    const files = write(t, { ca: ofClients.cert, crl: ofClients.revoke([]) })
    const { port, log } = await start(t, files)
    const only = { minVersion: version, maxVersion: version, ...good } as const
    const sessions: Buffer[] = []
    const { peer, socket } = await connectSecurely(t, port, only)
    socket.on('session', (session: Buffer) => sessions.push(session))
    peer.write(GET)
    await peer.reply()
    const session = sessions.at(-1) ?? socket.getSession()
    assert.ok(session)
    const again = await connectSecurely(t, port, { ...only, session })
    assert.equal(again.socket.isSessionReused(), false)
    writeFileSync(files.crl, ofClients.revoke([good.cert]))
    await log.line({ message: 'CA certificates for client certificates were replaced' })
    assert.equal(await ask(port, { ...only, session }), null)
    // Without the certificate, the session is worthless too.
    const { cert: _, key: __, ...bare } = only
    assert.equal(await ask(port, { ...bare, session }), null)
  })

test('sessions of listeners with and without client certificates cannot be resumed on each other', async (t) => {
  const service = await startService(t)
  const { ca } = write(t, { ca: ofClients.cert })
  const pair = writeLeaf(t, ofServers.issue())
  const listeners = [
    { address: '127.0.0.1:0', tls: { certificates: [pair] } },
    { address: '127.0.0.1:0', tls: { certificates: [pair], clientCertificates: { ca } } },
  ]
  const { gateway } = await startGateway(t, proxyTo(service.url, { listeners }))
  const [open, closed] = gateway.addresses.map((address) => address.port)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version } as const
    const sessions: Buffer[] = []
    const { peer, socket } = await connectSecurely(t, open!, only)
    socket.on('session', (session: Buffer) => sessions.push(session))
    peer.write(GET)
    await peer.reply()
    const session = sessions.at(-1) ?? socket.getSession()!
    assert.equal(await ask(closed!, { ...only, session }), null)
    const shown = await connectSecurely(t, closed!, { ...only, ...good, session })
    assert.equal(shown.socket.isSessionReused(), false)
  }
})

test('curl and openssl connect with a certificate, and get an alert without one', async (t) => {
  const { ca, cert, key, server } = write(t, {
    ca: ofClients.cert,
    cert: good.cert,
    key: good.key,
    server: ofServers.cert,
  })
  const { port } = await start(t, { ca })
  const url = `https://localhost:${port}/`
  const curl = (...args: string[]) =>
    promisify(execFile)('curl', [
      '--silent',
      '--show-error',
      // Over HTTP/2 the same alert causes another error, since it arrives in another state.
      '--http1.1',
      '--noproxy',
      '*',
      '--ipv4',
      '--cacert',
      server,
      ...args,
      url,
    ])
  await curl('--cert', cert, '--key', key, '--fail')
  await assert.rejects(curl(), /alert|certificate required|SSL/)
  const openssl = async (...args: string[]): Promise<string> => {
    const child = spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      'localhost',
      '-ign_eof',
      ...args,
    ])
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
    child.stdin.on('error', () => {})
    child.stdin.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    await once(child, 'close')
    return output
  }
  assert.match(await openssl('-cert', cert, '-key', key), /HTTP\/1\.1 200 OK/)
  assert.match(await openssl(), /alert certificate required/)
  assert.match(await openssl('-tls1_2'), /alert handshake failure|sslv3 alert handshake failure|alert certificate/)
})

test('unusable files are configuration problems, each with its reason', async (t) => {
  const pair = writeLeaf(t, ofServers.issue())
  const between = ofClients.intermediate()
  const files = write(t, {
    ca: ofClients.cert,
    none: 'nothing',
    between: between.cert,
    broken: ofClients.cert.replace(/A/g, 'B'),
  })
  for (const [clients, reason] of [
    [{ ca: files.none }, /clientCertificates\.ca: ".*none" holds no PEM block CERTIFICATE/],
    [{ ca: '/nowhere.pem' }, /clientCertificates\.ca: "\/nowhere\.pem" no such file/],
    [{ ca: files.between }, /has no root certificate: add the self-signed one/],
    [{ ca: files.broken }, /clientCertificates\.ca: /],
    [{ ca: files.ca, crl: files.ca }, /clientCertificates\.crl: ".*ca" holds no PEM block X509 CRL/],
  ] as const) {
    const listeners = [{ address: '127.0.0.1:0', tls: { certificates: [pair], clientCertificates: clients } }]
    await assert.rejects(createGateway({ listeners, admin: false }), reason)
  }
})
