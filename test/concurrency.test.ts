import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { connect as connectSocket } from 'node:net'
import test from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { poolOf, turnUntil } from './support/settled.ts'

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const reply = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

test('each of 1,000 concurrent clients gets its own replies', async (t) => {
  const service = await startService(t, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => setImmediate(() => response.end(`${request.url} ${body}`)))
  })
  const { port, gateway } = await startGateway(t, proxyTo(service.url))
  const clients = await Promise.all(Array.from({ length: 1_000 }, () => connect(t, port)))
  let most = 0
  const answered = clients.map(async (client, number) => {
    for (let i = 0; i < 3; i++) {
      const body = `${number}-${i}`.repeat(10)
      client.write(`POST /${number}/${i} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      const { start, body: came } = await client.reply()
      most = Math.max(most, gateway.connections)
      assert.equal(start, 'HTTP/1.1 200 OK')
      assert.equal(came.toString(), `/${number}/${i} ${body}`)
    }
  })
  await Promise.all(answered)
  assert.equal(most, 1_000)
  assert.ok(service.connections <= 256, `${service.connections} connections to the service`)
})

test('the pool opens no more connections than its limit, and the rest waits in order', async (t) => {
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { service: { pool: { connections: 2 } } }))
  const clients = await Promise.all([1, 2, 3, 4, 5].map(() => connect(t, port)))
  const peers: Peer[] = []
  for (const [i, client] of clients.entries()) {
    client.write(get(`/${i + 1}`))
    if (i > 1) {
      await turnUntil('the request to wait', () => poolOf(gateway).waiting === i - 1)
      continue
    }
    const peer = await service.accept()
    peers.push(peer)
    assert.match((await peer.request()).start, new RegExp(`/${i + 1} `))
  }
  const [one, two] = [peers[0]!, peers[1]!]
  for (const [peer, answer, next] of [
    [one, '1', '/3'],
    [one, '3', '/4'],
    [two, '2', '/5'],
  ] as const) {
    peer.write(reply(answer))
    assert.match((await peer.request()).start, new RegExp(`${next} `))
  }
  one.write(reply('4'))
  two.write(reply('5'))
  for (const [i, client] of clients.entries()) assert.equal((await client.reply()).body.toString(), String(i + 1))
  assert.equal(service.connections, 2)
})

test('a request gets 503 with Retry-After if the queue is full or after queueTimeout', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const pool = { connections: 1, queue: 1, queueTimeout: '2s' } as const
  const { port } = await startGateway(t, proxyTo(service.url, { service: { pool } }), { clock })
  const [first, second, third] = [await connect(t, port), await connect(t, port), await connect(t, port)]
  first.write(get('/1'))
  const peer = await service.accept()
  await peer.request()
  second.write(get('/2'))
  third.write(get('/3'))
  const answers = [second.reply(), third.reply()]
  const refused = await Promise.race(answers)
  assert.match(refused.start, / 503 /)
  assert.equal(refused.fields.get('Retry-After'), '1')
  clock.advance(2_300)
  for (const answer of await Promise.all(answers)) assert.match(answer.start, / 503 /)
  peer.write(reply('1'))
  assert.equal((await first.reply()).body.toString(), '1')
})

test('connections to a service are kept and reused', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  for (let i = 0; i < 20; i++) await send(port)
  assert.equal(service.connections, 1)
})

test('a connection to a service that is idle for too long is closed', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { service: { pool: { idleTimeout: '30s' } } }), { clock })
  const client = await connect(t, port)
  client.write(get('/'))
  const peer = await service.accept()
  await peer.request()
  peer.write(reply(''))
  await client.reply()
  clock.advance(29_000)
  client.write(get('/again'))
  await peer.request()
  peer.write(reply(''))
  await client.reply()
  clock.advance(30_300)
  await peer.closed()
})

for (const [name, field] of [
  ['closes', 'Connection: close'],
  ['closes after a second', 'Keep-Alive: timeout=1'],
] as const)
  test(`a connection that the service says it ${name} is not reused`, async (t) => {
    const clock = new ManualClock()
    const service = await startRawService(t)
    const { port } = await startGateway(t, proxyTo(service.url), { clock })
    const client = await connect(t, port)
    client.write(get('/1'))
    const peer = await service.accept()
    await peer.request()
    peer.write(`HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 0\r\n\r\n`)
    const answer = await client.reply()
    assert.equal(answer.fields.get('Connection'), undefined)
    assert.equal(answer.fields.get('Keep-Alive'), undefined)
    clock.advance(300)
    await peer.closed()
    client.write(get('/2'))
    await (await service.accept()).request()
  })

test('an idle client connection is closed after idleTimeout, and not before', async (t) => {
  const clock = new ManualClock()
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { limits: { idleTimeout: '60s' } }), { clock })
  const client = await connect(t, port)
  client.write(get('/'))
  await client.reply()
  clock.advance(59_000)
  client.write(get('/'))
  await client.reply()
  clock.advance(60_300)
  assert.equal(await client.closed(), 'end')
  assert.equal(client.received.length, 0)
})

test('connections beyond the limit are closed, and a new one is accepted once another closes', async (t) => {
  const service = await startService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { limits: { connections: 2 } }))
  const [first, second] = [await connect(t, port), await connect(t, port)]
  for (const client of [first, second]) {
    client.write(get('/'))
    await client.reply()
  }
  const socket = connectSocket({ host: '127.0.0.1', port })
  socket.on('error', () => socket.destroy())
  await new Promise((resolve) => socket.on('close', resolve))
  assert.equal(gateway.connections, 2)
  first.end()
  await first.closed()
  assert.equal((await send(port)).status, 200)
})

test('clients with and without keep-alive are served at the same time', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  cleanUp(t, () => agent.destroy())
  const requests = Array.from({ length: 200 }, (_, i) => send(port, i % 2 === 0 ? { agent } : {}))
  for (const { status, headers } of await Promise.all(requests)) {
    assert.equal(status, 200)
    assert.equal(headers['content-length'], String(service.port).length.toString())
  }
})
