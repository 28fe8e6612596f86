import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  status as codes,
} from '@grpc/grpc-js'
import { cleanUp } from '../support/cleanup.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { ended, GrpcClient } from '../support/grpc-client.ts'

const asItIs = (message: Buffer): Buffer => message

function method(path: string, requestStream: boolean, responseStream: boolean) {
  const codec = {
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  }
  return { path, requestStream, responseStream, ...codec }
}

const definition = {
  echo: method('/a.B/Echo', false, false),
  fail: method('/a.B/Fail', false, false),
  hang: method('/a.B/Hang', false, false),
  list: method('/a.B/List', false, true),
  sum: method('/a.B/Sum', true, false),
  chat: method('/a.B/Chat', true, true),
}

/** A @grpc/grpc-js service, and the outcome of calls that hang. */
async function startGrpc(t: TestContext): Promise<{ url: string; begun: Promise<void>; cancelled: Promise<void> }> {
  const server = new Server()
  const begun = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  const echo: handleUnaryCall<Buffer, Buffer> = ({ request, metadata }, callback) => {
    const trailer = new Metadata()
    trailer.set('x-asked', String(metadata.get('x-asked')[0]))
    trailer.set('x-bytes-bin', Buffer.from([0, 1, 255]))
    callback(null, request, trailer)
  }
  const fail: handleUnaryCall<Buffer, Buffer> = (_, callback) =>
    callback({ code: codes.NOT_FOUND, details: 'there is none' })
  const hang: handleUnaryCall<Buffer, Buffer> = (call) => {
    begun.resolve()
    call.on('cancelled', () => cancelled.resolve())
  }
  const list: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    for (let n = 0; n < 100; n++) call.write(Buffer.from(`${n} ${'x'.repeat(5000)}`))
    call.end()
  }
  const sum: handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
    let bytes = 0
    call.on('data', (message: Buffer) => (bytes += message.length))
    call.on('end', () => callback(null, Buffer.from(String(bytes))))
  }
  const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => call.end())
  }
  server.addService(definition, { echo, fail, hang, list, sum, chat })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  cleanUp(t, () => server.forceShutdown())
  return { url: `http://127.0.0.1:${port}`, begun: begun.promise, cancelled: cancelled.promise }
}

test('all kinds of gRPC calls work with a @grpc/grpc-js service', async (t) => {
  const { url, begun, cancelled } = await startGrpc(t)
  const { port } = await startGateway(
    t,
    proxyTo(url, { listeners: [{ address: '127.0.0.1:0' }], service: { http2: true } }),
  )
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  // 1. Unary, several at the same time, with metadata in both directions.
  const metadata = new Metadata()
  metadata.set('x-asked', 'yes')
  const echoes = await Promise.all(
    Array.from({ length: 50 }, (_, n) => client.unary('/a.B/Echo', `hello ${n}`, metadata)),
  )
  for (const [n, { messages, status }] of echoes.entries()) {
    assert.deepEqual([messages, status.code], [[`hello ${n}`], codes.OK])
    assert.deepEqual(status.metadata.get('x-asked'), ['yes'])
    assert.deepEqual(status.metadata.get('x-bytes-bin'), [Buffer.from([0, 1, 255])])
  }
  const large = 'y'.repeat(1_000_000)
  assert.deepEqual((await client.unary('/a.B/Echo', large, metadata)).messages, [large])
  // 2. A status instead of a message.
  const { status } = await client.unary('/a.B/Fail')
  assert.deepEqual([status.code, status.details], [codes.NOT_FOUND, 'there is none'])
  // 3. Streams in each direction, and in both.
  const listed = await ended(client.list('/a.B/List'))
  assert.deepEqual([listed.messages.length, listed.status.code], [100, codes.OK])
  let sum = ''
  const collecting = client.collect('/a.B/Sum', (reply) => (sum = reply.toString()))
  for (let n = 0; n < 100; n++) collecting.write(Buffer.alloc(5000))
  collecting.end()
  assert.equal((await ended(collecting)).status.code, codes.OK)
  assert.equal(sum, '500000')
  const chat = client.chat('/a.B/Chat')
  const output: string[] = []
  const over = ended(chat, output)
  for (const word of ['one', 'two', 'three']) {
    const received = new Promise((resolve) => chat.once('data', resolve))
    chat.write(Buffer.from(word))
    await received
  }
  chat.end()
  assert.equal((await over).status.code, codes.OK)
  assert.deepEqual(output, ['one', 'two', 'three'])
  // 4. A call cancelled by its client is cancelled at the service.
  const hanging = client.list('/a.B/Hang')
  const given = ended(hanging)
  await begun
  hanging.cancel()
  assert.equal((await given).status.code, codes.CANCELLED)
  await cancelled
})
