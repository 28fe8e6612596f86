import assert from 'node:assert/strict'
import { request } from 'node:http'
import test from 'node:test'
import { Metadata, status } from '@grpc/grpc-js'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { GrpcClient } from '../support/grpc-client.ts'
import { grpcFrame } from '../support/grpc-frames.ts'
import { startService } from '../support/service.ts'

const METHOD = '/shop.v1.Users/Get'

test('errors of the gateway have a gRPC status, and the same details as for HTTP clients', async (t) => {
  const { port } = await startGateway(t, {
    services: { backend: { instances: ['http://127.0.0.1:1'], health: false } },
    policies: { 'correlation-id': {} },
    routes: [
      { id: 'down', match: { path: '/shop.v1.Down/*' }, service: 'backend' },
      {
        id: 'secured',
        match: { path: '/shop.v1.Secured/*' },
        service: 'backend',
        policies: {
          auth: { methods: { jwt: { secret: 'a secret of more than thirty-two bytes', algorithms: ['HS256'] } } },
        },
      },
      {
        id: 'limited',
        match: { path: '/shop.v1.Limited/*' },
        service: 'backend',
        policies: { 'rate-limit': { tiers: { unauthenticated: '1/h' } } },
      },
    ],
  })
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  const nowhere = await client.unary(METHOD)
  assert.equal(nowhere.status.code, status.UNIMPLEMENTED)
  assert.equal(nowhere.status.details, 'No route matches this request.')
  assert.deepEqual(nowhere.status.metadata.get('content-length'), [])
  assert.equal((await client.unary('/shop.v1.Down/Get')).status.code, status.UNAVAILABLE)
  const unknown = await client.unary('/shop.v1.Secured/Get')
  assert.equal(unknown.status.code, status.UNAUTHENTICATED)
  assert.deepEqual(unknown.status.metadata.get('www-authenticate').length, 1)
  await client.unary('/shop.v1.Limited/Get')
  const limited = await client.unary('/shop.v1.Limited/Get')
  assert.equal(limited.status.code, status.RESOURCE_EXHAUSTED)
  assert.match(String(limited.status.metadata.get('retry-after')), /^\d+$/)
  assert.match(String(limited.status.metadata.get('x-correlation-id')), /^[0-9a-f-]{36}$/)
})

test('a gRPC client over HTTP/1.1 gets an error that says so', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const { promise, resolve } = Promise.withResolvers<Readonly<Record<string, unknown>>>()
  const headers = { 'Content-Type': 'application/grpc+proto', TE: 'trailers' }
  const pending = request({ port, path: METHOD, method: 'POST', headers }, (reply) => {
    resolve({ status: reply.statusCode, grpc: reply.headers['grpc-status'], message: reply.headers['grpc-message'] })
    reply.resume()
  })
  pending.end(grpcFrame('hello'))
  const reply = await promise
  assert.deepEqual([reply['status'], reply['grpc']], [200, '12'])
  assert.match(String(reply['message']), /^gRPC needs HTTP\/2 all the way/)
  assert.equal(service.received.length, 0)
})

test('an invalid grpc-timeout is rejected', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const metadata = new Metadata()
  metadata.set('grpc-timeout', '1s')
  const { status: end } = await new GrpcClient(t, `127.0.0.1:${port}`).unary(METHOD, '', metadata)
  assert.equal(end.code, status.INVALID_ARGUMENT)
  assert.match(end.details, /^grpc-timeout is malformed/)
})

test('messages, trailers and metadata are also forwarded to a service over HTTP/1.1', async (t) => {
  const service = await startService(t, (incoming, reply) => {
    reply.writeHead(200, { 'Content-Type': 'application/grpc', Trailer: 'grpc-status' })
    incoming.pipe(reply, { end: false })
    incoming.on('end', () => {
      reply.addTrailers({ 'grpc-status': '0', 'tail-bin': 'AAEC' })
      reply.end()
    })
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  const { messages, status: end } = await new GrpcClient(t, `127.0.0.1:${port}`).unary(METHOD, 'hello', undefined, {
    deadline: Date.now() + 60_000,
  })
  assert.deepEqual(messages, ['hello'])
  assert.equal(end.code, status.OK)
  assert.deepEqual(end.metadata.get('tail-bin'), [Buffer.from([0, 1, 2])])
  const [received] = service.received
  assert.match(String(received?.headers['grpc-timeout']), /^\d{8}u$/)
  assert.equal(received?.headers['te'], 'trailers')
})

test('failed authentication attempts are limited, for calls as for other requests', async (t) => {
  const { port } = await startGateway(t, {
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
    policies: {
      auth: {
        methods: { 'api-key': { keys: [{ id: 'ci', sha256: 'a'.repeat(64) }] } },
        refusals: '2/h',
      },
    },
  })
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  const codes: number[] = []
  for (let i = 0; i < 3; i++) {
    const metadata = new Metadata()
    metadata.set('x-api-key', `guess ${i}`)
    codes.push((await client.unary(METHOD, '', metadata)).status.code)
  }
  assert.deepEqual(codes, [status.UNAUTHENTICATED, status.UNAUTHENTICATED, status.RESOURCE_EXHAUSTED])
})
