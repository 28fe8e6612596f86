import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { start } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { connectTo, freePorts, type RedisServer, startRedis, until } from './support/redis.ts'

const DOWN = 'Redis cannot be used: the gateway continues without it'
const UP = 'Redis can be used again; decisions counts those made without it'

interface RedisTrouble {
  readonly use: string
  readonly cause: string
}

/** A gateway in a separate process that counts in Redis, and rejects requests if it cannot. */
async function startLimited(t: TestContext, url: string, timeout = '10s', size = 1) {
  const yaml = `
listeners: [{ address: 127.0.0.1:0 }]
admin: { address: 127.0.0.1:0 }
workers: ${size}
stores: { redis: { url: '${url}', timeout: ${timeout} } }
policies: { rate-limit: { tiers: { unauthenticated: 1000000/d }, onStoreFailure: closed } }
routes: [{ id: all, match: { path: /* }, reply: { status: 204 } }]
`
  const started = await start(t, yaml)
  const { command, port, adminPort } = started
  const lines = (message: string) => command.log.filter((line) => line['message'] === message)
  const troubles = async (): Promise<RedisTrouble[]> => {
    const { workers } = JSON.parse((await send(adminPort, { path: '/status' })).text) as {
      workers: { redis: RedisTrouble[] }[]
    }
    return workers.flatMap(({ redis }) => redis)
  }
  const health = async (path = '/health', on = port) => JSON.parse((await send(on, { path })).text) as object
  const stop = () => {
    command.child.kill('SIGTERM')
    return command.ended
  }
  return { ...started, lines, troubles, health, stop, ask: async () => (await send(port, { path: '/' })).status }
}

/** Many requests one after another, for far longer than the first check whether Redis is back. */
async function statuses(ask: () => Promise<number>): Promise<number[]> {
  const seen = new Set<number>()
  const end = performance.now() + 400
  while (performance.now() < end) seen.add(await ask())
  return [...seen]
}

const unusable: Readonly<Record<string, (t: TestContext) => Promise<string>>> = {
  ECONNREFUSED: async () => `redis://127.0.0.1:${(await freePorts(1))[0]}`,
  ENOTFOUND: () => Promise.resolve('redis://redis.invalid:6379'),
  NOAUTH: async (t) => (await startRedis(t, '--requirepass', 'right')).url,
  WRONGPASS: async (t) => (await startRedis(t, '--requirepass', 'right')).url.replace('//', '//:wrong@'),
}

for (const [cause, open] of Object.entries(unusable))
  test(`a Redis that cannot be used because of ${cause} is reported once in the log and in /status`, async (t) => {
    const gateway = await startLimited(t, await open(t))
    const line = await gateway.command.line(DOWN)
    assert.deepEqual([line['use'], line['cause'], line['level']], ['all', cause, 'warn'])
    assert.deepEqual(await statuses(gateway.ask), [503])
    await until('the cause', async () => (await gateway.troubles())[0]?.cause === cause)
    assert.deepEqual(
      (await gateway.troubles()).map(({ use }) => use),
      ['all'],
    )
    for (const on of [gateway.port, gateway.adminPort]) {
      const health = await gateway.health('/health', on)
      assert.equal(Reflect.get(health, 'status'), 'degraded')
      assert.deepEqual(Reflect.get(health, 'stores'), { redis: 'degraded' })
      assert.doesNotMatch(JSON.stringify(health), new RegExp(cause))
    }
    const { stderr, stdout } = await gateway.stop()
    assert.equal(stderr, '')
    assert.equal(stdout.split(DOWN).length, 2)
    const refused = gateway.lines('Requests were refused').map(({ code, requests }) => [code, requests])
    const asked = gateway.lines('API Gateway Request').length
    assert.equal(
      refused.reduce((sum, [, requests]) => sum + Number(requests), 0),
      asked,
    )
    assert.ok(refused.length < 10 && refused.every(([code]) => code === 'limits-unavailable'))
    for (const unwanted of ['[ioredis]', 'wrong@', 'Request failed in the gateway'])
      assert.ok(!stdout.includes(unwanted), unwanted)
  })

const refusals: Readonly<Record<string, { use: string; options: string[]; mend: string[] }>> = {
  READONLY: { use: 'all', options: ['--replicaof', '127.0.0.1', '1'], mend: ['replicaof', 'no', 'one'] },
  OOM: {
    use: 'limits',
    options: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'],
    mend: ['config', 'set', 'maxmemory', '0'],
  },
  NOREPLICAS: {
    use: 'limits',
    options: ['--min-replicas-to-write', '1'],
    mend: ['config', 'set', 'min-replicas-to-write', '0'],
  },
}

for (const [cause, { use, options, mend }] of Object.entries(refusals))
  test(`a Redis that rejects writes because of ${cause} is one outage until it accepts them`, async (t) => {
    const server = await startRedis(t, ...options)
    const gateway = await startLimited(t, server.url)
    assert.deepEqual(await statuses(gateway.ask), [503])
    const line = await gateway.command.line(DOWN)
    assert.deepEqual([line['use'], line['cause']], [use, cause])
    const [trouble] = await gateway.troubles()
    assert.deepEqual([trouble?.use, trouble?.cause], [use, cause])
    assert.equal(gateway.lines(DOWN).length, 1)
    assert.equal(gateway.lines(UP).length, 0)
    await connectTo(t, server).call(mend[0]!, ...mend.slice(1))
    await until('Redis to be used again', async () => (await gateway.troubles()).length === 0)
    assert.deepEqual(await statuses(gateway.ask), [204])
    const end = await gateway.command.line(UP)
    assert.equal(end['use'], use)
    assert.ok(Number(end['decisions']) > 0)
    assert.deepEqual(Reflect.get(await gateway.health(), 'stores'), { redis: 'healthy' })
    const { stderr } = await gateway.stop()
    assert.equal(stderr, '')
    assert.equal(gateway.lines(DOWN).length, 1)
  })

test('an outage of Redis that all workers notice is one line in the log, and so is its end', async (t) => {
  const server = await startRedis(t)
  const gateway = await startLimited(t, server.url, '10s', 4)
  await server.kill()
  await until('all workers to notice', async () => (await gateway.troubles()).length === 4)
  await server.start()
  await until('all workers to use Redis again', async () => (await gateway.troubles()).length === 0)
  await gateway.command.line(UP)
  const { stderr } = await gateway.stop()
  assert.equal(stderr, '')
  assert.deepEqual([gateway.lines(DOWN).length, gateway.lines(UP).length], [1, 1])
})

/** Sends requests continuously over several connections until it is stopped; returns the statuses. */
function load(t: TestContext, ask: () => Promise<number>): () => Promise<number[]> {
  const seen = new Set<number>()
  const state = { stopped: false }
  const clients = Array.from({ length: 8 }, async () => {
    while (!state.stopped) seen.add(await ask())
  })
  const stop = async (): Promise<number[]> => {
    state.stopped = true
    await Promise.all(clients)
    return [...seen]
  }
  cleanUp(t, stop)
  return stop
}

/** The timeout of Redis, and how long the gateway is blocked from reading its answer, in milliseconds. */
const TIMEOUT = 200
const PAUSE = 600

test('a gateway that is suspended and resumed does not treat Redis as down', async (t) => {
  const server = await startRedis(t)
  const gateway = await startLimited(t, server.url, `${TIMEOUT}ms`)
  const { child } = gateway.command
  cleanUp(t, () => child.kill('SIGCONT'))
  const stop = load(t, gateway.ask)
  for (let i = 0; i < 4; i++) {
    await delay(PAUSE / 6)
    child.kill('SIGSTOP')
    await delay(PAUSE)
    child.kill('SIGCONT')
  }
  // Longer than the connection may be silent.
  child.kill('SIGSTOP')
  await delay(2500)
  child.kill('SIGCONT')
  await gateway.ask()
  assert.deepEqual(await stop(), [204])
  assert.equal(gateway.lines(DOWN).length, 0)
})

test('a gateway with a busy event loop does not treat Redis as down', async (t) => {
  const server: RedisServer = await startRedis(t)
  const nap = new Int32Array(new SharedArrayBuffer(4))
  const { port, log } = await startGateway(t, {
    stores: { redis: { url: server.url, timeout: `${TIMEOUT}ms` } },
    policies: { 'rate-limit': { tiers: { unauthenticated: '1000000/d' }, onStoreFailure: 'closed' } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
  })
  const stop = load(t, async () => (await send(port, { path: '/' })).status)
  for (let i = 0; i < 10; i++) {
    await delay(20)
    Atomics.wait(nap, 0, 0, PAUSE / 2)
  }
  assert.deepEqual(await stop(), [204])
  assert.equal(log.lines.filter(({ message }) => message === DOWN).length, 0)
})
