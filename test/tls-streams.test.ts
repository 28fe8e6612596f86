import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createSecureServer } from 'node:https'
import { connect as connectSocket, createServer, type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { authority, leaf, startTlsService, type TlsService, type TlsServiceOptions } from './support/tls-service.ts'
import { poolOf } from './support/settled.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const

/** A gateway before services with TLS. */
function before(t: TestContext, url: string, service: NonNullable<Parameters<typeof proxyTo>[1]>['service'] = {}) {
  return startGateway(t, proxyTo(url, { service: { tls: { ca: authority.cert }, ...service }, drainTimeout: '10s' }))
}

async function withService(t: TestContext, options: TlsServiceOptions) {
  const service = await startTlsService(t, options)
  return { service, ...(await before(t, service.url)) }
}

test('forwarding headers and Host are the same as over plain HTTP', async (t) => {
  const { service, port } = await withService(t, {})
  await send(port, { headers: { Host: 'shop.example' } })
  const request = service.requests[0]!
  for (const line of [
    'Host: shop.example',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Host: shop.example',
  ])
    assert.ok(request.split('\n').includes(line), `${line} in\n${request}`)
})

test('with host: instance, Host is the name of the instance', async (t) => {
  const service = await startTlsService(t)
  const { port } = await before(t, service.url, { host: 'instance' })
  await send(port)
  assert.match(service.requests[0]!, new RegExp(`^Host: localhost:${service.port}$`, 'm'))
})

test('WebSockets work over TLS, and close cleanly', async (t) => {
  const server = createSecureServer(leaf)
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }))
    socket.on('error', () => socket.terminate())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  const { port, gateway } = await before(t, `https://localhost:${(server.address() as AddressInfo).port}`)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`)
  cleanUp(t, () => socket.terminate())
  await once(socket, 'open')
  for (const length of [1, 200, 70_000, 1_000_000]) {
    const sent = Buffer.alloc(length, 'abcdefg')
    socket.send(sent)
    const [back] = (await once(socket, 'message')) as [Buffer]
    assert.ok(back.equals(sent), `${length} bytes`)
  }
  assert.equal(poolOf(gateway).streaming, 1)
  socket.close(4001, 'enough')
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  assert.deepEqual([code, reason.toString()], [4001, 'enough'])
})

test('each event of a stream is forwarded as it arrives, and a disconnect of the client ends it', async (t) => {
  const { service, port, gateway } = await withService(t, {
    answer: (_, socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'),
  })
  const client = await connect(t, port)
  client.write(GET)
  await client.until('\r\n\r\n')
  const [socket] = service.sockets
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    socket!.write(`9\r\n${event}\r\n`)
    await client.until(event)
  }
  assert.equal(poolOf(gateway).streaming, 1)
  const closed = once(socket!, 'close')
  client.reset()
  await closed
})

test('on shutdown a request in flight is answered, and idle connections are closed', async (t) => {
  const held: TLSSocket[] = []
  const { port, gateway } = await withService(t, { answer: (_, socket) => void held.push(socket) })
  const pending = send(port)
  while (held.length === 0) await new Promise(setImmediate)
  const ended = once(held[0]!, 'close')
  const closed = gateway.close()
  held[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate')
  assert.equal((await pending).text, 'late')
  await closed
  await ended
})

const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n'
const LARGE = 3_000_000

for (const version of VERSIONS) {
  test(`a close-delimited body that ends with close_notify is complete, small or large: ${version}`, async (t) => {
    for (const size of [0, 5, LARGE]) {
      const { port } = await withService(t, {
        maxVersion: version,
        answer: (_, socket) => socket.end(UNTIL_CLOSE + 'x'.repeat(size)),
      })
      assert.equal((await send(port)).text.length, size)
    }
  })

  test(`the same is true for a slow client: ${version}`, async (t) => {
    const { service, port } = await withService(t, {
      maxVersion: version,
      answer: (_, socket) => socket.end(UNTIL_CLOSE + 'x'.repeat(LARGE)),
    })
    const client = await connect(t, port)
    client.socket.pause()
    client.write(GET)
    while (service.sockets.length === 0) await new Promise(setImmediate)
    // Until the gateway reads no further.
    const [socket] = service.sockets
    for (let sent = -1; sent !== socket!.bytesWritten - socket!.writableLength;) {
      sent = socket!.bytesWritten - socket!.writableLength
      for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    }
    client.socket.resume()
    const { body } = await client.reply()
    assert.equal(body.length, LARGE)
  })

  // Signatures, and with them handshakes, are a byte or two longer or shorter each time.
  for (const [what, cut] of [
    ['in a record', (all: number) => Math.floor(all / 2)],
    ['in the close_notify alert', (all: number) => all - 12],
    ['between the body and the alert', (all: number) => all - (version === 'TLSv1.3' ? 24 : 31)],
  ] as const)
    test(`a close-delimited body that ends without close_notify is an error: ${version}, ${what}`, async (t) => {
      const options = {
        maxVersion: version,
        answer: (_: string, socket: TLSSocket) => sayInTwo(socket),
      }
      const whole = await relay(t, await startTlsService(t, options), Infinity)
      const first = await before(t, whole.url)
      assert.equal((await send(first.port)).text.length, 20_000)
      const cutOff = await relay(t, await startTlsService(t, options), cut(whole.passed()))
      const { port, log } = await before(t, cutOff.url)
      await assert.rejects(send(port))
      assert.equal((await log.line({ message: 'Reply broke off' }))['reason'], 'service')
    })
}

/** The head in a record of its own. */
function sayInTwo(socket: TLSSocket): void {
  socket.write(UNTIL_CLOSE)
  socket.end('x'.repeat(20_000))
}

/** Stands between the gateway and a service, and ends the connection once so many bytes of the service have passed. */
async function relay(t: TestContext, service: TlsService, most: number) {
  let passed = 0
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connectSocket({ port: service.port, host: '127.0.0.1' })
    client.pipe(onward)
    onward.on('data', (chunk: Buffer) => {
      const left = Math.max(most - passed, 0)
      passed += chunk.length
      client.write(chunk.subarray(0, left))
      if (chunk.length >= left) client.end()
    })
    onward.on('end', () => client.end())
    for (const socket of [client, onward]) socket.on('error', () => socket.destroy())
    cleanUp(t, () => {
      client.destroy()
      onward.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, passed: () => passed }
}
