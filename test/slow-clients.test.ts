import assert from 'node:assert/strict'
import test from 'node:test'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from './support/manual-clock.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

const post = (fields: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`

test('uploads that do not come leave the connections to others: 300 of one octet, or none', async (t) => {
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
  await turnUntil('all of them', () => gateway.connections === 300)
  for (let i = 0; i < 20; i++) assert.equal((await send(port, { method: 'POST', body: 'body' })).status, 200)
  assert.equal(gateway.pools['backend']![0]!.busy, 0)
})

test('a small body is gathered before a connection is taken for it, and sent on whole', async (t) => {
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

test('a long body takes a connection once its beginning is here, and flows from then on', async (t) => {
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

test('a client that sends in chunks and waits for the service between them is passed on after a second', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url), { clock })
  const client = await connect(t, port)
  client.write(post('Transfer-Encoding: chunked'))
  await turnUntil('the request', () => gateway.watched > 1)
  clock.advance(5_000)
  await client.writeInPieces(['5\r\nhello\r\n'])
  assert.equal(service.connections, 0)
  clock.advance(1_200)
  const peer = await service.accept()
  await peer.until('5\r\nhello\r\n')
  peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthere\r\n')
  await client.until('5\r\nthere\r\n')
  client.write('3\r\nbye\r\n0\r\n\r\n')
  await peer.until('3\r\nbye\r\n0\r\n\r\n')
  peer.write('0\r\n\r\n')
  await client.until('0\r\n\r\n')
})

test('trailers behind a body that was gathered reach the service', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(post('Transfer-Encoding: chunked'))
  await client.writeInPieces(['5\r\nhello\r\n', '0\r\nX-Sum: 1\r\n\r\n'])
  const peer = await service.accept()
  await peer.until('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n')
})

test('a client that leaves, or stalls, while its body is gathered is told so, and the service hears nothing', async (t) => {
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

test('when the service is too busy for a long upload, the rest of it is for nobody', async (t) => {
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
