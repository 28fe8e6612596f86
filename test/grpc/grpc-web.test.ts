import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { createGrpcWebTransport } from '@connectrpc/connect-web'
import { type handleServerStreamingCall, type handleUnaryCall, Metadata, status } from '@grpc/grpc-js'
import type { GatewayInput } from '../../src/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { startGateway } from '../support/gateway.ts'
import { startGrpcService } from '../support/grpc-service.ts'
import { TIMEOUT } from '../support/timeout.ts'
import { decodeText, encodeText, UsersClient } from '../support/users-api.ts'

/** Greets the person named in the message. */
const get: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
  const name = decodeText(call.request)
  if (name === 'fail') return callback({ code: status.NOT_FOUND, details: 'no 👤' })
  const head = new Metadata()
  head.set('x-received', String(call.metadata.get('x-own')))
  head.set('x-has-deadline', String(call.getDeadline() !== Infinity))
  call.sendMetadata(head)
  const end = new Metadata()
  end.set('x-count-bin', Buffer.from([1, 2]))
  callback(null, encodeText(`hello ${name}`), end)
}

/** Greets all of them; "endless" never ends. */
const list: handleServerStreamingCall<Buffer, Buffer> = (call) => {
  const names = decodeText(call.request)
  for (const name of names.split(',')) call.write(encodeText(`hello ${name}`))
  if (names === 'endless') return
  if (names === 'late') call.emit('error', { code: status.UNAVAILABLE, details: 'enough' })
  else call.end()
}

async function setUp(t: TestContext) {
  const service = await startGrpcService(t, {
    unary: { '/shop.v1.Users/Get': get },
    list: { '/shop.v1.Users/List': list },
  })
  const { port, log } = await startGateway(t, {
    services: { users: { instances: [service], http2: true, health: false } },
    policies: { 'grpc-web': {} },
    routes: [
      { id: 'users', match: { path: '/shop.v1.Users/*' }, service: 'users' },
      {
        id: 'limited',
        match: { path: '/limited/*' },
        service: 'users',
        rewrite: { strip: '/limited' },
        policies: { 'rate-limit': { tiers: { unauthenticated: '1/h' } } },
      },
    ],
  })
  const clientAt = (path: string): UsersClient =>
    new UsersClient(createGrpcWebTransport({ baseUrl: `http://127.0.0.1:${port}${path}` }))
  return { client: clientAt(''), clientAt, log }
}

async function textsOf(messages: AsyncIterable<string>): Promise<string[]> {
  const texts: string[] = []
  for await (const text of messages) texts.push(text)
  return texts
}

function failsWith(code: Code, message: string) {
  return (error: unknown) => error instanceof ConnectError && error.code === code && error.rawMessage === message
}

test('a gRPC-Web client calls a gRPC service', async (t) => {
  const { client, log } = await setUp(t)
  const { text, header, trailer } = await client.get('world', { 'x-own': 'mine' }, TIMEOUT)
  assert.equal(text, 'hello world')
  assert.deepEqual([header.get('x-received'), header.get('x-has-deadline')], ['mine', 'true'])
  assert.equal(trailer.get('x-count-bin'), 'AQI=')
  assert.equal((await log.line({ message: 'API Gateway Request' }))['grpc_status'], 'OK')
})

test('a stream of messages is received completely', async (t) => {
  const { client } = await setUp(t)
  assert.deepEqual(await textsOf(client.list('a,b,c')), ['hello a', 'hello b', 'hello c'])
})

test('each message arrives when it is sent', async (t) => {
  const { client } = await setUp(t)
  const messages = client.list('endless')
  assert.deepEqual(await messages.next(), { done: false, value: 'hello endless' })
  await messages.return(null)
})

test('errors of the service reach the client, with or without messages before them', async (t) => {
  const { client } = await setUp(t)
  await assert.rejects(client.get('fail'), failsWith(Code.NotFound, 'no 👤'))
  const messages = client.list('late')
  assert.deepEqual(await messages.next(), { done: false, value: 'hello late' })
  await assert.rejects(messages.next(), failsWith(Code.Unavailable, 'enough'))
})

test('a deadline ends the call for the client and for the service', async (t) => {
  const [begun, cancelled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const service = await startGrpcService(t, {
    unary: {
      '/shop.v1.Users/Get': (call) => {
        begun.resolve()
        void once(call, 'cancelled').then(() => cancelled.resolve())
      },
    },
  })
  const config: GatewayInput = {
    services: { users: { instances: [service], http2: true, health: false } },
    policies: { 'grpc-web': {} },
    routes: [{ id: 'users', match: { path: '/*' }, service: 'users' }],
  }
  const clock = new ManualClock()
  const { port } = await startGateway(t, config, { clock })
  // Sent by hand: the client would end the call itself.
  const pending = fetch(`http://127.0.0.1:${port}/shop.v1.Users/Get`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/grpc-web+proto', 'Grpc-Timeout': '9S' },
    body: new Uint8Array(5),
  })
  await begun.promise
  clock.advance(9_500)
  const reply = await pending
  assert.deepEqual([reply.status, reply.headers.get('grpc-status')], [200, String(status.DEADLINE_EXCEEDED)])
  await cancelled.promise
})

test('errors of the gateway have a gRPC status', async (t) => {
  const { clientAt } = await setUp(t)
  await assert.rejects(clientAt('/nowhere').get('x'), failsWith(Code.Unimplemented, 'No route matches this request.'))
  const limited = clientAt('/limited')
  await limited.get('x')
  await assert.rejects(limited.get('x'), (error) => {
    assert.ok(error instanceof ConnectError)
    assert.equal(error.code, Code.ResourceExhausted)
    assert.match(error.metadata.get('retry-after') ?? '', /^\d+$/)
    return true
  })
})
