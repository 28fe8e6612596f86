import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import test, { type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { cleanUp } from '../support/cleanup.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { type Http2ServiceOptions, startHttp2Service } from '../support/http2-service.ts'

const plain = { listeners: [{ address: '127.0.0.1:0' }] }

/** Answers each short frame of a client (RFC 6455 section 5.2) with the same content, and Close with Close. */
function echo(stream: ServerHttp2Stream): void {
  let rest = Buffer.alloc(0)
  stream.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 6 && rest.length >= 6 + (rest[1]! & 127)) {
      const length = rest[1]! & 127
      const mask = rest.subarray(2, 6)
      const content = Buffer.from(rest.subarray(6, 6 + length)).map((byte, i) => byte ^ mask[i % 4]!)
      stream.write(Buffer.concat([Buffer.from([rest[0]!, length]), content]))
      if ((rest[0]! & 15) === 8) stream.end()
      rest = rest.subarray(6 + length)
    }
  })
}

function startEcho(t: TestContext, options: Http2ServiceOptions = { settings: { enableConnectProtocol: true } }) {
  return startHttp2Service(
    t,
    (stream, headers) => {
      const isOther = headers[':protocol'] !== 'websocket' || headers[':path'] === '/no'
      const status = headers[':path'] === '/no' ? 403 : 200
      stream.respond({ ':status': status, 'x-seen': String(headers['sec-websocket-key']) })
      if (isOther) stream.end('plain')
      else echo(stream)
    },
    options,
  )
}

test('a WebSocket of an HTTP/1.1 client is forwarded in a stream of the service', async (t) => {
  const service = await startEcho(t)
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: { http2: true } }))
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?a=b`, { headers: { 'x-a': 'b' } })
  cleanUp(t, () => socket.terminate())
  const answered = once(socket, 'upgrade') as Promise<[{ headers: IncomingHttpHeaders }]>
  await once(socket, 'open')
  for (const text of ['hello', 'again']) {
    socket.send(text)
    const [message] = (await once(socket, 'message')) as [Buffer]
    assert.equal(message.toString(), text)
  }
  const { ':method': method, ':path': path, 'x-a': passed, 'sec-websocket-key': key } = service.received[0] ?? {}
  assert.deepEqual([method, path, passed, key], ['CONNECT', '/chat?a=b', 'b', undefined])
  assert.equal((await answered)[0].headers['x-seen'], 'undefined')
  socket.close(1000, 'bye')
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  assert.deepEqual([code, reason.toString()], [1000, 'bye'])
  assert.equal(service.sessions.length, 1)
})

test('a WebSocket of an HTTP/2 client is forwarded in a stream of the service', async (t) => {
  const service = await startEcho(t)
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: { http2: true } }))
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  cleanUp(t, () => session.destroy())
  await once(session, 'remoteSettings')
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/',
    'sec-websocket-version': '13',
  })
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
  assert.deepEqual([headers[':status'], headers['sec-websocket-accept']], [200, undefined])
  stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 104, 105]))
  const [bytes] = (await once(stream, 'data')) as [Buffer]
  assert.deepEqual([...bytes], [0x81, 2, 104, 105])
  const other = session.request({ ':path': '/plain' })
  const [reply] = (await once(other, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
  assert.equal(reply[':status'], 200)
  stream.close()
})

test('a rejection of a WebSocket by the service reaches the client', async (t) => {
  const service = await startEcho(t)
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: { http2: true } }))
  const socket = new WebSocket(`ws://127.0.0.1:${port}/no`)
  const [error] = (await once(socket, 'error')) as [Error]
  assert.match(error.message, /403/)
})

test('WebSockets to a service without extended CONNECT are 501, and other requests work', async (t) => {
  const service = await startEcho(t, {})
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: { http2: true } }))
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  const [error] = (await once(socket, 'error')) as [Error]
  assert.match(error.message, /501/)
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'plain')
})
