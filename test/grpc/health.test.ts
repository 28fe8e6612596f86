import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { ServerCredentials, status } from '@grpc/grpc-js'
import type { GatewayInput } from '../../src/gateway.ts'
import { startGateway } from '../support/gateway.ts'
import { type GrpcMethods, type GrpcService, startGrpcService } from '../support/grpc-server.ts'
import { startService } from '../support/service.ts'
import { authority } from '../support/tls.ts'

type Backend = NonNullable<GatewayInput['services']>[string]

/** The result of the first check of an instance. */
async function check(
  t: TestContext,
  url: string,
  health: NonNullable<Backend['health']>,
  more: Partial<Backend> = {},
): Promise<[state: string, reason: string]> {
  const { log } = await startGateway(t, {
    services: { backend: { instances: [url], http2: true, health, ...more } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  const line = log.lines.find(({ message }) => String(message).startsWith('instance is '))
  return [String(line?.['message']), String(line?.['reason'])]
}

const checked = async (t: TestContext, health: NonNullable<GrpcMethods['health']>, grpc: true | string = true) =>
  check(t, (await startGrpcService(t, { health })).url, { grpc })

test('an instance that answers SERVING is healthy', async (t) => {
  const requests: string[] = []
  const answer = (service: string): number => {
    requests.push(service)
    return 1
  }
  assert.deepEqual(await checked(t, answer), ['instance is healthy', 'SERVING'])
  assert.deepEqual(await checked(t, answer, 'shop.v1.Users'), ['instance is healthy', 'SERVING'])
  assert.deepEqual(requests, ['', 'shop.v1.Users'])
})

test('an instance that answers anything else is unhealthy, with the reason', async (t) => {
  assert.deepEqual(await checked(t, () => 2), ['instance is unhealthy', 'the instance reports NOT_SERVING'])
  assert.deepEqual(await checked(t, () => 0), ['instance is unhealthy', 'the instance reports UNKNOWN'])
  assert.deepEqual(await checked(t, () => ({ code: status.NOT_FOUND, details: 'no such service' })), [
    'instance is unhealthy',
    'gRPC status NOT_FOUND',
  ])
  assert.deepEqual(await checked(t, () => 9), ['instance is unhealthy', 'the reply is not a grpc.health.v1 response'])
})

test('a server without the health service, or with HTTP/1.1 only, is unhealthy', async (t) => {
  const without: GrpcService = await startGrpcService(t)
  assert.deepEqual(await check(t, without.url, { grpc: true }), ['instance is unhealthy', 'gRPC status UNIMPLEMENTED'])
  const [state] = await check(t, (await startService(t)).url, { grpc: true })
  assert.equal(state, 'instance is unhealthy')
})

test('checks use TLS if calls do', async (t) => {
  const { cert, key } = authority.issue()
  const secured = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }])
  const { port } = await startGrpcService(t, { health: () => 1 }, secured)
  const tls = { ca: authority.cert }
  assert.deepEqual(await check(t, `https://localhost:${port}`, { grpc: true }, { tls }), [
    'instance is healthy',
    'SERVING',
  ])
})
