import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import test from 'node:test'
import type { GatewayInput } from '../../src/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { requestAdmin } from '../support/admin.ts'
import { send } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { scrape } from '../support/metrics.ts'
import { startService } from '../support/service.ts'
import { turnUntil } from '../support/settled.ts'

type ServiceInput = NonNullable<GatewayInput['services']>[string]

/** The configuration of a gateway that forwards everything below /NAME/ to the service with that name. */
function leadTo(services: Readonly<Record<string, ServiceInput>>, more: GatewayInput = {}): GatewayInput {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    endpoints: { docs: false, openapi: false },
    drainTimeout: '1s',
    services,
    routes: Object.keys(services).map((name) => ({ id: name, match: { path: `/${name}/*` }, service: name })),
    ...more,
  }
}

/** Checked once at the start, and then not for a long time. */
const RARELY = { path: '/health', interval: '1h' } as const

const statusOf = async (port: number, path: string): Promise<number> => (await send(port, { path })).status

/** Sends that many requests one after another. */
async function sendAll(port: number, path: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assert.equal(await statusOf(port, path), 200)
}

test('a reload keeps unhealthy and drained instances as they are, without checking them again', async (t) => {
  let checks = 0
  const counting = (status: number) => ({ health: () => (checks++, status) })
  const [well, ill] = [await startService(t, undefined, counting(200)), await startService(t, undefined, counting(503))]
  const drained = await startService(t, undefined, counting(200))
  const config = (body: string): GatewayInput => {
    const users = { instances: [well.url, ill.url, drained.url], health: RARELY }
    const { routes = [], ...rest } = leadTo({ users })
    return { ...rest, routes: [...routes, { id: 'own', match: { path: '/own' }, reply: { status: 200, body } }] }
  }
  // As time passes, an unhealthy instance is checked again soon.
  const { gateway, port } = await startGateway(t, config('one'), { clock: new ManualClock() })
  const admin = gateway.adminAddress!.port
  await requestAdmin(admin, `/services/users/instances/${drained.address}/drain`, { method: 'PUT' })
  assert.equal(checks, 3)
  for (const body of ['two', 'three']) {
    await gateway.reload(config(body))
    assert.equal((await send(port, { path: '/own' })).text, body)
    await sendAll(port, '/users/1', 6)
  }
  assert.deepEqual([well.received.length, ill.received.length, drained.received.length], [12, 0, 0])
  assert.equal(checks, 3)
  const { json } = await requestAdmin(admin, '/services/users')
  const instances = json['instances'] as { drained: boolean; health: { state: string; failures: number } }[]
  assert.deepEqual(
    instances.map((each) => [each.drained, each.health.state, each.health.failures]),
    [
      [false, 'healthy', 0],
      [false, 'unhealthy', 1],
      [true, 'healthy', 0],
    ],
  )
})

test('an equal configuration causes no checks and no connections', async (t) => {
  let checks = 0
  const service = await startService(t, undefined, { health: () => (checks++, 200) })
  const config = leadTo({ users: { instances: [service.url], health: RARELY } })
  const { gateway, port } = await startGateway(t, config)
  await sendAll(port, '/users/1', 1)
  const before = [checks, service.connections]
  for (let i = 0; i < 3; i++) await gateway.reload(config)
  await sendAll(port, '/users/1', 1)
  assert.deepEqual([checks, service.connections], before)
})

test('a reload waits for the first check of an added service, so its first request is answered', async (t) => {
  const [users, waiting] = [await startService(t), Promise.withResolvers<ServerResponse>()]
  const orders = await startService(t, ({ url }, response) => {
    if (url === '/ready') waiting.resolve(response)
    else response.end('order')
  })
  const health = { ...RARELY, path: '/ready' }
  const { gateway, port } = await startGateway(t, leadTo({ users: { instances: [users.url] } }))
  const reloaded = gateway.reload(
    leadTo(
      { users: { instances: [users.url] }, orders: { instances: [orders.url], health } },
      { reload: { warm: '1h' } },
    ),
  )
  const check = await waiting.promise
  assert.equal(await statusOf(port, '/users/1'), 200)
  assert.equal(await statusOf(port, '/orders/1'), 404)
  check.end()
  await reloaded
  assert.equal((await send(port, { path: '/orders/1' })).text, 'order')
})

test('an instance that does not answer its first check delays a reload by reload.warm at most, and gets no requests', async (t) => {
  const [users, waiting] = [await startService(t), Promise.withResolvers<ServerResponse>()]
  const silent = await startService(t, ({ url }, response) => {
    if (url === '/ready') waiting.resolve(response)
    else response.end()
  })
  const health = { ...RARELY, path: '/ready', timeout: '1h' } as const
  const before = { users: { instances: [users.url], health: RARELY } }
  const { gateway, port } = await startGateway(t, leadTo(before))
  const orders = { instances: [silent.url], health }
  await gateway.reload(leadTo({ ...before, orders }, { reload: { warm: '10ms' } }))
  assert.equal(await statusOf(port, '/users/1'), 200)
  assert.equal(await statusOf(port, '/orders/1'), 503)
  const healthy = async (): Promise<number> =>
    (await scrape(port)).sum('sallyport_instance_healthy', { service: 'orders' })
  assert.equal(await healthy(), 0)
  const admin = gateway.adminAddress!.port
  const { json } = await requestAdmin(admin, '/services/orders')
  assert.equal((json['instances'] as { health: { state: string } }[])[0]!.health.state, 'pending')
  assert.equal(json['status'], 'unhealthy')
  ;(await waiting.promise).end()
  await turnUntil('a healthy instance', async () => (await healthy()) > 0)
  assert.equal(await statusOf(port, '/orders/1'), 200)
})

test('a replacement instance in a service gets the next request', async (t) => {
  const [before, after] = [await startService(t), await startService(t)]
  const config = (url: string): GatewayInput => leadTo({ users: { instances: [url], health: RARELY } })
  const { gateway, port } = await startGateway(t, config(before.url))
  await sendAll(port, '/users/1', 2)
  await gateway.reload(config(after.url))
  await sendAll(port, '/users/1', 2)
  assert.deepEqual([before.received.length, after.received.length], [2, 2])
  const reported = await scrape(port)
  const instances = (name: string): string[] =>
    reported.all(name, { service: 'users' }).map(({ labels }) => labels['instance']!)
  assert.deepEqual(instances('sallyport_instance_healthy'), [after.address])
  const requests = (instance: string): number =>
    reported.sum('sallyport_instance_requests_total', { instance, status_class: '2xx' })
  assert.deepEqual([requests(before.address), requests(after.address)], [2, 2], 'counts are kept for a while')
})

test('a rejected configuration leaves nothing behind after its checks', async (t) => {
  let checks = 0
  const [users, added] = [await startService(t), await startService(t, undefined, { health: () => (checks++, 200) })]
  const config = leadTo({ users: { instances: [users.url], health: RARELY } })
  const { gateway, port } = await startGateway(t, config)
  const taken = { listeners: [{ address: '127.0.0.1:0' }, { address: `127.0.0.1:${users.port}` }] }
  const both = { users: { instances: [users.url, added.url], health: { ...RARELY, interval: '10ms' as const } } }
  await assert.rejects(gateway.reload(leadTo(both, taken)))
  const so = checks
  await sendAll(port, '/users/1', 4)
  assert.deepEqual([users.received.length, added.received.length], [4, 0])
  assert.ok(checks - so <= 1, 'none except those in flight')
  assert.equal((await scrape(port)).all('sallyport_instance_healthy').length, 1)
})
