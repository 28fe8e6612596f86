import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { createGrpcWebTransport } from '@connectrpc/connect-web'
import { startGateway } from '../support/gateway.ts'
import { grpcFrame } from '../support/grpc-frames.ts'
import { startService } from '../support/service.ts'
import { decodeText, encodeText, UsersClient } from '../support/users-api.ts'

/** A service whose methods do what the text of the message says. */
async function users(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const octets = Buffer.concat(await request.toArray())
  const value = decodeText(octets.subarray(5))
  const send = (text: string): void => void response.write(grpcFrame(encodeText(text)))
  response.setHeader('Content-Type', 'application/grpc+proto')
  if (value === 'fail')
    return void response.writeHead(200, { 'grpc-status': '5', 'grpc-message': 'no %F0%9F%91%A4' }).end()
  response.setHeader('Trailer', 'grpc-status')
  response.setHeader('X-Heard', [request.headers['content-type'], request.headers['te']].join(', '))
  response.setHeader('X-Time', String(request.headers['grpc-timeout']))
  if (value === 'endless') return send('first')
  for (const part of value.split(',')) send(`hello ${part}`)
  response.addTrailers(
    value === 'late' ? { 'grpc-status': '14', 'grpc-message': 'enough' } : { 'grpc-status': '0', 'x-count': '2' },
  )
  response.end()
}

async function setUp(t: TestContext) {
  const service = await startService(t, (request, response) => void users(request, response))
  const { port } = await startGateway(t, {
    services: { users: { instances: [service.url], health: false } },
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
  return { client: clientAt(''), clientAt }
}

async function textsOf(messages: AsyncIterable<string>): Promise<string[]> {
  const texts: string[] = []
  for await (const text of messages) texts.push(text)
  return texts
}

function failsWith(code: Code, message: string) {
  return (error: unknown) => error instanceof ConnectError && error.code === code && error.rawMessage === message
}

test('a client of grpc-web calls a service that speaks gRPC', async (t) => {
  const { client } = await setUp(t)
  const { text, header, trailer } = await client.get('world', {}, 5000)
  assert.equal(text, 'hello world')
  assert.equal(header.get('x-heard'), 'application/grpc+proto, trailers')
  assert.match(header.get('x-time') ?? '', /^\d+u$/)
  assert.equal(trailer.get('x-count'), '2')
})

test('a stream of messages comes to its end', async (t) => {
  const { client } = await setUp(t)
  assert.deepEqual(await textsOf(client.list('a,b,c')), ['hello a', 'hello b', 'hello c'])
})

test('each message comes when it is sent', async (t) => {
  const { client } = await setUp(t)
  const messages = client.list('endless')
  assert.deepEqual(await messages.next(), { done: false, value: 'first' })
  await messages.return(null)
})

test('errors of the service come through, with messages before them or without', async (t) => {
  const { client } = await setUp(t)
  await assert.rejects(client.get('fail'), failsWith(Code.NotFound, 'no 👤'))
  const messages = client.list('late')
  assert.deepEqual(await messages.next(), { done: false, value: 'hello late' })
  await assert.rejects(messages.next(), failsWith(Code.Unavailable, 'enough'))
})

test('errors of the gateway are told in terms of gRPC', async (t) => {
  const { clientAt } = await setUp(t)
  await assert.rejects(clientAt('/nowhere').get('x'), failsWith(Code.Unimplemented, 'No route leads there.'))
  const limited = clientAt('/limited')
  await limited.get('x')
  await assert.rejects(limited.get('x'), (error) => {
    assert.ok(error instanceof ConnectError)
    assert.equal(error.code, Code.ResourceExhausted)
    assert.match(error.metadata.get('retry-after') ?? '', /^\d+$/)
    return true
  })
})
