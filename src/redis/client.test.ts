import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { startCluster, startRedis } from '../../test/support/redis.ts'
import { connectRedis, type RedisPlace } from './client.ts'

const places: Readonly<Record<string, (t: TestContext) => Promise<RedisPlace>>> = {
  'a server': async (t) => ({ url: (await startRedis(t)).url }),
  'a Cluster': async (t) => ({
    cluster: (await startCluster(t)).map(({ port }) => ({ host: '127.0.0.1', port })),
  }),
}

for (const [what, open] of Object.entries(places))
  test(`a password that ${what} does not need is harmless, and logs nothing on the console`, async (t) => {
    const warn = t.mock.method(console, 'warn', () => {})
    const client = connectRedis({ place: await open(t), password: 'needless', tls: false, timeout: 1000 })
    cleanUp(t, async () => {
      client.disconnect()
      if (client.status !== 'end') await once(client, 'end')
    })
    await once(client, 'ready')
    assert.equal(await client.set('key', 'value'), 'OK')
    assert.equal(warn.mock.callCount(), 0)
  })

test('a Cluster is asked for its slots until it is disconnected, even if that happens while it is asked', async (t) => {
  const servers = await startCluster(t)
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const client = connectRedis({
    place: { cluster: servers.map(({ port }) => ({ host: '127.0.0.1', port })) },
    tls: false,
    timeout: 1000,
  })
  cleanUp(t, () => client.disconnect())
  if (!('refreshSlotsCache' in client)) assert.fail('it is no Cluster')
  const asked = t.mock.method(client, 'refreshSlotsCache')
  await once(client, 'ready')
  asked.mock.resetCalls()
  t.mock.timers.tick(5000)
  assert.equal(asked.mock.callCount(), 1)
  client.disconnect()
  // The time limit for the answer.
  t.mock.timers.tick(1000)
  await once(client, 'end')
  t.mock.timers.tick(60_000)
  assert.equal(asked.mock.callCount(), 1)
})
