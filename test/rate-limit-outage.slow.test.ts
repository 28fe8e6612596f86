import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import test, { type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { cleanUp } from './support/cleanup.ts'
import { type Answer, send } from './support/client.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { PacedClock } from './support/paced-clock.ts'
import { connectTo, type RedisServer, startCluster, startRedis, until } from './support/redis.ts'

type Mode = 'local' | 'open' | 'closed'

const DOWN = 'Redis cannot be used: the gateway continues without it'
const UP = 'Redis can be used again; decisions counts those made without it'
/** How long a decision may take: longer than by default, as the machine may be slow. */
const TIMEOUT = '400ms'
/** How long a request may take however Redis fails, in milliseconds: far less than any other timeout. */
const PROMPT = 1500
const CLIENTS = 8

/** A gateway with a fixed reply that limits every client to 3 requests a day, or to a million for /much. */
function start(t: TestContext, redis: object, mode: Mode = 'local'): Promise<TestGateway> {
  return startGateway(t, {
    stores: { redis: { timeout: TIMEOUT, ...redis } },
    policies: { 'rate-limit': { tiers: { unauthenticated: '3/d' }, onStoreFailure: mode } },
    routes: [
      { id: 'few', match: { path: '/few' }, reply: { status: 204 } },
      {
        id: 'much',
        match: { path: '/much' },
        reply: { status: 204 },
        policies: { 'rate-limit': { tiers: { unauthenticated: '1000000/d' } } },
      },
    ],
  })
}

/** Sends requests continuously over several connections until it is stopped. */
class Load {
  slowest = 0
  readonly counts: Record<number, number> = {}
  private stopped = false
  /** The processor time of other processes is not a wait for Redis. */
  private readonly clock = new PacedClock()
  private readonly done: Promise<unknown>

  constructor(t: TestContext, port: number) {
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
    cleanUp(t, () => agent.destroy())
    this.done = Promise.all(Array.from({ length: CLIENTS }, () => this.run(port, agent)))
    cleanUp(t, () => this.stop())
  }

  get sent(): number {
    return Object.values(this.counts).reduce((sum, replies) => sum + replies, 0)
  }

  /** Waits until that many more were answered. */
  async more(requests: number): Promise<void> {
    const target = this.sent + requests
    await until(`${requests} more replies`, () => this.sent >= target)
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.done
    this.clock.stop()
  }

  private async run(port: number, agent: Agent): Promise<void> {
    while (!this.stopped) {
      const sent = this.clock.now()
      const { status } = await send(port, { path: '/much', agent })
      this.slowest = Math.max(this.slowest, this.clock.now() - sent)
      this.counts[status] = (this.counts[status] ?? 0) + 1
      await setImmediate()
    }
  }
}

function count({ log }: TestGateway, message: string): number {
  return log.lines.filter((line) => line['message'] === message).length
}

/** Waits until the gateway uses Redis again, which is logged later. */
function recovery({ port }: Pick<TestGateway, 'port'>): Promise<void> {
  return until('Redis to be used again', async () =>
    (await send(port, { path: '/health' })).text.includes('"redis":"healthy"'),
  )
}

async function statuses(port: number, requests: number): Promise<number[]> {
  const answers: Answer[] = []
  for (let i = 0; i < requests; i++) answers.push(await send(port, { path: '/few' }))
  return answers.map(({ status }) => status)
}

/** Redis fails and recovers under load: no request fails or stalls, and both are logged once. */
async function outlives(t: TestContext, server: RedisServer, goAway: () => unknown, comeBack: () => unknown) {
  const started = await start(t, { url: server.url })
  const load = new Load(t, started.port)
  await load.more(100)
  for (const round of [1, 2]) {
    await goAway()
    await started.log.line({ message: DOWN }, started.log.lines.findLastIndex((line) => line['message'] === UP) + 1)
    await load.more(500)
    await comeBack()
    await until('the end of the outage to be logged', () => count(started, UP) === round)
    await load.more(100)
  }
  await load.stop()
  assert.deepEqual(Object.keys(load.counts), ['204'])
  assert.ok(load.slowest < PROMPT, `the slowest request took ${load.slowest} ms`)
  assert.equal(count(started, DOWN), 2)
  const first = started.log.lines.find((line) => line['message'] === UP)
  assert.ok(Number(first!['decisions']) >= 500)
  const redis = connectTo(t, server)
  assert.ok(Number(await redis.get('rate_limit:127.0.0.1:unauthenticated@much')) >= 100)
}

test('killing and restarting Redis under load fails no request', async (t) => {
  const server = await startRedis(t)
  await outlives(
    t,
    server,
    () => server.kill(),
    () => server.start(),
  )
})

test('a Redis that hangs and recovers under load neither fails nor delays requests', async (t) => {
  const server = await startRedis(t)
  cleanUp(t, () => server.resume())
  await outlives(
    t,
    server,
    () => server.pause(),
    () => server.resume(),
  )
})

test('a Cluster that loses a node and gets it back fails no request', async (t) => {
  const servers = await startCluster(t)
  const started = await start(t, { cluster: servers.map(({ port }) => `127.0.0.1:${port}`) })
  const load = new Load(t, started.port)
  await load.more(100)
  const owner = await ownerOf(t, servers, 'rate_limit:127.0.0.1:unauthenticated@much')
  await owner.kill()
  await started.log.line({ message: DOWN })
  await load.more(500)
  await owner.start()
  await recovery(started)
  await load.more(100)
  await load.stop()
  assert.deepEqual(Object.keys(load.counts), ['204'])
  assert.ok(load.slowest < PROMPT, `the slowest request took ${load.slowest} ms`)
})

test('a gateway starts without Redis, logs that once, and uses it as soon as it is up', async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const started = await start(t, { url: server.url })
  assert.deepEqual(await statuses(started.port, 5), [204, 204, 204, 429, 429])
  assert.equal(count(started, DOWN), 1)
  await server.start()
  await recovery(started)
  assert.deepEqual(await statuses(started.port, 5), [204, 204, 204, 429, 429])
  assert.equal(await connectTo(t, server).get('rate_limit:127.0.0.1:unauthenticated'), '3')
})

test('onUnreachable: open admits everything during an outage of Redis, without limit headers', async (t) => {
  const server = await startRedis(t)
  const { port } = await start(t, { url: server.url }, 'open')
  assert.deepEqual(await statuses(port, 4), [204, 204, 204, 429])
  await server.kill()
  assert.deepEqual(await statuses(port, 5), [204, 204, 204, 204, 204])
  assert.equal((await send(port, { path: '/few' })).headers['ratelimit'], undefined)
  await server.start()
  await recovery({ port })
  assert.deepEqual(await statuses(port, 4), [204, 204, 204, 429])
})

test('onUnreachable: closed rejects everything during an outage of Redis, with 503 and Retry-After', async (t) => {
  const server = await startRedis(t)
  const { port } = await start(t, { url: server.url }, 'closed')
  assert.deepEqual(await statuses(port, 1), [204])
  await server.kill()
  assert.deepEqual(await statuses(port, 3), [503, 503, 503])
  const { headers, text } = await send(port, { path: '/few' })
  assert.equal(headers['retry-after'], '1')
  const { type, detail } = JSON.parse(text) as Record<string, unknown>
  assert.equal(type, 'urn:sallyport:error:limits-unavailable')
  assert.equal(detail, 'The limits cannot be checked at the moment. Try again later.')
  await server.start()
  await recovery({ port })
  assert.deepEqual(await statuses(port, 1), [204])
})

test('a Redis that answers with errors counts as down', async (t) => {
  const server = await startRedis(t)
  const started = await start(t, { url: server.url })
  const redis = connectTo(t, server)
  await redis.lpush('rate_limit:127.0.0.1:unauthenticated', 'no number')
  assert.deepEqual(await statuses(started.port, 5), [204, 204, 204, 429, 429])
  assert.equal(count(started, DOWN), 1)
  await redis.del('rate_limit:127.0.0.1:unauthenticated')
  await recovery(started)
})

/** The node of a Cluster that has a key. */
async function ownerOf(t: TestContext, servers: readonly RedisServer[], key: string): Promise<RedisServer> {
  for (const server of servers) {
    const found = await connectTo(t, server)
      .exists(key)
      .catch(() => 0)
    if (found === 1) return server
  }
  throw new Error(`nobody holds ${key}`)
}
