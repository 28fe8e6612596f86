import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Address, GatewayInput } from '../../src/gateway.ts'
import { serialOf } from '../support/certificates.ts'
import { cleanUp } from '../support/cleanup.ts'
import { send } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { connect, type Peer, startRawService } from '../support/peer.ts'
import { startRedis } from '../support/redis.ts'
import { authority, writeLeaf } from '../support/tls.ts'

const RELOADS = 200
const CLIENTS = 64
const BUSY = 16
const WEBSOCKETS = 50
const STREAMS = 5
const DRAIN = 100

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const UPGRADE = `GET /lasting/socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`
const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`
const EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
const LISTEN = 'GET /lasting/events HTTP/1.1\r\nHost: a\r\n\r\n'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** The size of the heap after garbage collection, in bytes. */
async function held(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  // What a socket holds is released a few turns after the socket.
  for (let i = 0; i < 10; i++) {
    await new Promise(setImmediate)
    collect()
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}

/** Answers, and keeps nothing; resolves with its URL. */
async function startPlain(t: TestContext): Promise<string> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (_, response) => void response.end('ok'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The serial number of the certificate in use. */
async function shown({ host, port }: Address): Promise<bigint> {
  const socket = connectTls({ host, port, servername: 'localhost', ca: authority.cert })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return BigInt(`0x${serialNumber}`)
}

test(`${RELOADS} reloads under load lose no request, WebSocket or event stream, and leave nothing behind`, async (t) => {
  const [one, two] = [await startPlain(t), await startPlain(t)]
  const atService: Peer[] = []
  const lasting = await startRawService(t, async (peer) => {
    const { start } = await peer.request()
    peer.write(start.includes('/events') ? EVENTS : SWITCHING)
    atService.push(peer)
  })
  const redis = await startRedis(t)
  const leaves = [authority.issue(), authority.issue()] as const
  const files = [writeLeaf(t, leaves[0]), writeLeaf(t, leaves[1])] as const
  /** Each differs from the previous one in routes, policies, instances, limits, stores, listeners and certificates. */
  const configuration = (i: number): GatewayInput => ({
    listeners: [
      { address: '127.0.0.1:0' },
      { address: '127.0.0.3:0', tls: { certificates: [files[i % 2 === 0 ? 0 : 1]] } },
      ...(i % 2 === 0 ? [] : [{ address: '127.0.0.2:0' }]),
    ],
    stores: { redis: i % 2 === 0 ? null : { url: redis.url } },
    admin: false,
    endpoints: { docs: false, openapi: false },
    drainTimeout: `${DRAIN}ms`,
    log: { access: false },
    limits: { body: i % 3 === 0 ? '1mb' : '2mb' },
    services: {
      plain: { instances: i % 4 < 2 ? [one] : [two, one], pool: { connections: 100 + (i % 5) } },
      lasting: { instances: [lasting.url], health: false },
    },
    policies: i % 2 === 0 ? {} : { 'correlation-id': { header: 'X-Request-ID' } },
    routes: [
      {
        id: 'plain',
        match: { path: '/plain/*' },
        service: 'plain',
        policies: { 'rate-limit': { tiers: { unauthenticated: '1000000/h' } } },
      },
      {
        id: 'cached',
        match: { path: '/cached' },
        service: 'plain',
        policies: { cache: { ttl: '1h', memory: i % 3 === 0 ? '1mb' : '2mb' } },
      },
      { id: 'lasting', match: { path: '/lasting/*' }, service: 'lasting' },
      { id: `route-${i % 7}`, match: { path: `/route-${i % 7}` }, reply: { body: String(i) } },
    ],
  })
  // What a configuration holds is released after a while; a fast machine would have many at the same time.
  const clock = new ManualClock(Date.now())
  const { gateway, port } = await startGateway(t, configuration(0), { level: 'error', clock })
  const open = async (request: string): Promise<Peer> => {
    const client = await connect(t, port)
    client.write(request)
    await client.until('\r\n\r\n')
    return client
  }
  const clients = await Promise.all([
    ...Array.from({ length: WEBSOCKETS }, () => open(UPGRADE)),
    ...Array.from({ length: STREAMS }, () => open(LISTEN)),
  ])

  const agent = new Agent({ keepAlive: true })
  cleanUp(t, () => agent.destroy())
  const statuses = new Map<number, number>()
  const ask = async (): Promise<void> => {
    const { status } = await send(port, { path: '/plain/x', agent })
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  // At least that many connections are open, some of them busy during each reload.
  await Promise.all(Array.from({ length: CLIENTS }, ask))
  let before = 0
  for (let i = 1; i <= RELOADS; i++) {
    const asking = Promise.all(Array.from({ length: BUSY }, ask))
    assert.equal((await gateway.reload(configuration(i))).outcome, 'applied')
    const answer = await send(port, { path: `/route-${i % 7}` })
    assert.equal(answer.text, String(i))
    assert.equal((await send(port, { path: '/cached' })).status, 200)
    assert.equal(await shown(gateway.addresses[1]!), serialOf(leaves[i % 2 === 0 ? 0 : 1].cert))
    await asking
    clock.advance(DRAIN)
    if (i === RELOADS / 2) before = await held()
  }
  const after = await held()

  t.diagnostic(`${statuses.get(200)} requests; ${before} bytes held after half of the reloads, ${after} after all`)
  assert.deepEqual([...statuses.keys()], [200])
  assert.equal(atService.length, WEBSOCKETS + STREAMS)
  for (const peer of atService) peer.write('2\r\nhi\r\n')
  for (const client of clients) await client.until('hi')
  assert.ok(after < before * 1.05, `${before} bytes were held after half of the reloads, ${after} after all`)
})
