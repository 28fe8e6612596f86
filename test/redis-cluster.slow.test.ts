import assert from 'node:assert/strict'
import test from 'node:test'
import { noMetrics } from '../src/core/no-metrics.ts'
import { RedisConnection } from '../src/redis/connection.ts'
import { createMemoryLogger } from '../src/telemetry/memory-logger.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { cleanUp } from './support/cleanup.ts'
import { connectTo, startCluster, until } from './support/redis.ts'

test('in a Cluster that goes on without some slots, a command for one of them fails, until it has a node', async (t) => {
  const servers = await startCluster(t)
  const nodes = servers.map((server) => connectTo(t, server))
  for (const node of nodes) {
    await node.config('SET', 'cluster-require-full-coverage', 'no')
    await node.call('CLUSTER', 'DELSLOTSRANGE', 0, 5000)
  }
  const clock = new ManualClock()
  const { log } = createMemoryLogger()
  const place = { cluster: servers.map(({ port }) => ({ host: '127.0.0.1', port })) }
  const connection = new RedisConnection({ place, tls: false, timeout: 10_000 }, clock, log, noMetrics)
  cleanUp(t, () => connection.close())
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
