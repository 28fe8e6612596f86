import assert from 'node:assert/strict'
import type { RequestListener, ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import { replicasShape } from '../src/core/operation.ts'
import { newUuid } from '../src/core/uuid.ts'
import type { GatewayInput } from '../src/gateway.ts'
import { requestAdmin, startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { start } from './support/command.ts'
import { scrape } from './support/metrics.ts'
import { connectTo, freePorts, type RedisServer, startCluster, startRedis, until } from './support/redis.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

const CHANNEL = 'sallyport:operations:0'

const reportSchema = z.object(replicasShape)

/** Which gateways have done it, according to the answer of the admin API. */
function reportOf(json: unknown): z.output<typeof reportSchema> {
  return reportSchema.parse(json)
}

/** Two gateways that share a Redis, once both have subscribed. */
async function startTwo(t: TestContext, redis: RedisServer) {
  const fresh: RequestListener = (_, response) => response.setHeader('Cache-Control', 'max-age=60').end('hello')
  const [service, other] = [await startService(t, fresh), await startService(t, fresh)]
  const config: GatewayInput = {
    stores: { redis: { url: redis.url, timeout: '10s' } },
    services: { books: { instances: [service.url, other.url], health: false } },
    policies: { cache: { store: 'memory' }, 'rate-limit': { tiers: { unauthenticated: '5/h' }, store: 'memory' } },
    routes: [
      { id: 'books', match: { path: '/books/*' }, service: 'books', policies: { 'rate-limit': false } },
      { id: 'limited', match: { path: '/limited' }, reply: { status: 204 } },
    ],
  }
  const [a, b] = [await startAdminGateway(t, config), await startAdminGateway(t, config)]
  const observer = connectTo(t, redis)
  await until('both gateways to subscribe', async () => {
    const [, count] = (await observer.pubsub('NUMSUB', CHANNEL)) as [string, number]
    return count === 2
  })
  const instance = (who: typeof a, address: string) => instanceOf(who.adminPort, address)
  return { a, b, config, service, other, observer, instance }
}

async function instanceOf(adminPort: number, address: string) {
  const { instances } = (await requestAdmin(adminPort, '/services/books')).json as {
    instances: { address: string; drained: boolean }[]
  }
  return instances.find((each) => each.address === address)!
}

function assertBoth({ replicas, unreached }: ReturnType<typeof reportOf>): void {
  assert.deepEqual(
    replicas.map(({ self, problem }) => [self, problem]),
    [
      [true, null],
      [false, null],
    ],
  )
  assert.ok(replicas.every(({ name }) => /^.+:\d+$/.test(name)))
  assert.equal(unreached, null)
}

test('drain, reset, purge and log level reach every gateway on a Redis, and the response lists who has done it', async (t) => {
  const { a, b, service, instance } = await startTwo(t, await startRedis(t))
  const path = `/services/books/instances/${service.address}/drain`

  assertBoth(reportOf((await a.ask(path, { method: 'PUT' })).json))
  assert.deepEqual(
    [await instance(a, service.address), await instance(b, service.address)].map((each) => each.drained),
    [true, true],
  )
  assertBoth(reportOf((await b.ask(path, { method: 'DELETE' })).json))
  assert.equal((await instance(a, service.address)).drained, false)

  for (let i = 0; i < 6; i++) await send(b.port, { path: '/limited' })
  assert.equal((await send(b.port, { path: '/limited' })).status, 429)
  assertBoth(reportOf((await a.ask('/limits/127.0.0.1', { method: 'DELETE' })).json))
  assert.equal((await send(b.port, { path: '/limited' })).status, 204)

  const stored = async (gateway: typeof a) =>
    String((await send(gateway.port, { path: '/books/1', headers: { host: 'shop.test' } })).headers['cache-status'])
  await until('both gateways to store it', async () => {
    const both = [await stored(a), await stored(b)]
    return both.every((each) => each.includes('hit'))
  })
  const purged = (await b.ask('/cache/purge', { method: 'POST', json: { url: 'http://shop.test/books/1' } })).json
  assertBoth(reportOf(purged))
  assert.equal(purged['purged'], 2)
  assert.match(await stored(a), /fwd/)

  const level = (await a.ask('/log-level', { method: 'PUT', json: { level: 'error' } })).json
  assertBoth(reportOf(level))
  assert.equal(level['level'], 'error')
  assert.deepEqual((await b.ask('/log-level')).json, { level: 'error' })
})

test('a gateway that starts after a drain learns of it from the others', async (t) => {
  const { a, config, service, other, instance } = await startTwo(t, await startRedis(t))
  await a.ask(`/services/books/instances/${service.address}/drain`, { method: 'PUT' })
  const late = await startAdminGateway(t, config)
  const line = await late.log.line({ message: 'An instance is drained, as it is in another gateway' })
  assert.deepEqual([line['service'], line['instance']], ['books', service.address])
  assert.deepEqual(
    [await instance(late, service.address), await instance(late, other.address)].map((each) => each.drained),
    [true, false],
  )
})

test('an operation on a gateway that is still starting reaches the others, or says that it may not have', async (t) => {
  const { config, service } = await startTwo(t, await startRedis(t))
  const asked = Promise.withResolvers<ServerResponse>()
  const api = await startService(t, (_, response) => asked.resolve(response))
  const kubernetes = { service: 'users', namespace: 'shop', server: api.url }
  const [port] = await freePorts(1)
  const starting = startAdminGateway(t, {
    ...config,
    admin: { address: `127.0.0.1:${port}` },
    services: { ...config.services, users: { discover: { kubernetes }, health: false } },
  })
  const response = await asked.promise
  const path = `/services/books/instances/${service.address}/drain`
  const { replicas, unreached } = reportOf((await requestAdmin(port!, path, { method: 'PUT' })).json)
  response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }))
  await starting
  assert.ok(replicas.length === 3 || unreached !== null)
})

test('a gateway that missed an undrain learns of it when Redis is back', async (t) => {
  const redis = await startRedis(t)
  const { a, b, service, instance } = await startTwo(t, redis)
  const path = `/services/books/instances/${service.address}/drain`
  assertBoth(reportOf((await a.ask(path, { method: 'PUT' })).json))
  await redis.kill()
  assert.notEqual(reportOf((await a.ask(path, { method: 'DELETE' })).json).unreached, null)
  assert.equal((await instance(b, service.address)).drained, true)
  await redis.start()
  await b.log.line({ message: 'An instance is undrained, as it is in another gateway' })
  assert.equal((await instance(a, service.address)).drained, false)
  assert.equal((await instance(b, service.address)).drained, false)
})

test('a gateway answers all others that come back at the same time', async (t) => {
  const redis = await startRedis(t)
  const { observer } = await startTwo(t, redis)
  const listener = connectTo(t, redis)
  await listener.subscribe(CHANNEL)
  const answers: Record<string, unknown>[] = []
  listener.on('message', (_: string, text: string) => answers.push(JSON.parse(text) as Record<string, unknown>))
  const questions = Array.from({ length: 50 }, () => ({ ...ask, id: newUuid(), from: newUuid(), asked: {} }))
  const pipeline = observer.pipeline()
  for (const each of questions) pipeline.publish(CHANNEL, JSON.stringify({ ...each, operation: 'drain-orders' }))
  await pipeline.exec()
  await until('two answers to each', () => answers.filter(({ type }) => type === 'answer').length === 100)
})

test('if an operation fails on one gateway its reason is shown, and the others carry it out', async (t) => {
  const { a, b, config, service, other, instance } = await startTwo(t, await startRedis(t))
  const drain = (address: string) => a.ask(`/services/books/instances/${address}/drain`, { method: 'PUT' })
  // There it is the last usable one.
  const { services } = config
  const third = await startAdminGateway(t, {
    ...config,
    services: { books: { ...services?.['books'], instances: [service.url] } },
  })
  await until('all gateways to be subscribed', async () => {
    const { replicas } = reportOf((await a.ask('/log-level', { method: 'PUT', json: { level: 'debug' } })).json)
    return replicas.length === 3
  })
  const { replicas, unreached } = reportOf((await drain(service.address)).json)
  assert.equal(unreached, null)
  const problems = replicas.flatMap(({ problem }) => problem?.replace(/^\S+ /, '') ?? [])
  assert.deepEqual(problems, [
    'is the last usable instance of books; to drain it anyway, use --force (by HTTP: ?force=true).',
  ])
  const states = [await instance(a, service.address), await instance(b, service.address)]
  assert.deepEqual(
    [...states, await instance(third, service.address)].map(({ drained }) => drained),
    [true, true, false],
  )
  assert.equal((await drain(other.address)).status, 409)
})

test('without Redis an operation is only carried out locally', async (t) => {
  const { ask } = await startAdminGateway(t, {})
  const { replicas, unreached } = reportOf((await ask('/log-level', { method: 'PUT', json: { level: 'info' } })).json)
  assert.deepEqual([replicas.map(({ self, problem }) => [self, problem]), unreached], [[[true, null]], null])
})

for (const [what, fail, reason] of [
  [
    'is down',
    (redis: RedisServer) => redis.kill(),
    /^Redis cannot be used \(\w+.*\): other gateways, if there are any, were not reached$/,
  ],
  ['does not respond', async (redis: RedisServer) => redis.pause(), /^Redis cannot be used \(timeout\): /],
] as const)
  test(`if Redis ${what}, the operation is carried out locally, and the response says that others were not reached`, async (t) => {
    const redis = await startRedis(t)
    const { a, service, instance } = await startTwo(t, redis)
    await fail(redis)
    const answer = await a.ask(`/services/books/instances/${service.address}/drain`, { method: 'PUT' })
    assert.equal(answer.status, 200)
    const { replicas, unreached } = reportOf(answer.json)
    assert.equal(replicas.length, 1)
    assert.match(String(unreached), reason)
    assert.equal((await instance(a, service.address)).drained, true)
    redis.resume()
  })

test('a gateway that does not answer is counted', async (t) => {
  const redis = await startRedis(t)
  const { a } = await startTwo(t, redis)
  const silent = connectTo(t, redis)
  await silent.subscribe(CHANNEL)
  const report = reportOf((await a.ask('/log-level', { method: 'PUT', json: { level: 'info' } })).json)
  assert.equal(report.replicas.length, 2)
  assert.equal(report.unreached, '1 other gateway has not answered within 1.5 s')
})

const ask = {
  v: 1,
  type: 'ask',
  id: '3f0a4a1e-7c1b-4d5e-8f1a-0123456789ab',
  from: '3f0a4a1e-7c1b-4d5e-8f1a-0123456789ac',
  name: 'somebody',
  operation: 'log-level',
  asked: { level: 'error' },
}

test('an invalid or disallowed message is dropped and counted', async (t) => {
  const redis = await startRedis(t)
  const { a, observer } = await startTwo(t, redis)
  const bad = [
    'hello',
    '',
    '{}',
    '[1]',
    JSON.stringify({ ...ask, v: 2 }),
    JSON.stringify({ ...ask, more: true }),
    JSON.stringify({ ...ask, id: 'none' }),
    JSON.stringify({ ...ask, name: 'x'.repeat(257) }),
    JSON.stringify({ ...ask, asked: { level: 'loud' } }),
    JSON.stringify({ ...ask, asked: { level: 'error', more: 1 } }),
    JSON.stringify({ ...ask, operation: 'drain', asked: { service: 'books', instance: 'x', drained: 'yes' } }),
    JSON.stringify({ ...ask, asked: { level: 'error' }, padding: 'x'.repeat(70_000) }),
    '['.repeat(100_000),
  ]
  for (const message of bad) await observer.publish(CHANNEL, message)
  await until('all messages to be counted', async () => {
    const { text } = await scrape(a.port)
    return text.includes(`sallyport_replica_messages_dropped_total ${bad.length}\n`)
  })
  assert.deepEqual((await a.ask('/log-level')).json, { level: 'debug' })

  const answers: Record<string, unknown>[] = []
  const listener = connectTo(t, redis)
  await listener.subscribe(CHANNEL)
  listener.on('message', (_: string, text: string) => answers.push(JSON.parse(text) as Record<string, unknown>))
  await observer.publish(CHANNEL, JSON.stringify({ ...ask, operation: 'dance' }))
  await until('both answers', () => answers.filter(({ type }) => type === 'answer').length === 2)
  assert.deepEqual(
    [...new Set(answers.map(({ problem }) => problem))],
    [undefined, 'it does not know the operation "dance"'],
  )
  await observer.publish(CHANNEL, JSON.stringify(ask))
  await until('gateway a to change its level', async () => (await a.ask('/log-level')).json['level'] === 'error')
})

test('databases of one Redis are kept apart', async (t) => {
  const redis = await startRedis(t)
  const { a } = await startTwo(t, redis)
  const stranger = await startAdminGateway(t, { stores: { redis: { url: `${redis.url}/1` } } })
  const observer = connectTo(t, redis)
  await until('the third gateway to subscribe', async () => {
    const [, count] = (await observer.pubsub('NUMSUB', 'sallyport:operations:1')) as [string, number]
    return count === 1
  })
  assertBoth(reportOf((await a.ask('/log-level', { method: 'PUT', json: { level: 'error' } })).json))
  assert.deepEqual((await stranger.ask('/log-level')).json, { level: 'debug' })
})

test('a reload can connect a gateway to a Redis and disconnect it', async (t) => {
  const redis = await startRedis(t)
  const { a } = await startTwo(t, redis)
  const late = await startAdminGateway(t, {})
  const level = async (gateway: typeof late) =>
    reportOf((await gateway.ask('/log-level', { method: 'PUT', json: { level: 'info' } })).json)
  assert.equal((await level(late)).replicas.length, 1)
  const shared = { stores: { redis: { url: redis.url } } }
  const config = { listeners: [{ address: '127.0.0.1:0' }], admin: { address: '127.0.0.1:0' } }
  await late.gateway.reload({ ...config, ...shared })
  await until('all three to answer', async () => (await level(late)).replicas.length === 3)
  assert.equal((await level(a)).replicas.length, 3)
  await late.gateway.reload(config)
  assert.equal((await level(late)).replicas.length, 1)
  await until('only two responses', async () => (await level(a)).replicas.length === 2)
})

test('a Redis that forbids subscribing is logged once, and reported by each operation', async (t) => {
  const redis = await startRedis(t)
  const observer = connectTo(t, redis)
  await observer.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', 'resetchannels')
  const { log, ...gateway } = await startAdminGateway(t, {
    stores: { redis: { url: redis.url, username: 'app', password: 'secret' } },
  })
  const message = 'Operations of other gateways do not reach this one: Redis refuses the subscription'
  assert.equal((await log.line({ message }))['cause'], 'NOPERM')
  const report = reportOf((await gateway.ask('/log-level', { method: 'PUT', json: { level: 'info' } })).json)
  assert.match(String(report.unreached), /^Redis cannot be used \(NOPERM\): /)
  assert.equal(log.lines.filter((line) => line['message'] === message).length, 1)
})

test('gateways on a Cluster reach each other', async (t) => {
  const servers = await startCluster(t)
  const stores = { redis: { cluster: servers.map(({ port }) => `127.0.0.1:${port}`), timeout: '10s' as const } }
  const [a, b] = [await startAdminGateway(t, { stores }), await startAdminGateway(t, { stores })]
  await until('both to answer', async () => {
    const report = reportOf((await a.ask('/log-level', { method: 'PUT', json: { level: 'error' } })).json)
    return report.replicas.length === 2
  })
  assert.deepEqual((await b.ask('/log-level')).json, { level: 'error' })
})

test('the commands list which gateways have answered, and exit with 3 if some may not have', async (t) => {
  const redis = await startRedis(t)
  const service = await startService(t)
  const other = await startService(t)
  const yaml = `listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0' }
workers: 1
stores: { redis: { url: '${redis.url}', timeout: 10s } }
services: { books: { instances: ['${service.url}', '${other.url}'], health: false } }
policies: { cache: { store: memory } }
routes: [{ id: books, match: { path: /* }, service: books }]
`
  const [a] = [await start(t, yaml), await start(t, yaml)]
  const observer = connectTo(t, redis)
  await until(
    'both gateways to subscribe',
    async () => ((await observer.pubsub('NUMSUB', CHANNEL)) as [string, number])[1] === 2,
  )
  const at = ['--admin', `http://127.0.0.1:${a.adminPort}`]
  const two = /\n {2}\S+:\d+ {2}done\n {2}\S+:\d+ {2}done\n$/
  for (const [args, said] of [
    [['drain', 'books', service.address], `${service.address} of books is drained: it gets no new requests.`],
    [['undrain', 'books', service.address], `${service.address} of books is back in use.`],
    [['limits', 'reset', 'user:42'], 'The rate limits of user:42 were reset.'],
    [['cache', 'purge', '--url', 'http://shop.test/'], '0 stored replies purged'],
    [['log-level', 'warn'], 'The log level is warn.'],
  ] as const) {
    const { code, stdout, stderr } = await runHere([...args, ...at])
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout.startsWith(`${said}\n`), stdout)
    assert.match(stdout, two)
  }
  const { stdout } = await runHere(['log-level', 'info', '--json', ...at])
  assertBoth(reportOf(JSON.parse(stdout)))
  await redis.kill()
  const alone = await runHere(['drain', 'books', service.address, ...at])
  assert.equal(alone.code, 3)
  assert.match(alone.stdout, /is drained.*\n {2}\S+:\d+ {2}done\n$/)
  assert.match(
    alone.stderr,
    /^warning: Redis cannot be used \(.*\): other gateways, if there are any, were not reached\n$/,
  )
  const refused = await runHere(['drain', 'books', 'nowhere:1', ...at])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /"nowhere:1" is not an instance of books/)
})
