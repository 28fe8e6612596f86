import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import { cleanUp } from '../support/cleanup.ts'
import { send } from '../support/client.ts'
import { proxyTo, startGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { scrape } from '../support/metrics.ts'
import { bytes } from '../support/bytes.ts'
import { holdings, settled, turnUntil } from '../support/settled.ts'

/** A WebSocket service that echoes messages, and says hello to other requests. */
async function startEcho(t: TestContext, options: ServerOptions = {}) {
  const server = createServer((_, response) => void response.end('hello'))
  const sockets = new WebSocketServer({ server, ...options })
  const upgrades: IncomingMessage[] = []
  sockets.on('connection', (socket, incoming) => {
    upgrades.push(incoming)
    socket.on('message', (data, binary) => socket.send(data, { binary }))
    socket.on('error', () => socket.terminate())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, upgrades }
}

async function setUp(
  t: TestContext,
  options: ServerOptions = {},
  config: Parameters<typeof proxyTo>[1] = {},
  gatewayOptions: TestGatewayOptions = {},
) {
  const service = await startEcho(t, options)
  return { service, ...(await startGateway(t, proxyTo(service.url, config), gatewayOptions)) }
}

/** Connects through the gateway until the end of the test. */
async function open(t: TestContext, port: number, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?room=1`, protocols)
  cleanUp(t, () => socket.terminate())
  await once(socket, 'open')
  return socket
}

async function echo(socket: WebSocket, data: string | Buffer): Promise<Buffer> {
  socket.send(data)
  const [back] = (await once(socket, 'message')) as [Buffer]
  return back
}

test('messages of every size are forwarded in both directions, as text and as binary', async (t) => {
  const { port } = await setUp(t)
  const socket = await open(t, port)
  for (const text of ['', 'a', 'grüße', 'x'.repeat(70_000)]) assert.equal(String(await echo(socket, text)), text)
  for (const size of [0, 125, 126, 65_535, 65_536, 5_000_000])
    assert.ok((await echo(socket, bytes(size))).equals(bytes(size)))
})

test('compressed messages are forwarded in both directions', async (t) => {
  const { port, service } = await setUp(t, { perMessageDeflate: true })
  const socket = await open(t, port)
  assert.match(socket.extensions, /permessage-deflate/)
  assert.equal(String(await echo(socket, 'a'.repeat(100_000))), 'a'.repeat(100_000))
  assert.equal(service.upgrades.length, 1)
})

test('the handshake reaches the service with forwarding headers, and its answer the client', async (t) => {
  const { port, service, log } = await setUp(t, { handleProtocols: (protocols) => [...protocols][1]! })
  const socket = await open(t, port, ['v1', 'v2'])
  assert.equal(socket.protocol, 'v2')
  const { url, headers, httpVersion } = service.upgrades[0]!
  assert.equal(url, '/chat?room=1')
  assert.equal(httpVersion, '1.1')
  assert.equal(headers.upgrade, 'websocket')
  assert.equal(headers.connection, 'Upgrade')
  assert.equal(headers['sec-websocket-protocol'], 'v1,v2')
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  await echo(socket, 'hello')
  socket.close()
  const line = await log.line({ status_code: 101 })
  assert.equal(line['url'], `http://127.0.0.1:${port}/chat?room=1`)
  assert.ok(Number(line['bytes']) > 5)
})

test('pings and pongs are forwarded in both directions', async (t) => {
  const { port, service } = await setUp(t)
  const socket = await open(t, port)
  socket.ping('from the client')
  assert.equal(String((await once(socket, 'pong'))[0]), 'from the client')
  const [other] = service.sockets.clients
  other!.ping('from the service')
  assert.equal(String((await once(other!, 'pong'))[0]), 'from the service')
})

for (const [side, closer] of [
  ['client', (socket: WebSocket) => socket],
  ['service', (_: WebSocket, other: WebSocket) => other],
] as const)
  test(`a close by the ${side} reaches the other side with code and reason, and leaves nothing behind`, async (t) => {
    const { port, service, gateway } = await setUp(t)
    const socket = await open(t, port)
    const [other] = service.sockets.clients
    const ended = [once(socket, 'close'), once(other!, 'close')]
    closer(socket, other!).close(4001, 'enough')
    for (const end of ended) {
      const [code, reason] = (await end) as [number, Buffer]
      assert.deepEqual([code, String(reason)], [4001, 'enough'])
    }
    await settled(gateway)
    assert.equal(holdings(gateway).idle, 0)
  })

test('a connection lost on one side is closed on the other', async (t) => {
  const { port, service, gateway } = await setUp(t)
  const first = await open(t, port)
  const gone = once([...service.sockets.clients][0]!, 'close')
  first.terminate()
  assert.equal((await gone)[0], 1006)
  const second = await open(t, port)
  const closed = once(second, 'close')
  for (const socket of service.sockets.clients) socket.terminate()
  assert.equal((await closed)[0], 1006)
  await settled(gateway)
})

test('tunnels count as connections, but do not use up the pool', async (t) => {
  const { port, gateway } = await setUp(t, {}, { service: { pool: { connections: 10 } } })
  const sockets = await Promise.all(Array.from({ length: 50 }, () => open(t, port)))
  assert.equal(gateway.connections, 50)
  assert.equal(holdings(gateway).streaming, 50)
  const texts = sockets.map((_, i) => `${i} `.repeat(1000))
  const backs = await Promise.all(sockets.map((socket, i) => echo(socket, texts[i]!)))
  assert.deepEqual(backs.map(String), texts)
  assert.equal((await send(port)).text, 'hello')
  for (const socket of sockets) socket.close()
  await settled(gateway)
})

test('a rejection of the upgrade is forwarded, and the connection stays in use', async (t) => {
  const { port, gateway } = await setUp(t, {
    verifyClient: (_, done) => done(false, 403, 'not you', { 'X-Why': 'no' }),
  })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.equal(response.statusCode, 403)
  assert.equal(response.headers['x-why'], 'no')
  response.resume()
  await once(response, 'end')
  assert.equal((await send(port)).text, 'hello')
  socket.on('error', () => {})
  socket.terminate()
  await settled(gateway)
})

test('a service without WebSockets answers the request', async (t) => {
  const { port } = await setUp(t, { path: '/elsewhere' })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.equal(response.statusCode, 400)
  socket.on('error', () => {})
  socket.terminate()
})

test('a tunnel that is silent for timeouts.idle ends, and an active one does not', async (t) => {
  const clock = new ManualClock()
  const { port, gateway } = await setUp(t, {}, { service: { timeouts: { idle: '60s' } } }, { clock })
  const socket = await open(t, port)
  for (let i = 0; i < 5; i++) {
    clock.advance(50_000)
    assert.equal(String(await echo(socket, 'still here')), 'still here')
  }
  const closed = once(socket, 'close')
  clock.advance(60_300)
  assert.equal((await closed)[0], 1001)
  await settled(gateway)
})

test('a drain waits for tunnels to end', async (t) => {
  const clock = new ManualClock()
  const { port, gateway } = await setUp(t, {}, { drainTimeout: '30s' }, { clock })
  const socket = await open(t, port)
  const closed = gateway.close()
  assert.equal(String(await echo(socket, 'still here')), 'still here')
  socket.close()
  await closed
  assert.equal(gateway.connections, 0)
})

test('at the end of the drain timeout both sides of a tunnel get Close 1001', async (t) => {
  const clock = new ManualClock()
  const { port, gateway, service } = await setUp(t, {}, { drainTimeout: '30s' }, { clock })
  const socket = await open(t, port)
  const ended = [once(socket, 'close'), once([...service.sockets.clients][0]!, 'close')]
  const closed = gateway.close()
  await echo(socket, 'still here')
  clock.advance(30_000)
  for (const end of ended) assert.equal((await end)[0], 1001)
  await closed
  await turnUntil('the tunnel to be released', () => holdings(gateway).busy === 0)
})

test('after a Close, the drain waits only briefly for answers', async (t) => {
  const clock = new ManualClock()
  const { port, gateway } = await setUp(t, {}, { drainTimeout: '30s' }, { clock })
  const socket = await open(t, port)
  socket.pause()
  const closed = gateway.close()
  clock.advance(30_000)
  assert.equal(gateway.connections, 1)
  clock.advance(1_300)
  await closed
  assert.equal(gateway.connections, 0)
})

test('a WebSocket that is silent for timeouts.idle gets a Close frame, and log and metrics give the reason', async (t) => {
  const clock = new ManualClock()
  const { port, service, log } = await setUp(t, {}, { service: { timeouts: { idle: '60s' } } }, { clock })
  const socket = await open(t, port)
  const [other] = service.sockets.clients
  const ended = [once(socket, 'close'), once(other!, 'close')]
  clock.advance(50_000)
  await echo(socket, 'not silent')
  clock.advance(50_000)
  assert.equal(socket.readyState, WebSocket.OPEN)
  clock.advance(10_300)
  for (const end of ended) assert.equal((await end)[0], 1001)
  const line = await log.line({ message: 'Reply or tunnel was idle for too long' })
  assert.deepEqual([line['level'], line['reason'], line['route']], ['warn', 'idle', 'all'])
  assert.match(String(line['detail']), /timeouts\.idle/)
  assert.equal((await scrape(port)).sum('sallyport_replies_broken_total', { reason: 'idle' }), 1)
})
