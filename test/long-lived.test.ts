import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import type { Duration } from '../src/gateway.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'
import { poolOf, turnUntil } from './support/settled.ts'

const EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const UPGRADE = `GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`

/** A service that upgrades, sends events or answers, depending on the request, and records what lasts. */
async function setUp(t: TestContext, pool: { connections?: number; streams?: number; queueTimeout?: Duration } = {}) {
  const clock = new ManualClock()
  const lasting: Peer[] = []
  const service = await startRawService(t, async (peer) => {
    for (;;) {
      const { start } = await peer.request()
      if (start.includes('/plain')) {
        peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        continue
      }
      peer.write(start.includes('/events') ? EVENTS : SWITCHING)
      lasting.push(peer)
      if (!start.includes('/events')) return
    }
  })
  const { port, gateway, log } = await startGateway(t, proxyTo(service.url, { service: { pool } }), { clock })
  const size = () => poolOf(gateway)
  return { clock, lasting, port, log, size, gateway }
}

async function openEvents(t: TestContext, port: number): Promise<Peer> {
  const client = await connect(t, port)
  client.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(await client.until('\r\n\r\n'), / 200 /)
  return client
}

async function openSocket(t: TestContext, port: number): Promise<Peer> {
  const client = await connect(t, port)
  client.write(UPGRADE)
  assert.match(await client.until('\r\n\r\n'), / 101 /)
  return client
}

test('event streams and WebSockets do not use up the connections for other requests', async (t) => {
  const { port, size } = await setUp(t, { connections: 2, queueTimeout: '1ms' })
  for (let i = 0; i < 6; i++) await (i % 2 === 0 ? openEvents : openSocket)(t, port)
  assert.equal(size().streaming, 6)
  for (let i = 0; i < 6; i++) assert.equal((await send(port, { path: '/plain' })).text, 'ok')
})

test('a waiting request gets a connection as soon as another one turns out to be long-lived', async (t) => {
  const { port, size } = await setUp(t, { connections: 1 })
  const [events, plain] = [openEvents(t, port), send(port, { path: '/plain' })]
  await events
  assert.equal((await plain).text, 'ok')
  assert.equal(size().streaming, 1)
})

test('long-lived exchanges have their own limit: further ones are 503, and other requests continue', async (t) => {
  const { port, lasting, size } = await setUp(t, { streams: 2 })
  const first = await openEvents(t, port)
  await openSocket(t, port)
  for (const path of ['/events', '/events']) {
    const refused = await send(port, { path })
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['retry-after'], '5')
  }
  const client = await connect(t, port)
  client.write(UPGRADE)
  assert.match((await client.reply()).start, / 503 /)
  assert.equal((await send(port, { path: '/plain' })).text, 'ok')
  // The slot of one that has ended is free.
  lasting[0]!.write('0\r\n\r\n')
  await first.until('0\r\n\r\n')
  await turnUntil('the place to be free', () => size().streaming === 1)
  await openEvents(t, port)
})

test('the connection of an ended stream is returned to the pool if there is room', async (t) => {
  const { port, lasting, size } = await setUp(t, { connections: 1 })
  const client = await openEvents(t, port)
  lasting[0]!.write('0\r\n\r\n')
  await client.until('0\r\n\r\n')
  await turnUntil('the connection to be idle', () => size().idle === 1)
  assert.equal(size().streaming, 0)
  const again = await openEvents(t, port)
  assert.equal((await send(port, { path: '/plain' })).text, 'ok')
  lasting[1]?.write('0\r\n\r\n')
  again.reset()
  await turnUntil('the other stream to end', () => size().streaming === 0)
  assert.equal(size().idle, 1)
})

test('after a half-close by the client, a silent service frees the place within seconds', async (t) => {
  const { clock, port, lasting, size, gateway } = await setUp(t)
  const client = await openSocket(t, port)
  client.end()
  assert.equal(await lasting[0]!.closed(), 'end')
  // Exchanges in flight may complete.
  clock.advance(4_000)
  lasting[0]!.write('last words')
  assert.equal((await client.take(10)).toString(), 'last words')
  clock.advance(4_000)
  assert.equal(size().streaming, 1)
  clock.advance(1_500)
  await turnUntil('the connection to close', () => gateway.connections === 0)
  assert.equal(size().streaming, 0)
})
