import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { startService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

/** An instance that never answers and is picked first, and one that replies immediately. */
async function setUp(t: TestContext) {
  const held: ServerResponse[] = []
  const slow = await startService(t, (_, response) => void held.push(response))
  const quick = await startService(t, (_, response) => void response.end('quick'))
  const hedge = { after: '1ms', budget: '100%' } as const
  const config = proxyTo([slow.url, quick.url], { service: { balancer: 'round-robin', hedge } })
  return { slow, quick, held, config }
}

test('a slow GET is answered by another instance, and the first request is cancelled', async (t) => {
  const { slow, quick, held, config } = await setUp(t)
  const { port, log } = await startGateway(t, config)
  const { status, text } = await send(port, { path: '/1' })
  assert.deepEqual([status, text], [200, 'quick'])
  assert.deepEqual([slow.received.length, quick.received.length], [1, 1])
  await turnUntil('the connection to close', () => held[0]!.destroyed)
  const line = await log.line({ status_code: 200 })
  assert.deepEqual([line['attempts'], line['retried'], line['instance']], [2, 'hedge', quick.address])
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_hedges_total', { service: 'backend', outcome: 'won' }), 1)
  assert.equal(metrics.sum('sallyport_instance_errors_total'), 0)
  assert.equal(metrics.sum('sallyport_instance_in_flight'), 0)
})

test('a POST is not hedged', async (t) => {
  const { slow, quick, held, config } = await setUp(t)
  const { port } = await startGateway(t, config)
  const answer = send(port, { method: 'POST', body: 'x' })
  await turnUntil('the request to reach the service', () => held.length === 1)
  // Another request, by the other instance, takes longer than the hedge delay.
  assert.equal((await send(port, { method: 'POST', body: 'y' })).text, 'quick')
  held[0]!.end('slow')
  assert.equal((await answer).text, 'slow')
  assert.deepEqual([slow.received.length, quick.received.length], [1, 1])
})

test('a route can turn hedging off', async (t) => {
  const { slow, held, config } = await setUp(t)
  const [route] = config.routes ?? []
  const { port } = await startGateway(t, { ...config, routes: [{ ...route!, hedge: false }] })
  const answer = send(port)
  await turnUntil('the request to reach the service', () => held.length === 1)
  assert.equal((await send(port)).text, 'quick')
  held[0]!.end('slow')
  assert.equal((await answer).text, 'slow')
  assert.equal(slow.received.length, 1)
})

test('the admin API shows the remaining budget, and null without hedging', async (t) => {
  const { config } = await setUp(t)
  const { port, ask } = await startAdminGateway(t, config)
  const hedges = async (): Promise<unknown> => (await ask('/services/backend')).json['hedges']
  assert.deepEqual(await hedges(), { after: '1ms', left: 10 })
  await send(port)
  // One more request, which could be sent twice, and was.
  assert.deepEqual(await hedges(), { after: '1ms', left: 10 })
  const service = await startService(t)
  const without = await startAdminGateway(t, proxyTo([service.url]))
  assert.equal((await without.ask('/services/backend')).json['hedges'], null)
})
