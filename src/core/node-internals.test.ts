import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer as createSecureServer, TLSSocket } from 'node:tls'
import { cleanUp } from '../../test/support/cleanup.ts'
import { carrierOf, handleOf, methodOf, numberOf, secureContextOf } from './node-internals.ts'

// What the gateway is prepared to do without, but slower, or with less to tell: where a version of Node has it no longer, this
// says so, and the places that use it can be looked at.

async function listening(t: TestContext): Promise<Server> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  cleanUp(t, () => server.close())
  await once(server, 'listening')
  return server
}

/** The accepted end of a connection. */
async function accepted(t: TestContext): Promise<Socket> {
  const server = await listening(t)
  const accepting = once(server, 'connection') as Promise<[Socket]>
  const opened = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = await accepting
  cleanUp(t, () => opened.destroy())
  cleanUp(t, () => socket.destroy())
  return socket
}

test('a socket handle has the number of unsent bytes', async (t) => {
  const handle = handleOf(await accepted(t))
  assert.ok(handle !== null)
  assert.deepEqual([numberOf(handle, 'bytesWritten'), numberOf(handle, 'writeQueueSize')], [0, 0])
})

test('a socket handle knows whether it is reading, and rejects a second start', async (t) => {
  const handle = handleOf(await accepted(t))
  assert.ok(handle !== null)
  const start = methodOf(handle, 'readStart')
  assert.ok(start !== null)
  assert.equal(Reflect.get(handle, 'reading'), false)
  assert.equal(start(), 0)
  assert.ok(Number(start()) < 0)
})

test('the handle of a listening server has a descriptor', async (t) => {
  const handle = handleOf(await listening(t))
  assert.ok(handle !== null)
  assert.ok((numberOf(handle, 'fd') ?? -1) >= 0)
})

test('a TLS socket has its underlying socket, also in its handle, and accepts a buffer to read into', async (t) => {
  const below = await accepted(t)
  const secured = new TLSSocket(below, { isServer: true })
  secured.on('error', () => {})
  cleanUp(t, () => secured.destroy())
  assert.equal(carrierOf(secured), below)
  const handle = handleOf(secured)
  assert.ok(handle !== null)
  const parent: unknown = Reflect.get(handle, '_parent')
  assert.ok(typeof parent === 'object' && parent !== null)
  assert.equal(numberOf(parent, 'bytesWritten'), 0)
  assert.ok(methodOf(handle, 'useUserBuffer') !== null)
})

test('a plain socket has no underlying socket', async (t) => {
  assert.equal(carrierOf(await accepted(t)), null)
})

test('ticket keys can be set by callback', () => {
  const server = createSecureServer()
  const context = secureContextOf(server)
  assert.ok(context !== null)
  assert.ok(methodOf(context, 'enableTicketKeyCallback') !== null)
})

test('missing members are null', () => {
  assert.deepEqual([methodOf({ a: 1 }, 'a'), methodOf({}, 'a'), numberOf({ a: '1' }, 'a')], [null, null, null])
})
