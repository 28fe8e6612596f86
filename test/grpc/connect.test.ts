import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { status } from '@grpc/grpc-js'
import { Code, ConnectError } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { type GrpcMethods, startGrpcService } from '../support/grpc-server.ts'
import { authority, tlsListeners, writeLeaf } from '../support/tls.ts'
import { decodeText, encodeText, UsersClient } from '../support/users-api.ts'

/** A Connect client, over TLS, and the service behind the gateway. */
async function setUp(t: TestContext, methods: GrpcMethods = {}) {
  const service = await startGrpcService(t, methods)
  const secured = tlsListeners([writeLeaf(t, authority.issue())])
  const { port } = await startGateway(t, { ...proxyTo(service.url, { service: { http2: true } }), ...secured })
  const transport = createGrpcTransport({
    baseUrl: `https://127.0.0.1:${port}`,
    nodeOptions: { ca: authority.cert, servername: 'localhost' },
    // Otherwise the test would wait for idle connections.
    idleConnectionTimeoutMs: 1,
  })
  return { service, client: new UsersClient(transport) }
}

test('calls of a Connect client over TLS work: messages, metadata, and streams', async (t) => {
  const { client, service } = await setUp(t, {
    List(call) {
      for (const text of decodeText(call.request).split(',')) call.write(encodeText(`hello ${text}`))
      call.end()
    },
  })
  const { text } = await client.get('hello', { 'x-asked': 'yes' }, 60_000)
  assert.equal(text, 'hello')
  assert.deepEqual(service.received[0]?.get('x-asked'), ['yes'])
  const texts: string[] = []
  for await (const each of client.list('Ada,Grace')) texts.push(each)
  assert.deepEqual(texts, ['hello Ada', 'hello Grace'])
})

test('a Connect client gets the errors of the service and of the gateway', async (t) => {
  const { client, service } = await setUp(t, {
    Get: (_, reply) => reply({ code: status.ALREADY_EXISTS, details: 'näher bei 100%' }),
  })
  const failsWith = (code: Code, message: string) => (error: unknown) =>
    error instanceof ConnectError && error.code === code && error.rawMessage === message
  await assert.rejects(client.get('hello'), failsWith(Code.AlreadyExists, 'näher bei 100%'))
  service.kill()
  await assert.rejects(client.get('hello'), failsWith(Code.Unavailable, 'Service unavailable'))
})
