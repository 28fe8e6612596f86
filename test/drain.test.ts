import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import type { Message } from './support/message.ts'
import { connect, type Peer, refused, startRawService } from './support/peer.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, gateway, log } = await startGateway(t, proxyTo(service.url, { drainTimeout: '30s', ...config }), {
    clock,
  })
  return { clock, service, port, gateway, log }
}

test('a request in flight is answered, and then its connections are closed', async (t) => {
  const { service, port, gateway } = await setUp(t)
  const client = await connect(t, port)
  client.write(GET)
  const peer = await service.accept()
  await peer.request()
  const closed = gateway.close()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate')
  const reply = await client.reply()
  assert.equal(reply.body.toString(), 'late')
  assert.equal(reply.fields.get('Connection'), 'close')
  assert.equal(await client.closed(), 'end')
  client.end()
  await closed
  await peer.closed()
  assert.equal(gateway.connections, 0)
})

test('bodies in transit arrive completely in both directions', async (t) => {
  const { service, port, gateway } = await setUp(t)
  const [uploading, downloading] = [await connect(t, port), await connect(t, port)]
  uploading.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70010\r\n\r\n${'a'.repeat(70_000)}first`)
  const upload = await service.accept()
  await upload.until('first')
  downloading.write(GET)
  const download = await service.accept()
  await download.request()
  download.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
  await downloading.until('5\r\nfirst\r\n')
  const closed = gateway.close()
  uploading.write(' then')
  await upload.until(' then')
  upload.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await uploading.reply()
  download.write('4\r\nlast\r\n0\r\n\r\n')
  await downloading.until('4\r\nlast\r\n0\r\n\r\n')
  for (const client of [uploading, downloading]) {
    assert.equal(await client.closed(), 'end')
    client.end()
  }
  await closed
})

test('a body that is still being buffered arrives completely, and its request is answered', async (t) => {
  const { service, port, gateway } = await setUp(t)
  const client = await connect(t, port)
  await client.writeInPieces(['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst'])
  const closed = gateway.close()
  client.write(' then')
  const peer = await service.accept()
  assert.equal((await peer.request()).body.toString(), 'first then')
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.match((await client.reply()).start, /200/)
  assert.equal(await client.closed(), 'end')
  client.end()
  await closed
})

test('idle connections are closed at once, and new ones are refused', async (t) => {
  const { service, port, gateway } = await setUp(t)
  const [used, unused] = [await connect(t, port), await connect(t, port)]
  used.write(GET)
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await used.reply()
  const closed = gateway.close()
  for (const client of [used, unused]) {
    assert.equal(await client.closed(), 'end')
    client.end()
  }
  await closed
  await refused(port)
})

test('pipelined requests after the current one are not served', async (t) => {
  const { service, port, gateway } = await setUp(t)
  const client = await connect(t, port)
  client.write(GET + GET)
  const peer = await service.accept()
  await peer.request()
  const closed = gateway.close()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.equal((await client.reply()).fields.get('Connection'), 'close')
  assert.equal(await client.closed(), 'end')
  client.end()
  await closed
  assert.equal(peer.received.length, 0)
})

test('whatever has not ended by the deadline is cut off', async (t) => {
  const { clock, service, port, gateway } = await setUp(t, { service: { timeouts: { response: '1h' } } })
  const client = await connect(t, port)
  client.write(GET)
  const peer = await service.accept()
  await peer.request()
  const closed = gateway.close()
  clock.advance(29_900)
  assert.equal(gateway.connections, 1)
  clock.advance(100)
  await closed
  await client.closed()
  await peer.closed()
  assert.equal(client.received.length, 0)
})

for (const [what, version, head] of [
  ['chunked', '1.1', 'Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n'],
  ['without a length, for HTTP/1.0', '1.0', 'Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n'],
  ['that is close-delimited', '1.1', '\r\nfirst'],
  ['that is incomplete', '1.1', 'Content-Length: 10\r\n\r\nfirst'],
])
  test(`at the deadline a reply ${what} ends with a reset, so that it does not look complete`, async (t) => {
    const { clock, service, port, gateway } = await setUp(t)
    const client = await connect(t, port)
    client.write(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`)
    const peer = await service.accept()
    await peer.request()
    peer.write(`HTTP/1.1 200 OK\r\n${head}`)
    await client.until('first')
    const closed = gateway.close()
    clock.advance(30_000)
    assert.equal(await client.closed(), 'reset')
    await closed
  })

test('a client that never closes its side does not block the drain', async (t) => {
  const { clock, port, gateway } = await setUp(t)
  const client = await connect(t, port)
  const closed = gateway.close()
  assert.equal(await client.closed(), 'end')
  clock.advance(3_000)
  await closed
})

test('during shutdownDelay only readiness changes, and replies ask clients to close', async (t) => {
  const { clock, service, port, gateway } = await setUp(t, { shutdownDelay: '5s' })
  const connection = await connect(t, port)
  const ask = async (client: Peer, path: string): Promise<Message> => {
    client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    return client.reply()
  }
  assert.equal((await ask(connection, '/health')).start, 'HTTP/1.1 200 OK')
  const closed = gateway.close()
  for (const [path, start, status] of [
    ['/health', 'HTTP/1.1 503 Service Unavailable', 'draining'],
    ['/health/ready', 'HTTP/1.1 503 Service Unavailable', 'draining'],
    ['/health/live', 'HTTP/1.1 200 OK', 'alive'],
  ]) {
    const client = await connect(t, port)
    const reply = await ask(client, path!)
    client.end()
    assert.equal(reply.start, start)
    assert.equal((JSON.parse(reply.body.toString()) as { status: string }).status, status)
  }
  connection.write(GET)
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstill')
  const reply = await connection.reply()
  assert.equal(reply.body.toString(), 'still')
  assert.equal(reply.fields.get('Connection'), 'close')
  connection.end()
  const idle = await connect(t, port)
  clock.advance(4_999)
  const last = await connect(t, port)
  assert.equal((await ask(last, '/health/live')).start, 'HTTP/1.1 200 OK')
  last.end()
  clock.advance(1)
  assert.equal(await idle.closed(), 'end')
  idle.end()
  await closed
  await refused(port)
})

test('a port in use by another gateway in the process is an error, until that one closes', async (t) => {
  const { port, gateway } = await setUp(t)
  const listeners = [{ address: `127.0.0.1:${port}` }]
  await assert.rejects(startGateway(t, { listeners }), {
    code: 'EADDRINUSE',
    message: new RegExp(`in use: 127\\.0\\.0\\.1:${port}`),
  })
  await gateway.close()
  const second = await startGateway(t, { listeners })
  assert.equal(second.port, port)
})

test('a second close returns the same promise', async (t) => {
  const { gateway } = await setUp(t)
  assert.equal(gateway.close(), gateway.close())
  await gateway.close()
})

test('health checks stop', async (t) => {
  const clock = new ManualClock()
  let checks = 0
  const service = await startRawService(t, async (peer) => {
    await peer.request()
    checks++
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    peer.end()
  })
  const { gateway } = await startGateway(t, proxyTo(service.url, { service: { health: {} } }), { clock })
  assert.equal(checks, 1)
  await gateway.close()
  assert.equal(clock.pending, 0)
})

test('an address in use is an error, and nothing stays open', async (t) => {
  const clock = new ManualClock()
  const { port: taken } = await startRawService(t)
  const { port: free, kill } = await startRawService(t)
  await kill()
  const listeners = [free, taken].map((port) => ({ address: `127.0.0.1:${port}` }))
  await assert.rejects(startGateway(t, { listeners }, { clock }), { code: 'EADDRINUSE' })
  await refused(free)
  assert.equal(clock.pending, 0)
})
