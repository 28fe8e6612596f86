import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../../src/gateway.ts'
import { send } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { connect, type Peer, startRawService } from '../support/peer.ts'
import { turnUntil } from '../support/settled.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`
const EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
const DOWNLOAD = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'
const TIME = 3000
/** 1001, as sent by a server. */
const GOING_AWAY = '\x88\x02\x03\xe9'

/** A service that keeps long-lived exchanges, and accepts uploads until they are complete. */
async function startLasting(t: TestContext) {
  const stored: Peer[] = []
  const service = await startRawService(t, async (peer) => {
    const start = await peer.until('\r\n\r\n')
    if (start.startsWith('GET /socket')) peer.write(SWITCHING)
    else if (start.startsWith('GET /events')) peer.write(`${EVENTS}5\r\nfirst\r\n`)
    else if (start.startsWith('GET /download')) peer.write(`${DOWNLOAD}first`)
    if (!start.startsWith('POST')) {
      stored.push(peer)
      return
    }
    await peer.take(200_000)
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  return { kept: stored, url: `http://127.0.0.1:${service.port}` }
}

/** The routes with that name lead to that service. */
function leading(services: Readonly<Record<string, string>>, routes: Readonly<Record<string, string>>): GatewayInput {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    endpoints: { docs: false, openapi: false },
    drainTimeout: `${TIME}ms`,
    services: Object.fromEntries(
      Object.entries(services).map(([name, url]) => [name, { instances: [url], health: false as const }]),
    ),
    routes: Object.entries(routes).map(([id, service]) => ({ id, match: { path: `/*`, host: `${id}.test` }, service })),
  }
}

async function openSocket(t: TestContext, port: number, host: string): Promise<Peer> {
  const client = await connect(t, port)
  client.write(
    `GET /socket HTTP/1.1\r\nHost: ${host}.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  )
  assert.match(await client.until('\r\n\r\n'), / 101 /)
  return client
}

async function open(t: TestContext, port: number, host: string, path: string): Promise<Peer> {
  const client = await connect(t, port)
  client.write(`GET ${path} HTTP/1.1\r\nHost: ${host}.test\r\n\r\n`)
  assert.match(await client.until('first'), / 200 /)
  return client
}

/** Starts an upload of 200,000 bytes, and sends half of it. */
async function upload(t: TestContext, port: number, host: string): Promise<Peer> {
  const client = await connect(t, port)
  client.write(`POST /upload HTTP/1.1\r\nHost: ${host}.test\r\nContent-Length: 200000\r\n\r\n${'a'.repeat(100_000)}`)
  return client
}

async function closedTunnels(port: number): Promise<number> {
  const { text } = await send(port, { path: '/metrics' })
  return Number(/^sallyport_tunnels_closed_total\{reason="reload"\} (\d+)$/m.exec(text)?.[1])
}

test('tunnels and streams whose route still leads to their service survive a reload', async (t) => {
  const { kept, url } = await startLasting(t)
  const other = await startLasting(t)
  const clock = new ManualClock()
  const { gateway, port } = await startGateway(t, leading({ one: url }, { a: 'one' }), { clock })
  const socket = await openSocket(t, port, 'a')
  const events = await open(t, port, 'a', '/events')
  const download = await open(t, port, 'a', '/download')
  const sending = await upload(t, port, 'a')
  await turnUntil(
    'all exchanges to start',
    () => kept.length === 3 && Object.values(gateway.pools['one']!)[0]!.busy === 2,
  )
  await gateway.reload(leading({ one: url, two: other.url }, { a: 'one', b: 'two' }))
  // Another instance instead of the one that they use.
  await gateway.reload(leading({ one: other.url }, { a: 'one', b: 'one' }))
  clock.advance(TIME)
  for (const peer of kept) peer.write('5\r\nagain\r\n')
  for (const peer of [socket, events, download]) await peer.until('again')
  socket.write('to the service')
  await kept[0]!.until('to the service')
  sending.write('b'.repeat(100_000))
  assert.equal((await sending.reply()).body.toString(), 'ok')
  assert.equal(await closedTunnels(port), 0)
  for (const peer of kept) peer.reset()
})

test('on a split route, exchanges with a service that stays continue', async (t) => {
  const { kept, url } = await startLasting(t)
  const other = await startLasting(t)
  const clock = new ManualClock()
  const divided = (services: Record<string, number>): GatewayInput => ({
    ...leading({ one: url, two: other.url }, {}),
    routes: [{ id: 'a', match: { path: '/*' }, split: { services, header: 'to' } }],
  })
  const { gateway, port } = await startGateway(t, leading({ one: url, two: other.url }, { a: 'one' }), { clock })
  const stays = await openSocket(t, port, 'a')
  await gateway.reload(divided({ one: 1, two: 0 }))
  const ends = await connect(t, port)
  ends.write('GET /events HTTP/1.1\r\nHost: a.test\r\nTo: two\r\n\r\n')
  await ends.until('first')
  await gateway.reload(divided({ one: 1 }))
  clock.advance(TIME)
  await ends.closed()
  kept[0]!.write('still there')
  await stays.until('still there')
  assert.equal(await closedTunnels(port), 1)
  for (const peer of [...kept, ...other.kept]) peer.reset()
})

test('exchanges whose route is gone end: WebSockets get Close, streams and uploads are cut off', async (t) => {
  const { kept, url } = await startLasting(t)
  const clock = new ManualClock()
  const before = leading({ one: url }, { gone: 'one', moved: 'one', stays: 'one' })
  const { gateway, port, log } = await startGateway(t, before, { clock })
  const sockets = [await openSocket(t, port, 'gone'), await openSocket(t, port, 'moved')]
  const streams = [await open(t, port, 'gone', '/events'), await open(t, port, 'gone', '/download')]
  const sending = await upload(t, port, 'moved')
  const stays = await openSocket(t, port, 'stays')
  await turnUntil(
    'all exchanges to start',
    () => kept.length === 5 && Object.values(gateway.pools['one']!)[0]!.busy === 2,
  )
  await gateway.reload(leading({ one: url, two: url }, { moved: 'two', stays: 'one' }))
  clock.advance(TIME / 3)
  assert.equal(await sockets[0]!.until(GOING_AWAY), GOING_AWAY)
  clock.advance(TIME)
  for (const socket of sockets.slice(1)) assert.equal(await socket.until(GOING_AWAY), GOING_AWAY)
  for (const stream of streams) assert.equal(await stream.closed(), 'reset')
  const { start, fields, body } = await sending.reply()
  assert.match(start, / 503 /)
  assert.equal(fields.get('Retry-After'), '1')
  assert.match(body.toString(), /"Route changed"/)
  assert.equal(await closedTunnels(port), 5)
  assert.equal(
    (
      await log.line({
        message: 'WebSockets and event streams end: their routes lead elsewhere, or their listener is gone',
      })
    )['tunnels'],
    3,
  )
  kept.at(-1)!.write('still here')
  await stays.until('still here')
  for (const peer of kept) peer.reset()
})

test('exchanges over a removed listener end gradually, and those over others continue', async (t) => {
  const { kept, url } = await startLasting(t)
  const clock = new ManualClock()
  const [stays, goes] = [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', redirectToHttps: false } as const]
  const config = (listeners: GatewayInput['listeners']) => ({ ...leading({ one: url }, { a: 'one' }), listeners })
  const { gateway, port } = await startGateway(t, config([stays, goes]), { clock })
  const removed = gateway.addresses[1]!.port
  const over = [
    await openSocket(t, removed, 'a'),
    await open(t, removed, 'a', '/events'),
    await openSocket(t, removed, 'a'),
  ]
  const socket = await openSocket(t, port, 'a')
  await turnUntil('all exchanges to start', () => kept.length === 4)
  await gateway.reload(config([stays]))
  clock.advance(TIME / 4)
  assert.equal(await over[0]!.until(GOING_AWAY), GOING_AWAY)
  assert.equal(await closedTunnels(port), 1)
  clock.advance(TIME / 4)
  assert.equal(await over[1]!.closed(), 'reset')
  clock.advance(TIME / 4)
  assert.equal(await over[2]!.until(GOING_AWAY), GOING_AWAY)
  assert.equal(await closedTunnels(port), 3)
  clock.advance(TIME)
  kept.at(-1)!.write('still here')
  await socket.until('still here')
  for (const peer of kept) peer.reset()
})
