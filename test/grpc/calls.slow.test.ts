import assert from 'node:assert/strict'
import test from 'node:test'
import { credentials, ServerCredentials, status } from '@grpc/grpc-js'
import { startGateway } from '../support/gateway.ts'
import { ended, GrpcClient } from '../support/grpc-client.ts'
import { startGrpcService } from '../support/grpc-server.ts'
import { authority, tlsListeners, writeLeaf } from '../support/tls.ts'

const GET = '/shop.v1.Users/Get'
const LIST = '/shop.v1.Users/List'

test('calls work with TLS on both sides and several workers', async (t) => {
  const { cert, key } = authority.issue()
  const secured = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }])
  const service = await startGrpcService(t, {}, secured)
  const instances = [`https://localhost:${service.port}`]
  const { port } = await startGateway(
    t,
    {
      ...tlsListeners([writeLeaf(t, authority.issue())]),
      workers: 2,
      services: { backend: { instances, health: false, http2: true, tls: { ca: authority.cert } } },
      routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
    },
    { workers: true },
  )
  const believing = credentials.createSsl(Buffer.from(authority.cert))
  const named = { 'grpc.ssl_target_name_override': 'localhost' }
  // Each connection may be served by another worker.
  const ends = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const client = new GrpcClient(t, `127.0.0.1:${port}`, believing, named)
      const unary = await client.unary(GET, `hello ${i}`)
      const list = await ended(client.list(LIST, 'abc'))
      return [unary.messages, list.messages, list.status.code]
    }),
  )
  assert.deepEqual(
    ends,
    Array.from({ length: 8 }, (_, i) => [[`hello ${i}`], ['a', 'b', 'c'], status.OK]),
  )
})
