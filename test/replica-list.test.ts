/** The gateways that share a Redis, as seen by an operator of one of them. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import test, { type TestContext } from 'node:test'
import { answer as replicaList } from '../src/admin/replicas/replicas.ts'
import type { GatewayInput } from '../src/gateway.ts'
import { startAdminGateway } from './support/admin.ts'
import { connectTo, type RedisServer, startRedis, until } from './support/redis.ts'

const CHANNEL = 'sallyport:operations:0'
const ready = { services: {}, routes: [{ id: 'all', match: { path: '/*' }, reply: { body: 'one' } }] }

function start(t: TestContext, redis: RedisServer, more: GatewayInput = {}) {
  return startAdminGateway(t, { ...ready, stores: { redis: { url: redis.url, timeout: '10s' } }, ...more })
}

/** Resolves once that many gateways have subscribed. */
async function listening(t: TestContext, redis: RedisServer, expected: number): Promise<void> {
  const observer = connectTo(t, redis)
  await until(`${expected} gateways to subscribe`, async () => {
    const [, count] = (await observer.pubsub('NUMSUB', CHANNEL)) as [string, number]
    return count === expected
  })
}

async function replicasOf({ ask }: Awaited<ReturnType<typeof startAdminGateway>>) {
  const { status, json } = await ask('/replicas')
  assert.equal(status, 200)
  return replicaList.parse(json)
}

test('each gateway lists the others with their revisions and console URLs', async (t) => {
  const redis = await startRedis(t)
  const a = await start(t, redis)
  const b = await start(t, redis, { admin: { publicUrl: 'https://{host}.example.com' } })
  const c = await start(t, redis, { routes: [{ id: 'all', match: { path: '/*' }, reply: { body: 'two' } }] })
  await listening(t, redis, 3)
  const { shared, unreached, problems, replicas } = await replicasOf(a)
  assert.deepEqual([shared, unreached, problems], [true, null, []])
  assert.deepEqual(
    replicas.map(({ self, answers, readiness }) => [self, answers, readiness]),
    [
      [true, true, 'ready'],
      [false, true, 'ready'],
      [false, true, 'ready'],
    ],
  )
  const revisionOf = async ({ ask }: typeof a) => String((await ask('/config/status')).json['revision'])
  const [own, ...others] = replicas
  assert.partialDeepStrictEqual(own, { isCurrent: true, console: null, revision: await revisionOf(a) })
  const revisions = new Map(others.map((each) => [each['revision'], each]))
  assert.partialDeepStrictEqual(revisions.get(await revisionOf(b)), {
    console: `https://${hostname()}.example.com/console/`,
    isCurrent: false,
  })
  assert.partialDeepStrictEqual(revisions.get(await revisionOf(c)), { console: null, isCurrent: false })
  // Looking is not logged by the others.
  assert.equal(b.log.lines.filter(({ message }) => String(message).includes('of another gateway')).length, 0)
})

test('a gateway that is gone is listed with when it was last seen', async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await start(t, redis), await start(t, redis)]
  await listening(t, redis, 2)
  const before = await replicasOf(a)
  assert.deepEqual(
    before.replicas.map(({ answers, isCurrent }) => [answers, isCurrent]),
    [
      [true, true],
      [true, true],
    ],
  )
  await redis.kill()
  const { replicas, unreached } = await replicasOf(a)
  assert.match(String(unreached), /^Redis cannot be used/)
  assert.deepEqual(
    replicas.map(({ self, answers }) => [self, answers]),
    [
      [true, true],
      [false, false],
    ],
  )
  assert.equal(replicas[1]?.['lastSeen'], before.replicas[1]?.['lastSeen'])
  await b.gateway.close()
})

test('without Redis a gateway lists only itself', async (t) => {
  const alone = await startAdminGateway(t, ready)
  const { shared, unreached, replicas } = await replicasOf(alone)
  assert.deepEqual([shared, unreached, replicas.length], [false, null, 1])
})
