import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { openRedis } from './support/redis-connection.ts'
import { connectTo, startCluster, startClusterNode, until } from './support/redis.ts'

test('a Cluster in which slots have no node is down from the beginning, and until they have one', async (t) => {
  const servers = await startCluster(t)
  const nodes = servers.map((server) => connectTo(t, server))
  // Each has to forget who has them.
  for (const node of nodes) {
    await node.call('CLUSTER', 'DELSLOTSRANGE', 0, 99)
    await until('the node to notice', async () => String(await node.call('CLUSTER', 'INFO')).includes('state:fail'))
  }
  const clock = new ManualClock()
  const place = { cluster: servers.map(({ port }) => ({ host: '127.0.0.1', port })) }
  const { connection, lines } = openRedis(t, { place, tls: false, timeout: 100 }, clock)
  const causes = () => connection.troubles.map(({ cause }) => cause)
  await until('the outage to be logged', () => lines.length === 1)
  let looks = 0
  await until('several probes', () => {
    clock.advance(200)
    assert.deepEqual(causes(), ['CLUSTERDOWN'])
    return ++looks === 30
  })
  await nodes[0]!.call('CLUSTER', 'ADDSLOTSRANGE', 0, 99)
  await until('the end of the outage', () => {
    clock.advance(200)
    return causes().length === 0
  })
})

test('a Cluster without any slots stays down for that reason, although commands to it wait', async (t) => {
  const { port } = await startClusterNode(t)
  const clock = new ManualClock()
  const place = { cluster: [{ host: '127.0.0.1', port }] }
  const { connection } = openRedis(t, { place, tls: false, timeout: 100 }, clock)
  await until('the outage', () => connection.troubles.length > 0)
  let looks = 0
  await until('a probe that is not answered', () => {
    clock.advance(200)
    assert.deepEqual(
      connection.troubles.map(({ cause }) => cause),
      ['CLUSTERDOWN'],
    )
    return ++looks === 60
  })
})
