import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import { connect, type ConnectionOptions } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { cleanUp } from '../../test/support/cleanup.ts'
import { type ClientHello, ClientHelloCollector, looksLikeTls } from './client-hello.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const NONE = { serverName: null, protocols: [] }

function readClientHello(bytes: Buffer): ClientHello | null {
  return new ClientHelloCollector().take(bytes)
}

/** The first bytes that Node's client sends. */
async function helloOf(t: TestContext, options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options })
  client.on('error', () => {})
  cleanUp(t, () => client.destroy())
  const [socket] = await accepted
  cleanUp(t, () => socket.destroy())
  const parts: Buffer[] = []
  for await (const part of socket) {
    parts.push(part as Buffer)
    if (readClientHello(Buffer.concat(parts)) !== null) break
  }
  return Buffer.concat(parts)
}

/** The same message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 255]), fragment)
  }
  return Buffer.concat(records)
}

test('the server name and protocols of a client are read', async (t) => {
  const options = { servername: 'Shop.Example.com', ALPNProtocols: ['h2', 'http/1.1'] }
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    assert.deepEqual(readClientHello(await helloOf(t, { ...options, maxVersion })), {
      serverName: 'shop.example.com',
      protocols: ['h2', 'http/1.1'],
    })
})

test('a client need not send a server name or protocols', async (t) => {
  assert.deepEqual(readClientHello(await helloOf(t, { servername: '' })), NONE)
})

test('a ClientHello is read once it is complete, however it is split into records and chunks', async (t) => {
  const hello = await helloOf(t, { servername: 'a.test' })
  for (const bytes of [hello, inRecords(hello, 1), inRecords(hello, 100)]) {
    assert.ok(looksLikeTls(bytes[0]!))
    for (const size of [1, 7, bytes.length]) {
      const collector = new ClientHelloCollector()
      for (let at = 0; at < bytes.length - size; at += size)
        assert.equal(collector.take(bytes.subarray(at, at + size)), null, `${at}`)
      const rest = bytes.subarray(collector.bytes.length)
      assert.equal(collector.take(Buffer.concat([rest, bytes]))?.serverName, 'a.test')
      assert.deepEqual(collector.bytes, Buffer.concat([bytes, bytes]))
    }
  }
})

test('a ClientHello that is never completed is given up on', () => {
  const collector = new ClientHelloCollector()
  const [begin, more] = [Buffer.from([22, 3, 1, 0, 4, 1, 0, 0x3f, 0xff]), Buffer.from([22, 3, 1, 0, 1, 0])]
  assert.equal(collector.take(begin), null)
  let taken = 0
  while (collector.take(more) === null) taken++
  assert.ok(taken > 10_000 && taken < 11_000, `${taken}`)
})

test('a ClientHello that arrives byte by byte takes little more memory than its size', () => {
  const before = heapUsed()
  const collector = new ClientHelloCollector()
  collector.take(Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0]))
  // As a socket has them: each piece has a memory of its own.
  for (let i = 0; i < 10_000; i++) assert.equal(collector.take(Buffer.from(new ArrayBuffer(1))), null)
  const held = heapUsed() - before
  assert.ok(held < 500_000, `${held} bytes`)
  assert.equal(collector.bytes.length, 10_009)
})

test('an invalid or too long ClientHello has no server name or protocols', () => {
  for (const bytes of [
    [22, 3, 1, 0, 0],
    [22, 3, 1, 0x40, 1],
    [22, 3, 1, 0, 4, 2, 0, 0, 0],
    [22, 3, 1, 0, 4, 1, 0, 0x40, 1],
    [22, 3, 1, 0, 4, 1, 0, 0, 0],
    [22, 3, 1, 0, 4, 1, 0, 0, 1, 22, 3, 1, 0, 0],
    [21, 3, 1, 0, 2, 1, 0],
  ])
    assert.deepEqual(readClientHello(Buffer.from(bytes)), NONE, bytes.join())
})

test('property: a corrupted ClientHello is read, has no contents, or is incomplete', async (t) => {
  const hello = await helloOf(t, { servername: 'a.test', ALPNProtocols: ['http/1.1'] })
  const change = fc.record({ at: fc.nat(hello.length - 1), to: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const changed = Buffer.from(hello)
      for (const { at, to } of changes) changed[at] = to
      const read = readClientHello(changed)
      if (read === null) return
      assert.ok(read.serverName === null || /^[a-z0-9_.-]+$/.test(read.serverName))
    }),
    { numRuns: 2000 },
  )
})
