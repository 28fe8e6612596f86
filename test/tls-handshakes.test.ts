import assert from 'node:assert/strict'
import { connect as connectRaw } from 'node:net'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { cleanUp } from './support/cleanup.ts'
import { proxyTo, startGateway, type TestGatewayOptions } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { connect, Peer } from './support/peer.ts'
import { startService } from './support/service.ts'
import { settled, turnUntil } from './support/settled.ts'
import { authority, connectSecurely, tlsListeners, writeLeaf } from './support/tls.ts'

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
const run = promisify(execFile)
const FAILURES = 'sallyport_tls_handshake_failures_total'
const FAILED = 'TLS handshake failed'
/** The beginning of a hello that never becomes whole. */
const HALF = Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3])

async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}, options: TestGatewayOptions = {}) {
  const service = await startService(t)
  const { listeners } = tlsListeners([writeLeaf(t, authority.issue())])
  const plain = { address: '127.0.0.1:0' }
  const started = await startGateway(t, proxyTo(service.url, { listeners: [...listeners, plain], ...config }), options)
  const failures = async (reason: string): Promise<number> =>
    (await scrape(started.gateway.addresses[1]!.port)).sum(FAILURES, { reason })
  return { ...started, service, failures }
}

/** What the handshake of a client with these options fails with, there. */
async function failing(t: TestContext, port: number, options: ConnectionOptions): Promise<void> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert, ...options })
  cleanUp(t, () => socket.destroy())
  await assert.rejects(once(socket, 'secureConnect'))
}

for (const [what, bytes] of [
  ['sends nothing', null],
  ['sends half of its ClientHello', HALF],
] as const)
  test(`a client that ${what} is disconnected after handshakeTimeout`, async (t) => {
    const clock = new ManualClock(Date.now())
    const { port, gateway, log, failures } = await setUp(t, { limits: { handshakeTimeout: '10s' } }, { clock })
    const client = await connect(t, port)
    if (bytes !== null) client.write(bytes)
    await turnUntil('the connection', () => gateway.connections === 1)
    clock.advance(9_900)
    assert.equal(gateway.connections, 1)
    clock.advance(300)
    assert.match(await client.closed(), /end|reset/)
    assert.equal(await failures('timeout'), 1)
    assert.equal((await log.line({ message: FAILED, reason: 'timeout' }))['level'], 'debug')
    await settled(gateway)
  })

test('at the limit of handshakes the oldest is dropped, first one of a client with the most', async (t) => {
  const { port, gateway, failures } = await setUp(t, { limits: { handshakes: 4 } })
  const opened: Peer[] = []
  for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.3', '127.0.0.3']) {
    opened.push(await connect(t, port, address))
    await turnUntil('the handshake to start', () => gateway.connections === opened.length)
  }
  // The second is the first one of the client that has three of four.
  const { peer } = await connectSecurely(t, port)
  assert.match(await opened[1]!.closed(), /end|reset/)
  peer.write(GET)
  assert.match((await peer.reply()).start, / 200 /)
  const more = await connect(t, port, '127.0.0.4')
  await turnUntil('all', () => gateway.connections === 5)
  await connectSecurely(t, port)
  assert.match(await opened[0]!.closed(), /end|reset/)
  assert.equal(more.socket.destroyed, false)
  assert.equal(await failures('crowded'), 2)
})

test('handshakes count as connections, and one of a client with the most is dropped for another client', async (t) => {
  const { port, gateway } = await setUp(t, { limits: { connections: 3, perClient: { connections: 3 } } })
  const opened: Peer[] = []
  for (let i = 0; i < 3; i++) opened.push(await connect(t, port, '127.0.0.2'))
  await turnUntil('all', () => gateway.connections === 3)
  const refused = await connect(t, port, '127.0.0.2')
  assert.match(await refused.closed(), /end|reset/)
  const { peer } = await connectSecurely(t, port)
  assert.match(await opened[0]!.closed(), /end|reset/)
  peer.write(GET)
  assert.match((await peer.reply()).start, / 200 /)
})

test('failed handshakes are counted by reason, and not logged as errors', async (t) => {
  const { port, gateway, log, failures } = await setUp(t)
  await failing(t, port, { ALPNProtocols: ['spdy/3'] })
  // Node's client looks at the certificate when the handshake is over, and says no word of it.
  await failing(t, port, { ca: [], rejectUnauthorized: true })
  await assert.rejects(run('curl', ['-s', `https://localhost:${port}/`]))
  await failing(t, port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })
  await failing(t, port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })
  const other = await connect(t, port)
  other.write(Buffer.from([1, 2, 3]))
  await other.closed()
  const plain = await connect(t, port)
  plain.write(GET)
  await plain.closed()
  plain.end()
  const leaving = await connect(t, port)
  leaving.write(HALF)
  await turnUntil('the connection', () => gateway.connections === 1)
  leaving.reset()
  await settled(gateway)
  for (const reason of ['no-protocol', 'refused-by-client', 'version', 'no-shared-cipher', 'not-tls', 'plain-http'])
    assert.equal(await failures(reason), 1, reason)
  assert.equal(await failures('closed'), 2)
  assert.deepEqual(
    new Set(log.lines.filter(({ message }) => message === FAILED).map(({ level }) => level)),
    new Set(['debug']),
  )
  assert.ok(log.lines.every(({ level }) => level !== 'error' && level !== 'warn'))
})

test('handshakes are counted by version and by whether they resumed a session', async (t) => {
  const { port, gateway } = await setUp(t)
  const { peer, socket } = await connectSecurely(t, port, { maxVersion: 'TLSv1.2' })
  peer.write(GET)
  await peer.reply()
  await connectSecurely(t, port, { maxVersion: 'TLSv1.2', session: socket.getSession() })
  const metrics = await scrape(gateway.addresses[1]!.port)
  const of = (resumed: string) => metrics.sum('sallyport_tls_handshakes_total', { version: '1.2', resumed })
  assert.deepEqual([of('no'), of('yes')], [1, 1])
})

for (const [group, accepted] of [
  ['X25519MLKEM768', true],
  ['X25519', true],
  ['P-256', true],
  ['P-384', true],
  ['P-521', false],
  ['X448', false],
  ['ffdhe2048', false],
] as const)
  test(`a key exchange by ${group} is ${accepted ? 'accepted' : 'refused'}`, async (t) => {
    const { port } = await setUp(t)
    if (accepted) await connectSecurely(t, port, { ecdhCurve: group })
    else await failing(t, port, { ecdhCurve: group })
  })

test('renegotiation is rejected', async (t) => {
  const { port } = await setUp(t)
  const { socket } = await connectSecurely(t, port, { maxVersion: 'TLSv1.2' })
  socket.on('error', () => {})
  const error = await new Promise<Error | null>((resolve) => {
    socket.once('error', resolve)
    socket.renegotiate({}, resolve)
  })
  assert.match(String(error), /NO_RENEGOTIATION|no renegotiation/i)
})

/** A connection whose encrypted bytes a test sees. */
function transparent(
  t: TestContext,
  port: number,
): { duplex: Duplex; received: () => Buffer; write: (bytes: Buffer) => void } {
  const raw = connectRaw({ port, host: '127.0.0.1', allowHalfOpen: true })
  cleanUp(t, () => raw.destroy())
  const chunks: Buffer[] = []
  const duplex = new Duplex({
    read() {},
    write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, done),
    final: (done) => void raw.end(done),
  })
  raw.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    duplex.push(chunk)
  })
  raw.on('end', () => duplex.push(null))
  raw.on('error', () => duplex.destroy())
  return { duplex, received: () => Buffer.concat(chunks), write: (bytes) => void raw.write(bytes) }
}

async function secureOver(t: TestContext, duplex: Duplex): Promise<TLSSocket> {
  const socket = connectTls({ socket: duplex, servername: 'localhost', ca: authority.cert, maxVersion: 'TLSv1.2' })
  cleanUp(t, () => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

/** The types of the records in what was received (RFC 8446 section 5.1). */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at]!)
  return types
}

for (const [what, head, closes] of [
  ['the reply to a request with Connection: close', 'Connection: close\r\n', false],
  ['the last reply to a client that half-closes', '', true],
] as const)
  test(`${what} is followed by close_notify, so that it does not look truncated`, async (t) => {
    const { port, gateway } = await setUp(t)
    const { duplex, received } = transparent(t, port)
    const socket = await secureOver(t, duplex)
    const peer = new Peer(socket)
    peer.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${head}\r\n`)
    await peer.reply()
    if (closes) peer.end()
    await peer.closed()
    const alert = 21
    assert.equal(recordTypes(received()).at(-1), alert)
    peer.end()
    await settled(gateway)
  })

test('undecryptable data closes its connection only', async (t) => {
  const { port, gateway } = await setUp(t)
  const { peer } = await connectSecurely(t, port)
  const { duplex, write } = transparent(t, port)
  const broken = new Peer(await secureOver(t, duplex))
  broken.write(GET)
  await broken.reply()
  write(Buffer.from([23, 3, 3, 0, 32, ...Array<number>(32).fill(7)]))
  await broken.closed()
  peer.write(GET)
  assert.match((await peer.reply()).start, / 200 /)
  await turnUntil('the broken connection to close', () => gateway.connections === 1)
})

test('shutdown closes connections during their handshake', async (t) => {
  const { port, gateway } = await setUp(t, { drainTimeout: '30s' })
  const client = await connect(t, port)
  client.write(HALF)
  await turnUntil('the connection', () => gateway.connections === 1)
  await gateway.close()
  assert.match(await client.closed(), /end|reset/)
})
