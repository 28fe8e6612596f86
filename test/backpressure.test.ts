import assert from 'node:assert/strict'
import { request } from 'node:http'
import { request as requestSecurely } from 'node:https'
import type { Socket } from 'node:net'
import test from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { bytes } from './support/bytes.ts'
import { connect, startRawService } from './support/peer.ts'
import { isSecure } from './support/scheme.ts'
import { startService } from './support/service.ts'

const MEGABYTE = 1024 * 1024
/** Far above what the kernel and the gateway buffer for two connections. */
const TOTAL = 200 * MEGABYTE
/** What may be in transit: the socket buffers of the kernel, which grow, and little more. */
const BOUND = 40 * MEGABYTE

/** Writes until the peer has not read for many turns of the event loop; returns how much it took. */
async function pour(socket: Socket): Promise<number> {
  const chunk = bytes(MEGABYTE)
  let written = 0
  while (written < TOTAL) {
    written += chunk.length
    if (socket.write(chunk)) continue
    if (!(await drainsSoon(socket))) break
  }
  return written
}

/** Whether the socket drains within many idle turns of the event loop. */
async function drainsSoon(socket: Socket): Promise<boolean> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (!socket.writableNeedDrain) return true
    await new Promise(setImmediate)
  }
  return false
}

test('a client that does not read its reply stops the service, with bounded memory in the gateway', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  const before = process.memoryUsage().arrayBuffers
  peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`)
  await client.until('\r\n\r\n')
  client.socket.pause()
  const written = await pour(peer.socket)
  assert.ok(written < BOUND, `the service could write ${written} bytes`)
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * MEGABYTE)
})

test('a service that does not read the request stops the client, with bounded memory in the gateway', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { limits: { body: '1000mb' } }))
  const client = await connect(t, port)
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${TOTAL}\r\n\r\n`)
  client.write(bytes(100_000))
  const peer = await service.accept()
  await peer.until('\r\n\r\n')
  peer.socket.pause()
  const written = await pour(client.socket)
  assert.ok(written < BOUND, `the client could write ${written} bytes`)
  peer.reset()
})

test('a slow reader gets the whole reply, and the service continues as it reads', async (t) => {
  const body = bytes(30 * MEGABYTE)
  const service = await startService(t, (_, response) => void response.end(body))
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  let stops = 0
  client.socket.on('data', () => {
    if (++stops % 20 !== 0) return
    client.socket.pause()
    setImmediate(() => client.socket.resume())
  })
  const reply = await client.reply()
  assert.ok(reply.body.equals(body))
  assert.ok(stops > 20)
})

test('a client that reads nothing for writeTimeout is disconnected', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { limits: { writeTimeout: '60s' } }), { clock })
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`)
  await client.until('\r\n\r\n')
  client.socket.pause()
  await pour(peer.socket)
  clock.advance(59_000)
  assert.equal(peer.socket.destroyed, false)
  clock.advance(1_500)
  // Encrypted data was accepted a little later: the timeout starts again.
  if (isSecure(port)) clock.advance(60_000)
  await peer.closed()
  client.socket.resume()
  assert.equal(await client.closed(), 'reset')
})

for (const [name, begin] of [
  ['while it waits for the reply', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'in the middle of its body',
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'begin'.repeat(15_000)}`,
  ],
] as const)
  for (const how of name === 'in the middle of its body' ? (['end', 'reset'] as const) : (['reset'] as const))
    test(`a client that disconnects ${name} (${how}) ends the exchange with the service`, async (t) => {
      const service = await startRawService(t)
      const { port, log } = await startGateway(t, proxyTo(service.url))
      const client = await connect(t, port)
      client.write(begin)
      const peer = await service.accept()
      await peer.until('\r\n\r\n')
      client[how]()
      await peer.closed()
      assert.equal((await log.line({ message: 'API Gateway Request' }))['status_code'], 499)
      assert.deepEqual(
        log.lines.filter(({ level }) => level === 'error' || level === 'warn'),
        [],
      )
    })

test('a client that disconnects during its reply ends the exchange with the service', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin')
  await client.until('begin')
  client.reset()
  await peer.closed()
})

test('a client that disconnects while its request waits for a connection leaves nothing behind', async (t) => {
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url, { service: { pool: { connections: 1 } } }))
  const [first, second, third] = [await connect(t, port), await connect(t, port), await connect(t, port)]
  first.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  second.write('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  third.write('GET /3 HTTP/1.1\r\nHost: a\r\n\r\n')
  second.reset()
  await log.line({ url: `${isSecure(port) ? 'https' : 'http'}://a/2`, status_code: 499 })
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1')
  await first.reply()
  assert.match((await peer.request()).start, /\/3/)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3')
  assert.equal((await third.reply()).body.toString(), '3')
})

test('an early reply of a service that stops reading does not block the upload', async (t) => {
  const service = await startService(t, (_, response) => void response.writeHead(413).end('no'))
  const { port } = await startGateway(t, proxyTo(service.url, { limits: { body: '1000mb' } }))
  const status = await new Promise((resolve, reject) => {
    const ask = isSecure(port) ? requestSecurely : request
    const options = { host: '127.0.0.1', port, method: 'POST', agent: false, rejectUnauthorized: false } as const
    const outgoing = ask(options, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    outgoing.on('error', reject)
    outgoing.write(bytes(MEGABYTE))
  })
  assert.equal(status, 413)
})

test('pipelined replies to a client that does not read are bounded', async (t) => {
  const size = 14_000
  let requests = 0
  const service = await startRawService(t, async (peer) => {
    for (;;) {
      await peer.request()
      requests++
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`)
    }
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.socket.pause()
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(TOTAL / size))
  let before = -1
  while (requests !== before) {
    before = requests
    for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate)
  }
  assert.ok(requests * size < BOUND, `the gateway took ${requests * size} bytes of replies`)
  client.socket.resume()
  for (let i = 0; i < requests; i++) assert.equal((await client.reply()).body.length, size)
})

test('a client that half-closes its connection after its request gets the whole reply', async (t) => {
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  client.end()
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  await client.until('hello')
  peer.write('5\r\nworld\r\n0\r\n\r\n')
  assert.match((await client.rest()).toString('latin1'), /world\r\n0\r\n\r\n$/)
  assert.equal((await log.line({ message: 'API Gateway Request' }))['status_code'], 200)
})

for (const leaves of ['closes', 'resets'] as const)
  test(`a client that ${leaves} its connection ends the exchange at once, before any part of the reply`, async (t) => {
    const service = await startRawService(t)
    const { port, log } = await startGateway(t, proxyTo(service.url))
    const client = await connect(t, port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const peer = await service.accept()
    await peer.request()
    if (leaves === 'closes') client.socket.destroy()
    else client.reset()
    await peer.closed()
    assert.equal((await log.line({ message: 'API Gateway Request' }))['status_code'], 499)
  })

test('after a half-close an interim reply checks that the client is still there, and it gets its reply', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  client.end()
  const peer = await service.accept()
  await peer.request()
  await client.until('HTTP/1.1 100 Continue\r\n\r\n')
  await client.until('HTTP/1.1 100 Continue\r\n\r\n')
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
  assert.match((await client.rest()).toString('latin1'), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/)
})

test('a disconnect of an HTTP/1.0 client is only detected when the reply is written, as it may not get interim replies', async (t) => {
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  client.socket.destroy()
  peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  const closed = peer.closed()
  const writing = setInterval(() => peer.write('5\r\nhello\r\n'))
  await closed
  clearInterval(writing)
  await log.line({ message: 'API Gateway Request' })
})
