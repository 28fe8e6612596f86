import assert from 'node:assert/strict'
import test from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import type { Message } from './support/message.ts'
import { connect, startRawService, type Peer } from './support/peer.ts'

const REQUEST =
  'POST /a%20b?c=d HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nX-Sent: 1\r\n\r\n' +
  '5;ext="1"\r\nhello\r\nA\r\n, reader!\n\r\n0\r\nX-Sum: 42\r\nX-More: 7\r\n\r\n'
const REPLY =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Got: 1\r\n\r\n' +
  '3\r\ngoo\r\n0000c\r\ndbye, writer\r\n0\r\nX-Sum: 43\r\n\r\n'
const FIXED_REQUEST = 'PUT /x HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nX-Sent: 1\r\n\r\nhello'
const FIXED_REPLY = 'HTTP/1.1 201 Created\r\nContent-Length: 7\r\nX-Got: 1\r\n\r\ngoodbye'

function received({ start, fields, body, trailers }: Message) {
  return [start, fields.get('X-Sent'), body.toString(), trailers.lines]
}

function answered({ start, fields, body, trailers }: Message) {
  return [start, fields.get('X-Got'), body.toString(), trailers.lines]
}

const RECEIVED = ['POST /a%20b?c=d HTTP/1.1', '1', 'hello, reader!\n', ['X-Sum: 42', 'X-More: 7']]
const ANSWERED = ['HTTP/1.1 200 OK', '1', 'goodbye, writer', ['X-Sum: 43']]
const FIXED_RECEIVED = ['PUT /x HTTP/1.1', '1', 'hello', []]
const FIXED_ANSWERED = ['HTTP/1.1 201 Created', '1', 'goodbye', []]

/** Every split of a text in two. */
function cuts(text: string): string[][] {
  return Array.from({ length: text.length - 1 }, (_, i) => [text.slice(0, i + 1), text.slice(i + 1)])
}

for (const [name, request, reply, requestMeans, replyMeans] of [
  ['chunked, with trailers', REQUEST, REPLY, RECEIVED, ANSWERED],
  ['with Content-Length', FIXED_REQUEST, FIXED_REPLY, FIXED_RECEIVED, FIXED_ANSWERED],
] as const) {
  test(`a request ${name} can be split anywhere`, async (t) => {
    const service = await startRawService(t)
    const { port } = await startGateway(t, proxyTo(service.url))
    const client = await connect(t, port)
    let peer: Peer | null = null
    for (const pieces of [...cuts(request), request.split('')]) {
      const written = client.writeInPieces(pieces)
      peer ??= await service.accept()
      const message: Message = await peer.request()
      await written
      assert.deepEqual(received(message), requestMeans, `cut after ${JSON.stringify(pieces[0])}`)
      peer.write(reply)
      assert.deepEqual(answered(await client.reply()), replyMeans)
    }
    assert.equal(service.connections, 1)
  })

  test(`a reply ${name} can be split anywhere`, async (t) => {
    const service = await startRawService(t)
    const { port } = await startGateway(t, proxyTo(service.url))
    const client = await connect(t, port)
    let peer: Peer | null = null
    for (const pieces of [...cuts(reply), reply.split('')]) {
      client.write(request)
      peer ??= await service.accept()
      await peer.request()
      const written = peer.writeInPieces(pieces)
      const message: Message = await client.reply()
      await written
      assert.deepEqual(answered(message), replyMeans, `cut after ${JSON.stringify(pieces[0])}`)
    }
    assert.equal(service.connections, 1)
  })
}

test('a close-delimited reply can be split anywhere', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  for (const pieces of cuts('HTTP/1.1 200 OK\r\nX-Got: 1\r\n\r\ngoodbye')) {
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const peer = await service.accept()
    await peer.request()
    const [, message] = await Promise.all([peer.writeInPieces(pieces).then(() => peer.end()), client.reply()])
    assert.deepEqual(answered(message), ['HTTP/1.1 200 OK', '1', 'goodbye', []])
  }
})

test('TE: trailers is forwarded to the service, without other codings', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nTE: trailers, deflate;q=0.5\r\nConnection: TE\r\n\r\n')
  const peer = await service.accept()
  const { fields } = await peer.request()
  assert.equal(fields.get('TE'), 'trailers')
  assert.match(fields.get('Connection')!, /^TE$/i)
})

test('trailers that affect framing, routing or authentication are dropped', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n' +
      'Content-Length: 5\r\nHost: b\r\nAuthorization: c\r\nX-User-ID: d\r\nx_user_id: e\r\nX-Sum: 1\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n',
  )
  const peer = await service.accept()
  const { trailers } = await peer.request()
  assert.deepEqual(trailers.names, ['x-sum'])
})

test('bytes after a reply are never taken for the next reply', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
  const first = await service.accept()
  await first.request()
  first.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged')
  assert.equal((await client.reply()).body.toString(), '1')
  client.write('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  const second = await service.accept()
  await second.request()
  second.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2')
  assert.equal((await client.reply()).body.toString(), '2')
})

test('unsolicited bytes end the connection to the service', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1')
  await client.reply()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged')
  await peer.closed()
  client.write('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  const second = await service.accept()
  await second.request()
  second.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2')
  assert.equal((await client.reply()).body.toString(), '2')
})
