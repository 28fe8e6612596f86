import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { cleanUp } from '../support/cleanup.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { startService } from '../support/service.ts'

const plain = { listeners: [{ address: '127.0.0.1:0' }] }
const MASK = Buffer.from([1, 2, 3, 4])

/** A frame as sent by clients (RFC 6455 section 5.2). */
function frame(content: Uint8Array, opcode = 1): Buffer {
  const masked = Buffer.from(content).map((byte, i) => byte ^ MASK[i % 4]!)
  const length =
    content.length < 126 ? [0x80 | content.length] : [0x80 | 126, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length]), MASK, masked])
}

async function startEcho(t: TestContext) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const closes: number[] = []
  server.on('connection', (socket) => {
    socket.on('message', (message: Buffer) => socket.send(message.toString()))
    socket.on('close', (code) => closes.push(code))
  })
  cleanUp(t, () => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, closes }
}

async function open(t: TestContext, port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  cleanUp(t, () => session.destroy())
  await once(session, 'remoteSettings')
  return session
}

async function upgrade(
  session: ClientHttp2Session,
  path = '/',
  more: OutgoingHttpHeaders = {},
): Promise<[ClientHttp2Stream, number]> {
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': path,
    'sec-websocket-version': '13',
    ...more,
  })
  stream.on('error', () => {})
  // Like a client that has received the last frame of the service.
  stream.on('end', () => void stream.end())
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
  assert.equal(headers['sec-websocket-accept'], undefined)
  return [stream, headers[':status'] ?? 0]
}

/** Resolves with what was received once it has that many bytes. */
async function read(stream: ClientHttp2Stream, bytes: number): Promise<Buffer> {
  let all = Buffer.alloc(0)
  while (all.length < bytes) {
    const [chunk] = (await once(stream, 'data')) as [Buffer]
    all = Buffer.concat([all, chunk])
  }
  return all
}

test('a WebSocket in a stream reaches the service, alongside other requests', async (t) => {
  const { url, closes } = await startEcho(t)
  const { port, log } = await startGateway(t, proxyTo(url, plain))
  const session = await open(t, port)
  assert.ok(session.remoteSettings.enableConnectProtocol)
  const [stream, status] = await upgrade(session, '/chat')
  assert.equal(status, 200)
  stream.write(frame(Buffer.from('hello')))
  assert.equal((await read(stream, 7)).toString('latin1', 2), 'hello')
  const long = Buffer.alloc(40_000, 'x')
  stream.write(frame(long))
  assert.equal((await read(stream, 40_004)).subarray(4).equals(long), true)
  const [other] = await upgrade(session)
  other.write(frame(Buffer.from([0x03, 0xe8]), 8))
  await once(other.resume(), 'close')
  stream.end(frame(Buffer.from([0x0f, 0xa0]), 8))
  await once(stream.resume(), 'close')
  assert.deepEqual(closes, [1000, 4000])
  const line = await log.line({ url: `http://127.0.0.1:${port}/chat` })
  assert.equal(line['status_code'], 200)
})

test('a key from the client, as HAProxy passes it on, does not reach the service', async (t) => {
  const { url, server } = await startEcho(t)
  const { port } = await startGateway(t, proxyTo(url, plain))
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const connected = once(server, 'connection')
  const [stream, status] = await upgrade(await open(t, port), '/', { 'sec-websocket-key': key })
  assert.equal(status, 200)
  const [, request] = (await connected) as [WebSocket, IncomingMessage]
  const { 'sec-websocket-key': keys } = request.headersDistinct
  assert.equal(keys?.length, 1)
  assert.notEqual(keys[0], key)
  stream.close()
})

test('a reset of the stream closes the WebSocket to the service', async (t) => {
  const { url, server } = await startEcho(t)
  const { port } = await startGateway(t, proxyTo(url, plain))
  const session = await open(t, port)
  const connected = once(server, 'connection')
  const [stream] = await upgrade(session)
  const [socket] = (await connected) as [WebSocket]
  const closed = once(socket, 'close')
  stream.close(8)
  await closed
})

test('a lost connection to the service ends the stream', async (t) => {
  const { url, server } = await startEcho(t)
  const { port } = await startGateway(t, proxyTo(url, plain))
  const session = await open(t, port)
  const [stream] = await upgrade(session)
  const closed = once(stream.resume(), 'close')
  for (const socket of server.clients) socket.terminate()
  await closed
})

test('on shutdown the client gets Close 1001', async (t) => {
  const { url } = await startEcho(t)
  const { port, gateway } = await startGateway(t, proxyTo(url, { ...plain, drainTimeout: '100ms' }))
  const session = await open(t, port)
  const [stream] = await upgrade(session)
  const closed = gateway.close()
  const frames = await read(stream, 4)
  assert.deepEqual([...frames], [0x88, 2, 0x03, 0xe9])
  stream.end(frame(Buffer.from([0x03, 0xe9]), 8))
  await closed
})

test('a service without WebSockets causes 502', async (t) => {
  const service = await startService(t, (_, response) => void response.end('hello'))
  const { port } = await startGateway(t, proxyTo(service.url, plain))
  const session = await open(t, port)
  const [stream, status] = await upgrade(session)
  assert.equal(status, 502)
  stream.close()
})

test('policies apply: a rejection is an ordinary reply', async (t) => {
  const { url } = await startEcho(t)
  const keys = [{ id: 'partner', sha256: '0'.repeat(64) }]
  const policies = { auth: { methods: { 'api-key': { keys } } } }
  const { port } = await startGateway(t, proxyTo(url, { ...plain, policies }))
  const session = await open(t, port)
  const [stream, status] = await upgrade(session)
  assert.equal(status, 401)
  stream.close()
})

test('extended CONNECT for other protocols is 501', async (t) => {
  const { url } = await startEcho(t)
  const { port } = await startGateway(t, proxyTo(url, plain))
  const session = await open(t, port)
  const stream = session.request({ ':method': 'CONNECT', ':protocol': 'connect-udp', ':path': '/' })
  stream.on('error', () => {})
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
  assert.equal(headers[':status'], 501)
})
