import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { cleanUp } from '../support/cleanup.ts'
import { send } from '../support/client.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import * as h2 from '../support/http2-frames.ts'
import {
  replyHead,
  type ServicePeer,
  startHttp2Service,
  startPeeredService,
  wholeReply,
} from '../support/http2-service.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { connect } from '../support/peer.ts'
import { turnUntil } from '../support/settled.ts'
import { authority, startTlsService } from '../support/tls-service.ts'

const { Code } = h2

/** A gateway in front of services controlled by the test. */
async function before(t: TestContext, urls: string | readonly string[], service: object = {}, options: object = {}) {
  return startGateway(
    t,
    proxyTo(urls, { listeners: [{ address: '127.0.0.1:0' }], service: { http2: true, ...service } }),
    options,
  )
}

const logged = { message: 'API Gateway Request' }
const failed = { message: 'Request failed in the service' }

test('a service that does not speak HTTP/2 gets no requests, and the error says so', async (t) => {
  const server = createServer((_, response) => void response.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const { port: to } = server.address() as AddressInfo
  const { port, log } = await before(t, `http://127.0.0.1:${to}`)
  assert.equal((await send(port, { method: 'POST', body: 'x' })).status, 503)
  assert.match(JSON.stringify(await log.line(failed)), /does not speak HTTP\/2: check http2 of the service/)
})

test('over TLS, too, a service that accepts no requests cannot be reached, and no handshake is blamed', async (t) => {
  const service = await startHttp2Service(t, () => {}, { secure: true, settings: { maxConcurrentStreams: 0 } })
  const clock = new ManualClock()
  const { port, log } = await before(t, service.url, { tls: { ca: authority.cert } }, { clock })
  const reply = send(port)
  await turnUntil('an acknowledgement', () => service.sessions[0]?.pendingSettingsAck === false)
  clock.advance(3000)
  assert.equal((await reply).status, 503)
  assert.match(JSON.stringify(await log.line(failed)), /SETTINGS_MAX_CONCURRENT_STREAMS is 0/)
})

test('over TLS, a service that does not negotiate h2 is 502', async (t) => {
  for (const ALPNProtocols of [['http/1.1'], []]) {
    const service = await startTlsService(t, { ALPNProtocols })
    const { port, log } = await before(t, service.url, { tls: { ca: authority.cert } })
    const { status, text } = await send(port)
    assert.equal(status, 502)
    assert.match(text, /No secure connection to the service could be made/)
    assert.match(JSON.stringify(await log.line(failed)), /does not offer HTTP\/2|version of HTTP/)
    assert.deepEqual(service.requests, [])
  }
})

test('a service with HTTP/2 only is 502 if http2 is off', async (t) => {
  const service = await startHttp2Service(t, (stream) => stream.respond({ ':status': 200 }, { endStream: true }), {
    secure: true,
  })
  const { port } = await before(t, service.url, { http2: false, tls: { ca: authority.cert } })
  assert.equal((await send(port)).status, 502)
})

test('a new connection is opened only if all are full, up to the limit', async (t) => {
  const service = await startPeeredService(t, (peer) => peer.greet({ 3: 2 }))
  const { port, gateway } = await before(t, service.url, { pool: { connections: 2 } })
  const replies = [1, 2, 3, 4, 5].map((n) => send(port, { path: `/${n}` }))
  const [one, two] = [await service.peer(0), await service.peer(1)]
  await one.until('two requests', () => one.requests.size === 2)
  await two.until('two requests', () => two.requests.size === 2)
  const { size } = { size: () => Object.values(gateway.pools['backend'] ?? {})[0] }
  assert.deepEqual(size(), { idle: 0, busy: 2, connecting: 0, streaming: 0, waiting: 1 })
  for (const [id, { path }] of one.requests) one.write(wholeReply(id, path))
  await one.until('the one that waited', () => one.requests.size === 3)
  for (const peer of [one, two])
    for (const [id, { path, ended }] of peer.requests)
      if (ended && !(peer === one && id < 5)) peer.write(wholeReply(id, path))
  const texts = (await Promise.all(replies)).map(({ text }) => text)
  assert.deepEqual(texts, ['/1', '/2', '/3', '/4', '/5'])
  assert.equal(service.peers.length, 2)
  assert.deepEqual(size(), { idle: 2, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('when a client disconnects its stream is reset at once, and the connection stays in use', async (t) => {
  const service = await startPeeredService(t)
  const { port } = await before(t, service.url)
  const client = await connect(t, port)
  client.write('GET /left HTTP/1.1\r\nHost: a\r\n\r\n')
  const stays = send(port, { path: '/stays' })
  const peer = await service.peer(0)
  const [removed, other] = [await peer.request('/left'), await peer.request('/stays')]
  client.reset()
  assert.equal(await peer.reset(removed), Code.cancel)
  // Frames that were in transit are not an error.
  peer.write(wholeReply(removed, 'late'), wholeReply(other, 'there'))
  assert.equal((await stays).text, 'there')
  assert.equal(service.peers.length, 1)
})

test('an early reply ends the upload, and the connection stays in use', async (t) => {
  const service = await startPeeredService(t)
  const { port } = await before(t, service.url)
  const big = send(port, { method: 'POST', path: '/big', body: Buffer.alloc(1_000_000) })
  const peer = await service.peer(0)
  const id = await peer.request('/big')
  peer.write(wholeReply(id, 'too large', 413), h2.reset(id, Code.none))
  assert.equal((await big).status, 413)
  assert.equal(await peer.reset(id), Code.cancel)
  const next = send(port, { path: '/next' })
  peer.write(wholeReply(await peer.request('/next'), 'fine'))
  assert.equal((await next).text, 'fine')
  assert.equal(service.peers.length, 1)
})

test('a refused stream is sent again, whatever the method, and the instance stays available', async (t) => {
  const refusing = (peer: ServicePeer): void => peer.greet()
  const service = await startPeeredService(t, refusing)
  const { port, log } = await before(t, service.url)
  const reply = send(port, { method: 'POST', path: '/once', body: 'the body' })
  const peer = await service.peer(0)
  const first = await peer.request('/once')
  await peer.whole(first)
  peer.write(h2.reset(first, Code.refused))
  const second = await service.peer(1)
  const again = await second.request('/once')
  assert.equal((await second.whole(again)).body, 'the body')
  second.write(wholeReply(again, 'done'))
  assert.equal((await reply).text, 'done')
  const line = await log.line(logged)
  assert.equal(line['status_code'], 200)
})

test('a request that is always refused is 503 after four tries on two connections', async (t) => {
  let received = 0
  const service = await startHttp2Service(t, (stream) => {
    received++
    stream.close(Code.refused)
  })
  const { port } = await before(t, service.url)
  for (let n = 1; n <= 5; n++) {
    assert.equal((await send(port, { path: '/never', method: 'POST', body: 'x' })).status, 503)
    assert.equal(received, 4 * n)
  }
  assert.equal(service.sessions.length, 2)
})

test('GOAWAY: unprocessed requests are sent again on another connection, the others are answered', async (t) => {
  const service = await startPeeredService(t)
  const { port } = await before(t, service.url)
  const replies = ['/1', '/2', '/3'].map((path) => send(port, { path, method: 'POST', body: 'x' }))
  const peer = await service.peer(0)
  await peer.until('three requests', () => peer.requests.size === 3)
  const [first = 0] = peer.requests.keys()
  peer.write(h2.frame(h2.Type.goaway, 0, 0, Buffer.concat([h2.int32(first), h2.int32(0)])))
  const second = await service.peer(1)
  await second.until('two requests', () => second.requests.size === 2)
  for (const [id, { path }] of second.requests) second.write(wholeReply(id, `again ${path}`))
  peer.write(wholeReply(first, `first ${peer.of(first).path}`))
  const texts = (await Promise.all(replies)).map(({ text }) => text)
  const paths = ['/1', '/2', '/3'].map((path) => (path === peer.of(first).path ? `first ${path}` : `again ${path}`))
  assert.deepEqual(texts, paths)
  // It carries no streams any more.
  await peer.closed()
})

test('an incomplete reply only ends its own stream', async (t) => {
  const service = await startPeeredService(t)
  const { port } = await before(t, service.url, { retry: false })
  const broken = send(port, { path: '/broken' })
  const early = send(port, { path: '/before' })
  const other = send(port, { path: '/other' })
  const peer = await service.peer(0)
  const [one, two, three] = [await peer.request('/broken'), await peer.request('/before'), await peer.request('/other')]
  peer.write(replyHead(one, 200, [['content-length', '10']]), h2.data(one, 'half'), h2.ping('are you!'))
  await peer.until('an answer', () => peer.pongs.length > 0)
  peer.write(h2.reset(one, Code.internal), h2.reset(two, Code.internal), wholeReply(three, 'whole'))
  await assert.rejects(broken)
  const { status, text } = await early
  assert.equal(status, 502)
  assert.match(text, /reset the stream \(INTERNAL_ERROR\)/)
  assert.equal((await other).text, 'whole')
})

test('an unused connection is closed with GOAWAY after pool.idleTimeout', async (t) => {
  const clock = new ManualClock()
  const service = await startPeeredService(t)
  const { port } = await before(t, service.url, { pool: { idleTimeout: '10s' } }, { clock })
  const reply = send(port, { path: '/' })
  const peer = await service.peer(0)
  peer.write(wholeReply(await peer.request('/'), 'x'))
  await reply
  clock.advance(9_000)
  assert.deepEqual(peer.goaways, [])
  clock.advance(2_000)
  assert.equal(await peer.closed(), 'end')
  assert.deepEqual(
    peer.goaways.map(({ last, code }) => [last, code]),
    [[0, Code.none]],
  )
})

test('a dead connection is detected by PING, unlike a busy one, and gets no more requests', async (t) => {
  const clock = new ManualClock()
  const service = await startPeeredService(t)
  const { port } = await before(t, service.url, { timeouts: { response: '300s' } }, { clock })
  const waiting = send(port, { path: '/', method: 'POST' })
  const peer = await service.peer(0)
  await peer.request('/')
  clock.advance(6_000)
  await peer.until('a PING', () => peer.pings.length === 1)
  // The service is busy for a while.
  clock.advance(19_000)
  peer.write(h2.ping(peer.pings[0], h2.ACK), h2.ping('are you!'))
  await peer.until('an answer', () => peer.pongs.length === 1)
  clock.advance(6_000)
  clock.advance(25_000)
  await peer.until('another PING', () => peer.pings.length === 2)
  clock.advance(21_000)
  assert.equal((await waiting).status, 502)
  const next = send(port, { path: '/next' })
  const second = await service.peer(1)
  second.write(wholeReply(await second.request('/next'), 'alive'))
  assert.equal((await next).text, 'alive')
})
