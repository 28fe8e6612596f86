import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { createServer as createSecureServer, type TLSSocket } from 'node:tls'
import { sharedBuffer } from '../src/http/read-buffers.ts'
import { readSecured } from '../src/http/lent-reads.ts'
import { cleanUp } from './support/cleanup.ts'
import { authority, connectSecurely } from './support/tls.ts'

/** Both ends of a connection that TLS was put around: that of the client, and that of the server, which reads nothing yet. */
async function pair(t: TestContext): Promise<{ client: TLSSocket; server: TLSSocket }> {
  const secure = createSecureServer(authority.issue())
  const plain = createServer({ allowHalfOpen: true }, (raw) => secure.emit('connection', raw))
  plain.listen(0, '127.0.0.1')
  cleanUp(t, () => plain.close())
  await once(plain, 'listening')
  const { port } = plain.address() as AddressInfo
  const secured = new Promise<TLSSocket>((resolve) => void secure.on('secureConnection', resolve))
  const { socket: client } = await connectSecurely(t, port)
  const server = await secured
  cleanUp(t, () => server.destroy())
  return { client, server }
}

test('decrypted data is read directly into the buffer of the reader', async (t) => {
  const { client, server } = await pair(t)
  const named = Buffer.alloc(65_536)
  const buffers: Buffer[] = []
  const pieces: string[] = []
  const reader = {
    readBuffer: sharedBuffer,
    read(bytes: Buffer, end: number) {
      buffers.push(bytes)
      pieces.push(bytes.toString('latin1', 0, end))
      this.readBuffer = named
      server.write('more')
    },
  }
  readSecured(server, reader)
  client.write('first')
  await once(client, 'data')
  client.write('second')
  await once(client, 'data')
  assert.deepEqual(pieces, ['first', 'second'])
  assert.ok(buffers[0] === sharedBuffer)
  assert.ok(buffers[1] === named)
})

test('data decrypted during a pause arrives in order when reading resumes', async (t) => {
  const { client, server } = await pair(t)
  const sent = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))
  const got: Buffer[] = []
  let paused = 0
  readSecured(server, {
    readBuffer: sharedBuffer,
    read(bytes, end) {
      assert.ok(!server.isPaused())
      got.push(Buffer.from(bytes.subarray(0, end)))
      server.pause()
      paused++
      setImmediate(() => server.resume())
    },
  })
  client.end(sent)
  await once(server, 'end')
  assert.deepEqual(Buffer.concat(got), sent)
  assert.ok(paused > 1)
})

test('without these internals of Node.js a socket is read as a stream', async (t) => {
  const { client, server } = await pair(t)
  const symbol = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'kBuffer')!
  Reflect.deleteProperty(server, symbol)
  const got: string[] = []
  readSecured(server, {
    readBuffer: sharedBuffer,
    read(bytes, end) {
      assert.ok(bytes !== sharedBuffer)
      got.push(bytes.toString('latin1', 0, end))
    },
  })
  client.end('all of it')
  await once(server, 'end')
  assert.deepEqual(got, ['all of it'])
})
