import assert from 'node:assert/strict'
import test from 'node:test'
import { definePolicy, Reply, z } from '../src/gateway.ts'
import { applyPolicy, fakeExchange, ManualClock, startTestGateway } from '../src/testing.ts'
import { startService } from './support/service.ts'

test('rate limits and the cache of a test gateway use its clock', async (t) => {
  const clock = new ManualClock()
  const service = await startService(t, (_, response) => response.setHeader('Cache-Control', 'max-age=60').end('hello'))
  await using gateway = await startTestGateway(
    {
      services: { backend: { instances: [service.url], health: false } },
      routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
      // Connections that are idle for longer are closed as time passes.
      limits: { idleTimeout: '24h' },
      policies: { 'rate-limit': { tiers: { unauthenticated: '3/h' } }, cache: {} },
    },
    { clock },
  )
  const ask = async (): Promise<unknown[]> => {
    const reply = await fetch(`${gateway.url}/`)
    await reply.text()
    return [
      reply.status,
      reply.headers
        .get('Cache-Status')
        ?.replace(/^.*?; */, '')
        .split(';')[0],
    ]
  }
  assert.deepEqual(await ask(), [200, 'fwd=uri-miss'])
  assert.deepEqual(await ask(), [200, 'hit'])
  clock.advance(61_000)
  assert.deepEqual(await ask(), [200, 'fwd=stale'])
  assert.equal((await ask())[0], 429)
  clock.advance(3_600_000)
  assert.equal((await ask())[0], 200)
})

test('a policy under test can use rate limits, per consumer, until they expire', async () => {
  const clock = new ManualClock()
  const counting = definePolicy({
    name: 'counting',
    summary: 'Counts by consumer.',
    options: z.strictObject({}),
    create(_, { limits }) {
      const meter = limits.meter(
        { name: 'one', algorithm: 'fixed-window', quotas: [{ limit: 1, window: 1000 }] },
        'closed',
      )
      return () => async (exchange) => {
        const decision = await meter.decide(exchange.consumer?.id ?? '', 1)
        return Reply.json(decision?.admitted === true ? 200 : 429, {})
      }
    },
  })
  const handle = applyPolicy(counting, {}, () => Reply.json(200, {}), { tools: { clock } })
  const statusOf = async (id: string): Promise<number> => (await handle(fakeExchange({ consumer: { id } }))).status
  assert.deepEqual([await statusOf('a'), await statusOf('b'), await statusOf('a')], [200, 200, 429])
  clock.advance(1001)
  assert.equal(await statusOf('a'), 200)
})
