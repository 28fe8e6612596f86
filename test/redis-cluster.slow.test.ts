import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { newUuid } from '../src/core/uuid.ts'
import { ReplicaChannel } from '../src/runtime/operations/channel.ts'
import { createMemoryLogger } from '../src/telemetry/memory-logger.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { cleanUp } from './support/cleanup.ts'
import { openRedis } from './support/redis-connection.ts'
import { connectTo, startCluster, until } from './support/redis.ts'

/** A Cluster that goes on without these slots. */
async function startWithout(t: TestContext, first: number, last: number) {
  const servers = await startCluster(t)
  const nodes = servers.map((server) => connectTo(t, server))
  for (const node of nodes) {
    await node.config('SET', 'cluster-require-full-coverage', 'no')
    await node.call('CLUSTER', 'DELSLOTSRANGE', first, last)
  }
  return { nodes, place: { cluster: servers.map(({ port }) => ({ host: '127.0.0.1', port })) } }
}

test('in a Cluster that goes on without some slots, a command for one of them fails, until it has a node', async (t) => {
  const { nodes, place } = await startWithout(t, 0, 5000)
  const clock = new ManualClock()
  const { connection } = openRedis(t, { place, tls: false, timeout: 10_000 }, clock)
  await until('the connection', () => connection.client.status === 'ready')
  // Its slot is 3300.
  const get = () => connection.client.get('b')
  assert.equal(await connection.use('test').ask('cache-find', get, get), null)
  assert.equal(connection.troubles.length, 1)
  await nodes[0]!.call('CLUSTER', 'ADDSLOTSRANGE', 0, 5000)
  await until('the end of the outage', () => {
    clock.advance(200)
    return connection.troubles.length === 0
  })
})

test('gateways on a Cluster without the slot of their channel are told that they do not reach one another, and go on', async (t) => {
  // Its slot is 9435.
  const { nodes, place } = await startWithout(t, 9000, 10_000)
  let asked = 0
  const channel = new ReplicaChannel({
    redis: { place, tls: false, timeout: 1000 },
    id: newUuid(),
    name: 'one',
    clock: systemClock,
    log: createMemoryLogger().log,
    connected: () => {},
    answer: async () => {
      asked++
      return { problem: null, result: null }
    },
    dropped: () => assert.fail('the question is invalid'),
  })
  cleanUp(t, () => channel.close())
  const [id, from] = [newUuid(), newUuid()]
  const question = JSON.stringify({ v: 1, type: 'ask', id, from, name: 'two', operation: 'drain', asked: null })
  await until('a question of another gateway', async () => {
    await nodes[0]!.publish('sallyport:operations:0', question)
    return asked > 0
  })
  const { answers, unreached } = await channel.ask('drain', null)
  assert.deepEqual(answers, [])
  assert.match(unreached ?? '', /^Redis cannot be used/)
})
