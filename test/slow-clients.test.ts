import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { poolOf, turnUntil } from './support/settled.ts'

const post = (fields: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`

test('300 stalled uploads, with one byte or none, do not use up the connections to the service', async (t) => {
  const service = await startService(t)
  const { port, gateway } = await startGateway(
    t,
    proxyTo(service.url, { service: { pool: { connections: 4, queueTimeout: '1ms' } } }),
  )
  const slow: Peer[] = []
  for (let i = 0; i < 300; i++) {
    const client = await connect(t, port)
    client.write(
      `${post(i % 3 === 0 ? 'Transfer-Encoding: chunked' : 'Content-Length: 1000')}${i % 2 === 0 ? '1' : ''}`,
    )
    slow.push(client)
  }
  await turnUntil('all connections', () => gateway.connections === 300)
  for (let i = 0; i < 20; i++) assert.equal((await send(port, { method: 'POST', body: 'body' })).status, 200)
  assert.equal(poolOf(gateway).busy, 0)
})

test('stalled uploads that wait for 100 Continue give their connections up for others', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t, async (peer) => {
    for (;;) {
      const { start } = await peer.request()
      if (start.startsWith('GET')) peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }
  })
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { service: { pool: { connections: 4 } } }), {
    clock,
  })
  const size = () => poolOf(gateway)
  for (let i = 0; i < 8; i++) {
    const client = await connect(t, port, '127.0.0.2')
    client.write(post('Expect: 100-continue\r\nContent-Length: 1000'))
  }
  await turnUntil('all uploads to wait or be sent', () => size().waiting === 4 && size().busy === 4)
  const other = send(port)
  await turnUntil('another', () => size().waiting === 5)
  for (let i = 0; i < 4; i++) {
    clock.advance(600)
    await turnUntil('all connections to be open', () => size().connecting === 0)
  }
  assert.equal((await other).status, 200)
})

test('a small body is buffered before it takes a connection, and sent in one piece', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(post('Content-Length: 11'))
  for (const piece of ['a ', 'slow ']) await client.writeInPieces([piece])
  assert.equal(service.connections, 0)
  client.write('body')
  const peer = await service.accept()
  const { body } = await peer.request()
  assert.equal(body.toString(), 'a slow body')
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.match((await client.reply()).start, /200/)
})

test('a long body takes a connection once the buffer is full, and is streamed from then on', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(post('Content-Length: 100000'))
  await client.writeInPieces(['a'.repeat(30_000), 'b'.repeat(30_000)])
  assert.equal(service.connections, 0)
  client.write('c'.repeat(10_000))
  const peer = await service.accept()
  await peer.until('c'.repeat(10_000))
  client.write('d'.repeat(30_000))
  await peer.until('d'.repeat(30_000))
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.match((await client.reply()).start, /200/)
})

test('a chunked body that pauses is forwarded after a second', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url), { clock })
  const client = await connect(t, port)
  client.write(post('Transfer-Encoding: chunked'))
  await turnUntil('the request to arrive', () => gateway.watched > 1)
  clock.advance(3_000)
  await client.writeInPieces(['5\r\nhello\r\n'])
  assert.equal(service.connections, 0)
  clock.advance(1_200)
  const peer = await service.accept()
  await peer.until('5\r\nhello\r\n')
  peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthere\r\n')
  await client.until('5\r\nthere\r\n')
  // After an upgrade, no rate applies.
  clock.advance(20_000)
  client.write('3\r\nbye\r\n0\r\n\r\n')
  await peer.until('3\r\nbye\r\n0\r\n\r\n')
  peer.write('0\r\n\r\n')
  await client.until('0\r\n\r\n')
})

test('trailers of a buffered body are forwarded', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(post('Transfer-Encoding: chunked'))
  await client.writeInPieces(['5\r\nhello\r\n', '0\r\nX-Sum: 1\r\n\r\n'])
  const peer = await service.accept()
  await peer.until('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n')
})

test('a client that disconnects or stalls while its body is buffered causes no request to the service', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, log, gateway } = await startGateway(t, proxyTo(service.url), { clock })
  const [leaving, stalling] = [await connect(t, port), await connect(t, port)]
  leaving.write(post('Content-Length: 10'))
  stalling.write(`${post('Content-Length: 10')}1`)
  await turnUntil('both', () => gateway.connections === 2)
  leaving.reset()
  assert.equal((await log.line({ status_code: 499 }))['instance'], null)
  clock.advance(31_000)
  assert.match((await stalling.reply()).start, /408/)
  assert.equal(service.connections, 0)
})

test('if the service is too busy for a long upload, the reply is 503 and the connection closes', async (t) => {
  const service = await startRawService(t)
  const config = proxyTo(service.url, { service: { pool: { connections: 1, queue: 0 } } })
  const { port } = await startGateway(t, config)
  const first = await connect(t, port)
  first.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await (await service.accept()).request()
  const client = await connect(t, port)
  client.write(post('Content-Length: 1000000'))
  client.write('a'.repeat(200_000))
  const reply = await client.reply()
  assert.match(reply.start, /503/)
  assert.equal(reply.fields.get('Connection'), 'close')
  assert.equal(await client.closed(), 'end')
})

const MEGABYTE = 1024 * 1024
/** More than sockets and the gateway buffer. */
const LONG = Buffer.alloc(100 * MEGABYTE)

/** Turns the event loop until nothing more is read from the socket. */
async function stuck({ socket }: Peer): Promise<void> {
  let before = -1
  for (let same = 0; same < 200;) {
    await new Promise(setImmediate)
    same = socket.bytesWritten - socket.writableLength === before && socket.writableNeedDrain ? same + 1 : 0
    before = socket.bytesWritten - socket.writableLength
  }
}

/** Clients that do not read a long reply occupy every connection; others send requests meanwhile. */
async function holdAll(t: TestContext, addresses: readonly string[]) {
  const clock = new ManualClock()
  const downloads: Peer[] = []
  const service = await startRawService(t, async (peer) => {
    for (;;) {
      const { start } = await peer.request()
      if (!start.includes('/long')) {
        peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        continue
      }
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LONG.length}\r\n\r\n`)
      peer.write(LONG)
      downloads.push(peer)
      return
    }
  })
  const config = proxyTo(service.url, { service: { pool: { connections: addresses.length, queueTimeout: '2s' } } })
  const { port, gateway, log } = await startGateway(t, config, { clock })
  const clients: Peer[] = []
  for (const address of addresses) {
    const client = await connect(t, port, address)
    client.socket.pause()
    client.write('GET /long HTTP/1.1\r\nHost: a\r\n\r\n')
    clients.push(client)
  }
  await turnUntil('the downloads to start', () => downloads.length === addresses.length)
  for (const peer of downloads) await stuck(peer)
  return { clock, port, gateway, log, clients, waiting: () => poolOf(gateway).waiting }
}

test('a stalled client with most of the connections is cut off soon when another client waits', async (t) => {
  const hog = '127.0.0.2'
  const { clock, port, gateway, log, waiting } = await holdAll(t, [hog, hog, hog, '127.0.0.3'])
  clock.advance(600)
  const pending = send(port)
  assert.equal((await pending).text, 'ok')
  const ended = await log.line({ url: 'http://a/long', code: 'request-timeout' })
  assert.equal(ended['ip_address'], hog)
  assert.equal(waiting(), 0)
  assert.equal(poolOf(gateway).busy, 3)
  assert.match((await send(port, { path: '/metrics' })).text, /sallyport_slow_clients_total\{reason="waited-for"\} 1\n/)
})

test('stalled clients are cut off after five seconds when others wait, whoever they are', async (t) => {
  const { clock, port, waiting, log } = await holdAll(t, ['127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.3'])
  clock.advance(3_500)
  const requested = [send(port), send(port)]
  await turnUntil('both requests to wait', () => waiting() === 2)
  clock.advance(1_000)
  assert.equal(waiting(), 2)
  assert.equal(log.requests.length, 0)
  clock.advance(700)
  for (const each of requested) assert.equal((await each).text, 'ok')
})

test('stalled clients are not cut off while nobody waits', async (t) => {
  const { clock, gateway } = await holdAll(t, ['127.0.0.2', '127.0.0.2'])
  clock.advance(50_000)
  assert.equal(gateway.connections, 2)
  assert.equal(poolOf(gateway).busy, 2)
})

test('a long upload that stalls gets 408 when others wait', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const config = proxyTo(service.url, { service: { pool: { connections: 1 } } })
  const { port, gateway } = await startGateway(t, config, { clock })
  const client = await connect(t, port, '127.0.0.2')
  client.write(post('Content-Length: 100000') + 'a'.repeat(80_000))
  const upload = await service.accept()
  await upload.until('a'.repeat(80_000))
  clock.advance(600)
  const other = await connect(t, port)
  other.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  assert.equal((await other.reply()).body.toString(), 'ok')
  assert.match((await client.reply()).start, / 408 /)
  await upload.closed()
  assert.equal(poolOf(gateway).waiting, 0)
})

test('a body below the minimum rate is 408, however often a byte arrives', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url), { clock })
  const [slow, fine] = [await connect(t, port), await connect(t, port)]
  for (const client of [slow, fine]) client.write(post('Content-Length: 20000'))
  for (let i = 0; i < 10; i++) {
    await Promise.all([slow.writeInPieces(['x']), fine.writeInPieces(['x'.repeat(250)])])
    clock.advance(1_000)
  }
  const reply = await slow.reply()
  assert.match(reply.start, / 408 /)
  assert.match(reply.body.toString(), /too slowly/)
  assert.equal(await slow.closed(), 'end')
  assert.equal(service.connections, 0)
  fine.write('x'.repeat(17_500))
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.match((await fine.reply()).start, / 200 /)
  await log.line({ status_code: 408, code: 'request-timeout' })
  assert.match((await send(port, { path: '/metrics' })).text, /sallyport_slow_clients_total\{reason="body-rate"\} 1\n/)
})

test('a pause of the service does not count against the client', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const config = proxyTo(service.url, { limits: { body: '100mb' }, service: { timeouts: { response: '1h' } } })
  const { port } = await startGateway(t, config, { clock })
  const client = await connect(t, port)
  client.write(post(`Content-Length: ${50 * MEGABYTE}`))
  client.write(LONG.subarray(0, 50 * MEGABYTE))
  const peer = await service.accept()
  await peer.until('\r\n\r\n')
  peer.socket.pause()
  await stuck(client)
  clock.advance(1_800_000)
  peer.socket.resume()
  await peer.take(50 * MEGABYTE)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.match((await client.reply()).start, / 200 /)
})

test('a reply read below the minimum rate is reset', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const config = proxyTo(service.url, { limits: { minRate: 100 * MEGABYTE, writeTimeout: '1h' } })
  const { port, log } = await startGateway(t, config, { clock })
  const client = await connect(t, port)
  client.socket.pause()
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LONG.length}\r\n\r\n`)
  peer.write(LONG)
  await stuck(peer)
  clock.advance(4_500)
  assert.equal(log.requests.length, 0)
  clock.advance(2_000)
  await peer.closed()
  client.socket.resume()
  assert.equal(await client.closed(), 'reset')
  await log.line({ status_code: 200, code: 'request-timeout' })
  assert.match((await send(port, { path: '/metrics' })).text, /sallyport_slow_clients_total\{reason="reply-rate"\} 1\n/)
})

test('an event stream that is silent for an hour does not count as slow', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { service: { timeouts: { idle: '2h' } } }), { clock })
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
  await client.until('\r\n\r\n')
  for (const event of ['5\r\nfirst\r\n', '4\r\nlast\r\n']) {
    clock.advance(3_600_000)
    peer.write(event)
    await client.until(event)
  }
})
