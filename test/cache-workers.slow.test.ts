import assert from 'node:assert/strict'
import { Agent, request, type RequestListener, type ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import { NO_CODE } from '../src/config/loaded-code.ts'
import { parseConfig } from '../src/config/parse.ts'
import { readPolicies } from '../src/config/load-policies.ts'
import { purgeTopic } from '../src/policies/cache/purge.ts'
import { createMemoryLogger } from '../src/telemetry/memory-logger.ts'
import { startAdmin } from '../src/admin/server.ts'
import { systemClock } from '../src/core/clock.ts'
import { TopicHandlers } from '../src/core/threads.ts'
import { GatewayProcess } from '../src/runtime/gateway-process.ts'
import { WorkerFleet } from '../src/workers/worker-fleet.ts'
import { cleanUp } from './support/cleanup.ts'
import { type Answer, type Ask, send } from './support/client.ts'
import { startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'

/** Workers with a cache, two by default, in front of a service, and connections to both. */
async function startWorkers(
  t: TestContext,
  options: object,
  stores: object = {},
  listener: RequestListener = (_, response) => void response.setHeader('Cache-Control', 'max-age=60').end('hello'),
  workers = 2,
) {
  const service = await startService(t, listener)
  const input = {
    workers,
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
  const config = parseConfig(input, await readPolicies(input, 'sallyport.yaml'))
  const output = createMemoryLogger()
  const answers = new TopicHandlers(output.log)
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
  return { service, fleet, port, ask: (more: Ask = {}) => send(port, { headers: { host: 'h' }, ...more }) }
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)

/** Enough that both workers get some of them, each over its own connection. */
const MANY = 30

const statusesOf = (answers: readonly Answer[]): string[] =>
  answers.map(({ headers }) =>
    String(headers['cache-status'])
      .replace('sallyport; ', '')
      .replace(/;? ?ttl.*/, ''),
  )

test('a reply stored by one worker is used by all, and a purge takes effect in all at once and is counted once', async (t) => {
  const { service, fleet, ask } = await startWorkers(t, {})
  await ask()
  for (let i = 1; i <= 3; i++) {
    const statuses = statusesOf(await Promise.all(Array.from({ length: MANY }, () => ask())))
    assert.deepEqual(new Set(statuses), new Set(['hit']))
    assert.equal(service.received.length, i)
    assert.equal(sum(await fleet.askAll(purgeTopic, { url: 'http://h/other' })), 0)
    assert.equal(sum(await fleet.askAll(purgeTopic, { url: 'http://h/' })), 1)
    assert.deepEqual(statusesOf([await ask()]), ['fwd=uri-miss; stored'])
  }
})

test('two workers have the hit ratio of one, within 5 %, in a cache that is too small for all replies', async (t) => {
  const body = Buffer.alloc(2_000, 'x')
  const asked: number[] = []
  for (const workers of [1, 2]) {
    const { service, ask } = await startWorkers(
      t,
      { memory: '200kb' },
      {},
      (_, response) => void response.setHeader('Cache-Control', 'max-age=60').end(body),
      workers,
    )
    // Some paths are requested often, many once or twice; each request comes over a connection of its own.
    for (let i = 0; i < 1_000; i++) await ask({ path: `/${i % 3 === 0 ? i % 10 : (i * i) % 307}` })
    asked.push(service.received.length)
  }
  const [one, two] = asked
  assert.ok(one! > 200 && one! < 900, `${one} of 1000 requests reached the service`)
  // Which entries share a bucket, and are marked as used together, depends on a random seed.
  assert.ok(Math.abs(two! - one!) < 50, `${one} with one worker, ${two} with two`)
})

test('simultaneous requests to all workers are collapsed into one request to the service', async (t) => {
  const asked = Promise.withResolvers<ServerResponse>()
  const { service, ask } = await startWorkers(t, { wait: '1m' }, {}, (_, response) => asked.resolve(response))
  const waiting = Array.from({ length: MANY }, () => ask())
  const response = await asked.promise
  // All of them have arrived once each worker has answered a later one.
  await Promise.all(
    Array.from({ length: MANY }, () =>
      ask({ path: '/later', headers: { host: 'h', 'cache-control': 'only-if-cached' } }),
    ),
  )
  response.setHeader('Cache-Control', 'max-age=60').end('hello')
  const answers = await Promise.all(waiting)
  assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set(['hello']))
  assert.equal(service.received.length, 1)
  const statuses = statusesOf(answers)
  assert.equal(statuses.filter((status) => status === 'fwd=uri-miss; stored').length, 1)
})

test('when the client of a collapsed request disconnects, a waiting one in any worker takes over', async (t) => {
  const responses: ServerResponse[] = []
  let arrived = (): void => {}
  const { service, port, ask } = await startWorkers(t, { wait: '1m' }, {}, (_, response) => {
    responses.push(response)
    arrived()
  })
  const begun = new Promise<void>((resolve) => void (arrived = resolve))
  const leaving = request({ host: '127.0.0.1', port, headers: { host: 'h' }, agent: false })
  leaving.on('error', () => {})
  leaving.end()
  await begun
  const again = new Promise<void>((resolve) => void (arrived = resolve))
  const waiting = Array.from({ length: MANY }, () => ask())
  leaving.destroy()
  await again
  responses[1]!.setHeader('Cache-Control', 'max-age=60').end('hello')
  for (const { text } of await Promise.all(waiting)) assert.equal(text, 'hello')
  assert.equal(service.received.length, 2)
})

test('requests for replies that cannot be stored are not collapsed', async (t) => {
  const { service, ask } = await startWorkers(
    t,
    {},
    {},
    (_, response) => void response.setHeader('Cache-Control', 'no-store').end('own'),
  )
  await Promise.all(Array.from({ length: MANY }, () => ask()))
  assert.equal(service.received.length, MANY)
})

test('a purge in a shared store is counted once', async (t) => {
  const { url } = await startRedis(t)
  const { service, fleet, ask } = await startWorkers(t, { store: 'redis' }, { redis: { url, timeout: '10s' } })
  await ask()
  const agent = new Agent({ keepAlive: true })
  cleanUp(t, () => agent.destroy())
  await until('the stored entry', async () => String((await ask({ agent })).headers['cache-status']).includes('hit'))
  const asked = service.received.length
  for (let i = 0; i < 10; i++) assert.match(String((await ask()).headers['cache-status']), /hit/)
  assert.equal(service.received.length, asked)
  assert.equal(sum(await fleet.askAll(purgeTopic, { prefix: 'http://h/' })), 1)
  assert.match(String((await ask()).headers['cache-status']), /fwd=uri-miss/)
})

test('an unsafe request through one worker invalidates replies in all of them, before its client gets the reply', async (t) => {
  const { service, ask } = await startWorkers(t, {})
  for (let i = 0; i < 5; i++) {
    await ask()
    await ask({ method: 'POST' })
    const statuses = statusesOf([await ask(), await ask()])
    assert.deepEqual(statuses, ['fwd=uri-miss; stored', 'hit'])
    await ask({ method: 'POST' })
  }
  assert.equal(service.received.length, 20)
})
