import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import test, { type TestContext } from 'node:test'
import { NO_CODE } from '../src/config/loaded-code.ts'
import { parseConfig } from '../src/config/parse.ts'
import { readPolicyFiles } from '../src/config/policy-files.ts'
import { purgeTopic } from '../src/policies/cache/purge.ts'
import { createMemoryLogger } from '../src/telemetry/memory-logger.ts'
import { startAdmin } from '../src/admin/server.ts'
import { systemClock } from '../src/core/clock.ts'
import { Answers } from '../src/core/threads.ts'
import { GatewayProcess } from '../src/runtime/gateway-process.ts'
import { WorkerFleet } from '../src/workers/worker-fleet.ts'
import { cleanUp } from './support/cleanup.ts'
import { type Ask, send } from './support/client.ts'
import { startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'

/** Two workers with a cache, in front of a service, and connections to both. */
async function startWorkers(t: TestContext, options: object, stores: object = {}) {
  const service = await startService(t, (_, response) => response.setHeader('Cache-Control', 'max-age=60').end('hello'))
  const input = {
    workers: 2,
    admin: false as const,
    endpoints: { metrics: false, docs: false, openapi: false },
    listeners: [{ address: '127.0.0.1:0' }],
    log: { access: false, level: 'error' as const },
    drainTimeout: '0s',
    stores,
    services: { backend: { instances: [service.url], health: false as const } },
    policies: { cache: options },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  }
  const config = parseConfig(input, await readPolicyFiles(input, 'sallyport.yaml'))
  const output = createMemoryLogger()
  const answers = new Answers(output.log)
  const shared = { output, clock: systemClock, answers }
  const fleet = new WorkerFleet({ ...shared, config, modules: NO_CODE })
  const first = { config, revision: '', text: null, code: [], modules: NO_CODE, warnings: [] }
  const policies = async () => []
  const startOperators = startAdmin
  const operated = { fleet, source: null, policies, startOperators }
  const gateway = new GatewayProcess({ ...shared, ...operated, first, random: Math.random })
  await gateway.start()
  cleanUp(t, () => gateway.stop())
  const { port } = gateway.addresses[0]!
  return { service, fleet, ask: (more: Ask = {}) => send(port, { headers: { host: 'h' }, ...more }) }
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)

test('a purge reaches every worker, and counts what each of them had', async (t) => {
  const { service, fleet, ask } = await startWorkers(t, {})
  // Each new connection is some worker's; each of them asks the service itself.
  await until('both workers to have asked', async () => {
    await ask()
    return service.heard.length === 2
  })
  assert.equal(sum(await fleet.askAll(purgeTopic, { url: 'http://h/other' })), 0)
  assert.equal(sum(await fleet.askAll(purgeTopic, { url: 'http://h/' })), 2)
  await until('both workers to have asked again', async () => {
    await ask()
    return service.heard.length === 4
  })
})

test('a purge of what all workers share is counted once', async (t) => {
  const { url } = await startRedis(t)
  const { service, fleet, ask } = await startWorkers(t, { store: 'redis' }, { redis: { url, timeout: '10s' } })
  await ask()
  const agent = new Agent({ keepAlive: true })
  cleanUp(t, () => agent.destroy())
  await until('the entry', async () => String((await ask({ agent })).headers['cache-status']).includes('hit'))
  const asked = service.heard.length
  for (let i = 0; i < 10; i++) assert.match(String((await ask()).headers['cache-status']), /hit/)
  assert.equal(service.heard.length, asked)
  assert.equal(sum(await fleet.askAll(purgeTopic, { prefix: 'http://h/' })), 1)
  assert.match(String((await ask()).headers['cache-status']), /fwd=uri-miss/)
})

test('a change through one worker makes what the other one stored invalid', async (t) => {
  const { service, ask } = await startWorkers(t, {})
  await until('both workers to have asked', async () => {
    await ask()
    return service.heard.length === 2
  })
  await ask({ method: 'POST' })
  await until('both workers to have asked again', async () => {
    await ask()
    return service.heard.length === 5
  })
})
