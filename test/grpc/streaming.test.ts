import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import { status } from '@grpc/grpc-js'
import { startGateway } from '../support/gateway.ts'
import { ended, GrpcClient, nextMessage } from '../support/grpc-client.ts'
import { grpcFrame } from '../support/grpc-frames.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { startService } from '../support/service.ts'

const HOUR = 3_600_000

/** A gateway with one route for streams and one for calls, to a service over HTTP/1.1 with trailers. */
async function setUp(t: TestContext, answer: (incoming: IncomingMessage, reply: ServerResponse) => void) {
  const clock = new ManualClock()
  const service = await startService(t, (incoming, reply) => {
    reply.writeHead(200, { 'Content-Type': 'application/grpc', Trailer: 'grpc-status' }).flushHeaders()
    answer(incoming, reply)
  })
  const { port, log } = await startGateway(
    t,
    {
      limits: { body: '64kb' },
      services: { backend: { instances: [service.url], health: false } },
      routes: [
        { id: 'streams', match: { path: '/shop.v1.Streams/*' }, service: 'backend', streaming: true },
        { id: 'calls', match: { path: '/shop.v1.Calls/*' }, service: 'backend' },
      ],
    },
    { clock },
  )
  return { clock, log, client: new GrpcClient(t, `127.0.0.1:${port}`) }
}

const finish = (reply: ServerResponse): void => {
  reply.addTrailers({ 'grpc-status': '0' })
  reply.end()
}

test('a stream may be silent for hours in both directions', async (t) => {
  const { client, clock } = await setUp(t, (incoming, reply) => {
    incoming.on('data', (chunk: Buffer) => reply.write(chunk))
    incoming.on('end', () => finish(reply))
  })
  const call = client.chat('/shop.v1.Streams/Chat')
  const end = ended(call)
  for (const message of ['one', 'two']) {
    call.write(Buffer.from(message))
    await nextMessage(call)
    clock.advance(3 * HOUR)
  }
  call.end()
  assert.equal((await end).status.code, status.OK)
  assert.deepEqual((await end).messages, ['one', 'two'])
})

test('a client stream and its reply may take hours', async (t) => {
  const { promise: received, resolve } = Promise.withResolvers<ServerResponse>()
  const { client, clock } = await setUp(t, (incoming, reply) => {
    incoming.on('end', () => resolve(reply)).resume()
  })
  const messages: string[] = []
  const call = client.collect('/shop.v1.Streams/Collect', (reply) => messages.push(reply.toString()))
  const end = ended(call)
  await new Promise((written) => call.write(Buffer.from('one'), written))
  clock.advance(HOUR)
  call.end(Buffer.from('two'))
  const reply = await received
  clock.advance(HOUR)
  reply.write(grpcFrame('done'))
  finish(reply)
  assert.equal((await end).status.code, status.OK)
  assert.deepEqual(messages, ['done'])
})

test('a call outside of streaming routes times out when idle', async (t) => {
  const { client, clock } = await setUp(t, (_, reply) => void reply.write(grpcFrame('one')))
  const call = client.list('/shop.v1.Calls/List')
  const end = ended(call)
  await nextMessage(call)
  clock.advance(61_000)
  assert.equal((await end).status.code, status.DEADLINE_EXCEEDED)
  assert.deepEqual((await end).messages, ['one'])
})

test('limits.body does not apply to streams, but does to other calls', async (t) => {
  const { client, log } = await setUp(t, (incoming, reply) => {
    incoming.on('end', () => finish(reply)).on('data', (chunk: Buffer) => reply.write(chunk))
  })
  const large = 'x'.repeat(100_000)
  const stream = await client.unary('/shop.v1.Streams/Echo', large)
  assert.deepEqual(stream.messages, [large])
  const call = await client.unary('/shop.v1.Calls/Echo', large)
  assert.equal(call.status.code, status.RESOURCE_EXHAUSTED)
  const line = await log.line({ route: 'calls' })
  assert.equal(line['grpc_status'], 'RESOURCE_EXHAUSTED')
})

test('a deadline applies to a whole stream', async (t) => {
  const { client, clock } = await setUp(t, (_, reply) => void reply.write(grpcFrame('one')))
  const call = client.list('/shop.v1.Streams/List', '', undefined, { deadline: Date.now() + HOUR })
  const end = ended(call)
  await nextMessage(call)
  clock.advance(HOUR - 5_000)
  clock.advance(10_000)
  const { status: told, messages } = await end
  assert.equal(told.code, status.DEADLINE_EXCEEDED)
  assert.equal(told.details, 'The deadline of the call has passed.')
  assert.deepEqual(messages, ['one'])
})
