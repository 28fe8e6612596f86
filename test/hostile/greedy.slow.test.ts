import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../../src/gateway.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { bytes } from '../support/bytes.ts'
import { connect, type Peer, startRawService } from '../support/peer.ts'
import { holdings, NOTHING, settled, turnUntil } from '../support/settled.ts'
import { get, request } from './request-case.ts'
import { reply } from './service-case.ts'

const MEGABYTE = 1024 * 1024
/** How much a peer can send unread before it must notice: the buffers of the kernel, and a margin. */
const FLOOD = 40 * MEGABYTE
/** Longer than the gateway reads from a client that keeps sending after its rejection, in milliseconds. */
const LINGERING = 31_000

/** Behaves according to the path: /silent, /stall, /large, /deaf, /echo; otherwise answers. */
async function serve(peer: Peer): Promise<void> {
  for (;;) {
    const start = await peer.until('\r\n')
    if (start.includes('/deaf')) return void peer.socket.pause()
    if (start.includes('/echo')) {
      await peer.until('\r\n\r\n')
      peer.write(reply('200 OK', [`Content-Length: ${1000 * MEGABYTE}`]))
      return void peer.socket.pipe(peer.socket)
    }
    await peer.until('\r\n\r\n')
    if (start.includes('/silent')) return
    if (start.includes('/stall')) peer.write(reply('200 OK', ['Content-Length: 10'], 'half'))
    else if (start.includes('/large'))
      await flood(peer, reply('200 OK', [`Content-Length: ${1000 * MEGABYTE}`]), bytes(MEGABYTE))
    else peer.write(reply('200 OK', ['Content-Length: 2'], 'ok'))
  }
}

async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const clock = new ManualClock()
  const service = await startRawService(t, serve)
  const routes: GatewayInput['routes'] = [
    { id: 'all', match: { path: '/*' }, service: 'backend' },
    { id: 'own', match: { path: '/own' }, reply: { status: 200, body: 'x'.repeat(1000) } },
  ]
  const { gateway, port, log } = await startGateway(t, proxyTo(service.url, { routes, ...config }), { clock })
  assert.deepEqual(holdings(gateway), NOTHING)
  const open = (count: number): Promise<Peer[]> => Promise.all(Array.from({ length: count }, () => connect(t, port)))
  return { clock, service, gateway, port, log, open }
}

/** Another client's request is answered; everything written before has been read by then. */
async function serveOthers(open: (count: number) => Promise<Peer[]>): Promise<void> {
  const [other] = await open(1)
  other!.write(request('GET /good'))
  assert.equal((await other!.reply()).body.toString(), 'ok')
  other!.socket.destroy()
}

/**
 * Writes `again` repeatedly until the connection is closed, whatever the peer sends; returns how many bytes were taken.
 */
async function flood({ socket }: Peer, beginning: string, again: Buffer): Promise<number> {
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  let written = 0
  socket.write(beginning, 'latin1')
  while (!socket.destroyed) {
    written += again.length
    if (socket.write(again)) await new Promise(setImmediate)
    else await Promise.race([once(socket, 'drain').catch(() => {}), gone])
  }
  return written
}

/**
 * Advances the clock for a client that keeps sending after its rejection, until it is cut off; returns how much it
 * sent. In long steps: what it sends meanwhile depends on the speed of the machine, and is not the point.
 */
async function outlast(clock: ManualClock, poured: Promise<number>): Promise<number> {
  const progress = { over: false }
  const done = poured.finally(() => (progress.over = true))
  while (!progress.over) {
    clock.advance(LINGERING)
    await new Promise(setImmediate)
  }
  return done
}

/** Nothing is left, and after the timeout of idle connections not even the connection. */
async function checkEnd({ gateway, clock, open }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  await serveOthers(open)
  await settled(gateway)
  clock.advance(31_000)
  await turnUntil('idle connections to end', () => holdings(gateway).watched === 0)
}

test('heads that never end get 408 after headTimeout and hold nothing', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open, clock, gateway } = gatewayUnderTest
  const clients = await open(200)
  for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ')
  await serveOthers(open)
  await turnUntil('the other connections to close', () => gateway.connections === 200)
  clock.advance(10_300)
  for (const client of clients) assert.match((await client.reply()).start, / 408 /)
  // They never close their side either.
  clock.advance(2_300)
  await checkEnd(gatewayUnderTest)
})

test('bodies that never end get 408 after bodyTimeout, and hold no connection to the service', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open, clock, service } = gatewayUnderTest
  const clients = await open(100)
  for (const client of clients) client.write(request('POST /silent', ['Content-Length: 1000'], 'x'))
  await serveOthers(open)
  assert.equal(service.connections, 1)
  clock.advance(30_300)
  for (const client of clients) assert.match((await client.reply()).start, / 408 /)
  clock.advance(2_300)
  await checkEnd(gatewayUnderTest)
})

test('clients that never read are cut off after writeTimeout, and the connections to the service closed', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open, clock, gateway, service } = gatewayUnderTest
  const clients = await open(10)
  for (const client of clients) {
    client.write(request('GET /large'))
    client.socket.pause()
  }
  await turnUntil('the downloads to start', () => service.connections === 10)
  for (let i = 0; i < 20; i++) await serveOthers(open)
  for (let i = 0; i < 4; i++) {
    await serveOthers(open)
    clock.advance(61_000)
  }
  await settled(gateway)
  await checkEnd(gatewayUnderTest)
})

test('an upload and its echo that block each other are cut off', async (t) => {
  const gatewayUnderTest = await setUp(t, { limits: { body: '1000mb' } })
  const { open, clock, gateway } = gatewayUnderTest
  const [client] = await open(1)
  client!.write(request('POST /echo', [`Content-Length: ${900 * MEGABYTE}`], 'x'.repeat(MEGABYTE)))
  await client!.until('\r\n\r\n')
  client!.socket.pause()
  const chunk = bytes(MEGABYTE)
  let written = 0
  for (let blocked = false; !blocked;) {
    written += chunk.length
    if (client!.socket.write(chunk)) continue
    blocked = await Promise.race([
      once(client!.socket, 'drain').then(() => false),
      (async () => {
        for (let i = 0; i < 300; i++) await new Promise(setImmediate)
        return true
      })(),
    ])
  }
  assert.ok(written < FLOOD, `the client could write ${written} bytes`)
  await serveOthers(open)
  clock.advance(61_000)
  client!.socket.resume()
  assert.equal(await client!.closed(), 'reset')
  await settled(gateway)
  await checkEnd(gatewayUnderTest)
})

test('a service that never replies causes 504 and holds nothing', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open, clock, gateway } = gatewayUnderTest
  const clients = await open(100)
  for (const client of clients) client.write(request('GET /silent'))
  await turnUntil('the requests to be in flight', () => holdings(gateway).busy === 100)
  await serveOthers(open)
  clock.advance(30_300)
  for (const client of clients) {
    assert.match((await client.reply()).start, / 504 /)
    client.end()
  }
  await checkEnd(gatewayUnderTest)
})

test('a service that stalls during a reply only affects that reply', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open, clock } = gatewayUnderTest
  const clients = await open(100)
  for (const client of clients) client.write(request('GET /stall'))
  for (const client of clients) await client.until('half')
  await serveOthers(open)
  clock.advance(60_300)
  for (const client of clients) assert.equal(await client.closed(), 'reset')
  await checkEnd(gatewayUnderTest)
})

test('a service that never reads causes 504 and ends the upload', async (t) => {
  const gatewayUnderTest = await setUp(t, { limits: { body: '1000mb' } })
  const { open, clock, gateway } = gatewayUnderTest
  const [client] = await open(1)
  const poured = flood(client!, request('POST /deaf', [`Content-Length: ${900 * MEGABYTE}`]), bytes(MEGABYTE))
  await turnUntil('the upload to start', () => holdings(gateway).busy === 1)
  for (let i = 0; i < 50; i++) await serveOthers(open)
  clock.advance(30_300)
  assert.match((await client!.reply()).start, / 504 /)
  assert.ok((await outlast(clock, poured)) < FLOOD)
  await checkEnd(gatewayUnderTest)
})

test('requests get 503 at once if the queue is full, and after queueTimeout if they wait', async (t) => {
  const gatewayUnderTest = await setUp(t, { service: { pool: { connections: 5, queue: 20, queueTimeout: '2s' } } })
  const { open, clock, gateway, log } = gatewayUnderTest
  const clients = await open(100)
  for (const client of clients) client.write(request('GET /silent'))
  const statuses = clients.map(async (client) => (await client.reply()).start.slice(9, 12))
  await turnUntil('the rejections', () => log.requests.length === 75 && holdings(gateway).busy === 5)
  assert.equal(holdings(gateway).waiting, 20)
  clock.advance(2_300)
  clock.advance(30_300)
  const tally = Object.groupBy(await Promise.all(statuses), (status) => status)
  assert.deepEqual([tally['503']?.length, tally['504']?.length], [95, 5])
  for (const client of clients) client.end()
  await checkEnd(gatewayUnderTest)
})

test('a client that pipelines without reading is stopped, with bounded memory in the gateway', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open, clock, log } = gatewayUnderTest
  const [client] = await open(1)
  client!.socket.pause()
  const requests = Buffer.from(request('GET /own').repeat(1000))
  const poured = flood(client!, '', requests)
  const own = (): number => log.requests.filter(({ route }) => route === 'own').length
  let before = -1
  while (own() > before) {
    before = own()
    for (let i = 0; i < 20; i++) await serveOthers(open)
  }
  assert.ok(own() < 20_000, `${own()} requests were answered`)
  clock.advance(61_000)
  client!.socket.resume()
  assert.ok((await poured) < FLOOD)
  await checkEnd(gatewayUnderTest)
})

test('a client that reads gets replies to 10,000 pipelined requests', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open } = gatewayUnderTest
  const [client] = await open(1)
  let answered = 0
  let received = ''
  client!.socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    const replies = received.split('HTTP/1.1 200 OK\r\n')
    answered += replies.length - 1
    received = received.slice(-14)
  })
  client!.write(request('GET /own').repeat(10_000))
  client!.end()
  await client!.closed()
  assert.ok(answered >= 9_990 && answered <= 10_010, `${answered} replies`)
  await checkEnd(gatewayUnderTest)
})

test('a flood of connections is rejected, and the listener recovers', async (t) => {
  const gatewayUnderTest = await setUp(t, { limits: { connections: 50 } })
  const { open, gateway } = gatewayUnderTest
  const clients = await open(300)
  let ended = 0
  for (const client of clients) client.socket.once('close', () => ended++)
  for (const client of clients) void client.closed().then(() => client.socket.destroy())
  await turnUntil('the rejections', () => ended === 250)
  assert.equal(gateway.connections, 50)
  const served = clients.filter(({ socket }) => !socket.destroyed)
  assert.equal(served.length, 50)
  for (const client of served) client.write(request('GET /good'))
  for (const client of served) assert.equal((await client.reply()).body.toString(), 'ok')
  for (const client of served) client.end()
  await settled(gateway)
  await checkEnd(gatewayUnderTest)
})

test('200,000 one-byte chunks are merged into larger ones', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url), { clock })
  const client = await connect(t, port)
  client.write(request('POST /', ['Transfer-Encoding: chunked']))
  client.write('1\r\nx\r\n'.repeat(200_000))
  client.write('0\r\n\r\n')
  const peer = await service.accept()
  const { body, chunks } = await peer.request()
  assert.equal(body.length, 200_000)
  assert.ok(chunks.length < 1_000, `${chunks.length} chunks`)
  peer.write(`${reply('200 OK', ['Transfer-Encoding: chunked'])}${'1\r\nx\r\n'.repeat(200_000)}0\r\n\r\n`)
  const answer = await client.reply()
  assert.equal(answer.body.length, 200_000)
  assert.ok(answer.chunks.length < 1_000, `${answer.chunks.length} chunks`)
  client.end()
  await settled(gateway)
})

for (const [name, beginning, again, status] of [
  ['header lines', 'GET / HTTP/1.1\r\nHost: a\r\n', 'X: 1\r\n', 431],
  ['a header line', 'GET / HTTP/1.1\r\nHost: a\r\nX: ', 'xxxxxxxx', 431],
  ['a header name', 'GET / HTTP/1.1\r\nHost: a\r\n', 'xxxxxxxx', 431],
  ['a request target', 'GET /', 'xxxxxxxx', 414],
  ['a method', '', 'XXXXXXXX', 501],
  ['empty lines', '', '\r\n', 400],
  ['a chunk size', request('POST /own', ['Transfer-Encoding: chunked']), '00000000', 400],
  ['a chunk extension', request('POST /own', ['Transfer-Encoding: chunked'], '5'), ';x=xxxxx', 400],
  ['trailers', request('POST /own', ['Transfer-Encoding: chunked'], '0\r\n'), 'X: 1\r\n', 431],
  ['a trailer', request('POST /own', ['Transfer-Encoding: chunked'], '0\r\nX: '), 'xxxxxxxx', 400],
] as const)
  test(`${name} without end is rejected, and the rest is read for a limited time only`, async (t) => {
    const gatewayUnderTest = await setUp(t)
    const { open, clock } = gatewayUnderTest
    const [client] = await open(1)
    const answer = client!.reply()
    const written = flood(client!, beginning, Buffer.from(again.repeat(8192)))
    assert.match((await answer).start, new RegExp(` ${status} `))
    assert.ok((await outlast(clock, written)) < FLOOD)
    await checkEnd(gatewayUnderTest)
  })

test('clients that disconnect at any point leave nothing behind', async (t) => {
  const gatewayUnderTest = await setUp(t)
  const { open, gateway } = gatewayUnderTest
  const whole = request('POST /silent', ['Content-Length: 20'], 'x'.repeat(20))
  for (const how of ['end', 'reset'] as const) {
    const clients = await open(whole.length)
    // A client that half-closes after a complete request can still wait for the reply.
    if (how === 'end') clients.pop()?.reset()
    for (const [i, client] of clients.entries()) client.write(whole.slice(0, i + 1))
    await serveOthers(open)
    for (const client of clients) client[how]()
    await settled(gateway)
  }
  await checkEnd(gatewayUnderTest)
})

test('a service that fails at any point leaves nothing behind', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url), { clock })
  const whole = `${reply('103 Early Hints', ['X: 1'])}${reply('200 OK', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nX: 1\r\n\r\n')}`
  for (const how of ['end', 'reset'] as const)
    for (let cut = 0; cut < whole.length; cut++) {
      const client = await connect(t, port)
      client.write(get())
      const peer = await service.accept()
      await peer.until('\r\n\r\n')
      await peer.writeInPieces([whole.slice(0, cut)])
      peer[how]()
      client.end()
      client.socket.resume()
      await client.closed()
    }
  await settled(gateway)
})
