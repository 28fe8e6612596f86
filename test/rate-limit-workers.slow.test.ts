import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import test, { type TestContext } from 'node:test'
import { algorithms } from '../src/policies/rate-limit/meter.ts'
import { requestAdmin } from './support/admin.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { start } from './support/command.ts'
import { startRedis } from './support/redis.ts'

const CLIENTS = 64
const LIMIT = 150
const REQUESTS = 4

/** A gateway with fixed replies, and a route and a limit for each store and algorithm. */
function configuration(redis: string): string {
  const routes = ['memory', 'redis'].flatMap((store) =>
    algorithms.map(
      (algorithm) => `
  - id: ${store}-${algorithm}
    match: { path: /${store}/${algorithm} }
    reply: { status: 204 }
    policies: { rate-limit: { tiers: { unauthenticated: ${LIMIT}/30d }, algorithm: ${algorithm}, store: ${store} } }`,
    ),
  )
  // Tests may have to wait for the machine longer than a client should for Redis.
  return `
workers: 2
listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0' }
log: { access: false }
stores: { redis: { url: '${redis}', timeout: 10s } }
routes:${routes.join('')}
`
}

/** Sends requests from all clients simultaneously, each on its own connection, and counts the replies by status. */
async function sendAll(t: TestContext, ports: readonly number[], path: string): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  cleanUp(t, () => agents.forEach((agent) => agent.destroy()))
  await Promise.all(
    agents.map(async (agent, i) => {
      for (let request = 0; request < REQUESTS; request++) {
        const { status } = await send(ports[i % ports.length]!, { path, agent })
        counts[status] = (counts[status] ?? 0) + 1
      }
    }),
  )
  return counts
}

const expected = { 204: LIMIT, 429: CLIENTS * REQUESTS - LIMIT }

test('64 clients on 2 workers get exactly the limit, in each store and with each algorithm, and operators see and reset it', async (t) => {
  const redis = await startRedis(t)
  const { port, adminPort } = await start(t, configuration(redis.url))
  for (const store of ['memory', 'redis'])
    for (const algorithm of algorithms) {
      const path = `/${store}/${algorithm}`
      assert.deepEqual(await sendAll(t, [port], path), expected, path)
    }
  const listed = async () => {
    const { clients } = (await requestAdmin(adminPort, '/limits')).json as { clients: Record<string, unknown>[] }
    return clients.map(({ share, limited, refused }) => [share, limited, refused])
  }
  assert.deepEqual(
    await listed(),
    Array.from({ length: 2 * algorithms.length }, () => [1, true, expected[429]]),
  )
  assert.equal((await requestAdmin(adminPort, '/limits/address:127.0.0.1', { method: 'DELETE' })).status, 200)
  assert.deepEqual(await listed(), [])
  for (const algorithm of algorithms) assert.equal((await send(port, { path: `/memory/${algorithm}` })).status, 204)
})

test('two gateways on one Redis share each limit', async (t) => {
  const redis = await startRedis(t)
  const gateways = await Promise.all([1, 2].map(() => start(t, configuration(redis.url))))
  const ports = gateways.map(({ port }) => port)
  for (const algorithm of algorithms)
    assert.deepEqual(await sendAll(t, ports, `/redis/${algorithm}`), expected, algorithm)
})
