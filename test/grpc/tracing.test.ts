import assert from 'node:assert/strict'
import test from 'node:test'
import { status } from '@grpc/grpc-js'
import { startCollector } from '../support/collector.ts'
import { startGateway } from '../support/gateway.ts'
import { GrpcClient } from '../support/grpc-client.ts'
import { startGrpcService } from '../support/grpc-server.ts'

test('spans of calls follow the semantic conventions for gRPC', async (t) => {
  const collector = await startCollector(t)
  t.after(() => delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'])
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url
  const service = await startGrpcService(t, {
    Get({ request }, reply) {
      const code = Number(request.toString())
      if (code === 0) reply(null, request)
      else reply({ code, details: 'no' })
    },
  })
  const { gateway, port, log } = await startGateway(t, {
    services: { backend: { instances: [service.url], http2: true, health: false } },
    routes: [{ id: 'users', match: { path: '/shop.v1.Users/*' }, service: 'backend' }],
  })
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  await client.unary('/shop.v1.Users/Get', '0')
  await client.unary('/shop.v1.Users/Get', String(status.NOT_FOUND))
  await client.unary('/shop.v1.Users/Get', String(status.UNAVAILABLE))
  await client.unary('/shop.v1.Users/MadeUp')
  await log.line({ grpc_status: 'UNIMPLEMENTED' })
  await gateway.close()
  const reported = collector.spans.map(({ kind, name, attributes, status: { code } }) => [
    kind,
    name,
    attributes['rpc.system.name'],
    attributes['rpc.method'],
    attributes['rpc.status_code'],
    attributes['error.type'],
    code === 2,
  ])
  const get = ['shop.v1.Users/Get', 'grpc', 'shop.v1.Users/Get'] as const
  assert.deepEqual(reported, [
    ['server', ...get, 'OK', undefined, false],
    ['client', ...get, 'OK', undefined, false],
    // In a client span every status but OK is an error, in a server span only those that the server has to fix.
    ['server', ...get, 'NOT_FOUND', undefined, false],
    ['client', ...get, 'NOT_FOUND', 'NOT_FOUND', true],
    ['server', ...get, 'UNAVAILABLE', 'UNAVAILABLE', true],
    ['client', ...get, 'UNAVAILABLE', 'UNAVAILABLE', true],
    // Clients can invent endless methods.
    ['server', 'POST /shop.v1.Users/*', 'grpc', '_OTHER', 'UNIMPLEMENTED', 'UNIMPLEMENTED', true],
    ['client', 'POST', 'grpc', '_OTHER', 'UNIMPLEMENTED', 'UNIMPLEMENTED', true],
  ])
  assert.equal(collector.spans.at(-1)?.attributes['rpc.method_original'], 'shop.v1.Users/MadeUp')
})
