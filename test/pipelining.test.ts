import assert from 'node:assert/strict'
import test from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { bytes } from './support/bytes.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

test('pipelined requests are answered in order', async (t) => {
  const service = await startRawService(t, async (peer) => {
    for (;;) {
      const { start } = await peer.request()
      const path = start.split(' ')[1]!
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`)
    }
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`)
  client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
  for (const path of paths) assert.equal((await client.reply()).body.toString(), path)
  assert.equal(service.connections, 1)
})

test('a slow reply delays the fast ones after it', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, {
    ...proxyTo(service.url),
    routes: [
      { id: 'slow', match: { path: '/slow' }, service: 'backend' },
      { id: 'quick', match: { path: '/quick' }, reply: { status: 200, body: 'quick' } },
    ],
  })
  const client = await connect(t, port)
  client.write(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /quick HTTP/1.1\r\nHost: a\r\n\r\n`)
  const peer = await service.accept()
  await peer.request()
  assert.equal(client.received.length, 0)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow')
  assert.equal((await client.reply()).body.toString(), 'slow')
  assert.equal((await client.reply()).body.toString(), 'quick')
})

test('bodies of every framing can be pipelined, whoever answers', async (t) => {
  const service = await startService(t, (request, response) => void request.pipe(response))
  const { port } = await startGateway(t, {
    ...proxyTo(service.url),
    routes: [
      { id: 'echo', match: { path: '/echo' }, service: 'backend' },
      { id: 'fixed', match: { path: '/fixed' }, reply: { status: 200, body: 'fixed' } },
    ],
  })
  const client = await connect(t, port)
  const large = bytes(300_000)
  client.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirst')
  client.write('GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n')
  client.write('POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nond\r\n0\r\n\r\n')
  client.write(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${large.length}\r\n\r\n`)
  client.write(large)
  client.write('POST /fixed HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc')
  client.write('HEAD /fixed HTTP/1.1\r\nHost: a\r\n\r\n')
  client.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast')
  assert.equal((await client.reply()).body.toString(), 'first')
  assert.equal((await client.reply()).body.toString(), 'fixed')
  assert.equal((await client.reply()).body.toString(), 'second')
  assert.ok((await client.reply()).body.equals(large))
  assert.equal((await client.reply()).body.toString(), 'fixed')
  assert.equal((await client.reply('HEAD')).fields.get('Content-Length'), '5')
  const last = await client.reply()
  assert.equal(last.body.toString(), 'last')
  assert.equal(last.fields.get('Connection'), 'close')
  assert.equal(await client.closed(), 'end')
})

test('requests after one with Connection: close are not served', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match((await client.reply()).start, / 200 /)
  assert.equal(await client.closed(), 'end')
  assert.deepEqual(
    service.received.map(({ url }) => url),
    ['/1'],
  )
})

test('requests after a rejected one are not served', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost : a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  assert.match((await client.reply()).start, / 200 /)
  assert.match((await client.reply()).start, / 400 /)
  assert.equal(await client.closed(), 'end')
  assert.equal(service.received.length, 1)
})

test('HTTP/1.0 connections are kept alive only on request', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
  assert.equal((await client.reply()).fields.get('Connection'), 'keep-alive')
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  assert.equal((await client.reply()).fields.get('Connection'), 'close')
  assert.equal(await client.closed(), 'end')
})

test('an empty line before a request is ignored', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')
  for (let i = 0; i < 2; i++) assert.match((await client.reply()).start, / 200 /)
})
