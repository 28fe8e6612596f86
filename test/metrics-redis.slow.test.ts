import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { type Scrape, scrape } from './support/metrics.ts'
import { connectTo, startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'

/** A gateway that counts in Redis. */
async function limitInRedis(t: TestContext) {
  const redis = await startRedis(t)
  const config: GatewayInput = {
    stores: { redis: { url: redis.url, timeout: '400ms' } },
    policies: { 'rate-limit': { tiers: { unauthenticated: '1000/h' } } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
  }
  return { redis, ...(await startGateway(t, config)) }
}

test('Redis operations are counted and timed, and an outage is visible', async (t) => {
  const { redis, port, log } = await limitInRedis(t)
  for (let i = 0; i < 3; i++) await send(port)
  const before = await scrape(port)
  const asked = { store: 'redis', operation: 'decide' }
  assert.equal(before.sum('sallyport_store_operations_total', { ...asked, outcome: 'ok' }), 3)
  assert.equal(before.sum('sallyport_store_duration_seconds_count', asked), 3)
  assert.equal(before.sum('sallyport_store_up', { store: 'redis' }), 1)
  redis.pause()
  for (let i = 0; i < 4; i++) await send(port)
  await log.line({ message: 'Redis cannot be used: the gateway continues without it' })
  const during = await scrape(port)
  assert.equal(during.sum('sallyport_store_operations_total', { ...asked, outcome: 'timeout' }), 3)
  assert.equal(during.sum('sallyport_store_up', { store: 'redis' }), 0)
  redis.resume()
  await until('Redis to be up again', async () => (await scrape(port)).sum('sallyport_store_up') === 1)
})

/** How many such requests to Redis had that outcome. */
function operations(metrics: Scrape, operation: string, outcome: string): number {
  return metrics.sum('sallyport_store_operations_total', { store: 'redis', operation, outcome })
}

test('operations for API keys and the cache have their own names, and rejections count as errors', async (t) => {
  const server = await startRedis(t)
  const redis = connectTo(t, server)
  const service = await startService(t, (_, response) => response.setHeader('Cache-Control', 'max-age=60').end('hello'))
  const { port } = await startGateway(
    t,
    proxyTo(service.url, {
      stores: { redis: { url: server.url, timeout: '10s' } },
      policies: {
        auth: { methods: { 'api-key': { store: 'redis' } }, public: ['/*'] },
        cache: { store: 'redis', share: 'everyone' },
      },
    }),
  )
  await send(port, { headers: { 'X-API-Key': 'sp_unknown' } })
  await until('the reply to be stored', async () => operations(await scrape(port), 'cache-put', 'ok') > 0)
  await send(port, { method: 'DELETE' })
  const before = await scrape(port)
  for (const operation of ['find-key', 'cache-find', 'cache-put', 'cache-forget']) {
    assert.ok(operations(before, operation, 'ok') > 0, operation)
    assert.equal(operations(before, operation, 'error'), 0, operation)
  }
  await redis.config('SET', 'maxmemory', '1')
  await send(port, { path: '/other' })
  await until('a rejected operation', async () => operations(await scrape(port), 'cache-put', 'error') > 0)
  const after = await scrape(port)
  assert.equal(operations(after, 'cache-put', 'ok'), operations(before, 'cache-put', 'ok'))
  assert.equal(after.sum('sallyport_store_up', { store: 'redis' }), 0)
})
