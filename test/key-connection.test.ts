/** The connection to the Redis with the API keys that one process has. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { KeyConnection } from '../src/policies/auth/api-key/key-connection.ts'
import type { KeyRing } from '../src/policies/auth/api-key/key-ring.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { cleanUp } from './support/cleanup.ts'
import { connectTo, startRedis, until } from './support/redis.ts'

test('a connection is opened once for all, closed when it is idle, and opened again', async (t) => {
  const server = await startRedis(t)
  const observer = connectTo(t, server)
  const open = async () => String(await observer.client('LIST')).split('name=sallyport').length - 1
  const clock = new ManualClock()
  const connection = new KeyConnection(clock)
  cleanUp(t, () => connection.close())
  const redis = { place: { url: server.url }, tls: false, timeout: 1000 }
  const list = () => connection.read({ ...redis }, (ring) => ring.list())
  assert.equal(await open(), 0)
  await Promise.all([list(), list(), list()])
  assert.equal(await open(), 1)
  clock.advance(29_000)
  await list()
  clock.advance(29_000)
  assert.equal(await open(), 1)
  clock.advance(1000)
  await until('the idle connection to close', async () => (await open()) === 0)
  await list()
  assert.equal(await open(), 1)
})

test('a configuration with another Redis gets a connection of its own, and the one before is closed', async (t) => {
  const [first, second] = [await startRedis(t), await startRedis(t)]
  const connection = new KeyConnection(new ManualClock())
  cleanUp(t, () => connection.close())
  const opened = { from: false, held: Promise.withResolvers<void>() }
  const held = connection.read({ place: { url: first.url }, tls: false, timeout: 1000 }, async (ring) => {
    opened.from = true
    await opened.held.promise
    return ring.list()
  })
  await until('the first to be used', () => opened.from)
  await connection.read({ place: { url: second.url }, tls: false, timeout: 1000 }, (ring) => ring.list())
  opened.held.resolve()
  assert.deepEqual(await held, [], 'whoever uses it still can')
  const observer = connectTo(t, first)
  await until('the first to be closed', async () => !String(await observer.client('LIST')).includes('name=sallyport'))
})

/** A server that refuses connections until it is started. */
async function stoppedRedis(t: TestContext) {
  const server = await startRedis(t)
  await server.kill()
  const redis = { place: { url: server.url }, tls: false, timeout: 1000 }
  const refused = () => once(connectTo(t, server), 'error')
  return { server, redis, refused }
}

test('a request waits for a Redis that is briefly away', async (t) => {
  const { server, redis, refused } = await stoppedRedis(t)
  const connection = new KeyConnection(new ManualClock())
  cleanUp(t, () => connection.close())
  const first = connection.read(redis, (ring) => ring.list())
  await refused()
  await server.start()
  assert.deepEqual(await first, [])
  await server.kill()
  const second = connection.read(redis, (ring) => ring.list())
  await refused()
  await server.start()
  assert.deepEqual(await second, [], 'also where a connection was lost')
})

test('after 3 seconds without Redis a request fails and says what to do, and the next one tries again', async (t) => {
  const { server, redis, refused } = await stoppedRedis(t)
  const clock = new ManualClock()
  const connection = new KeyConnection(clock)
  cleanUp(t, () => connection.close())
  const list = connection.read(redis, (ring) => ring.list())
  await refused()
  clock.advance(3000)
  await assert.rejects(list, {
    code: 'keys-unavailable',
    detail: `The Redis of stores.redis cannot be used: connect ECONNREFUSED 127.0.0.1:${server.port}. Check that it runs and that the gateway can reach it, then try again.`,
  })
  await server.start()
  assert.deepEqual(await connection.read(redis, (ring) => ring.list()), [])
})

test('a wrong or missing password is reported at once', async (t) => {
  const server = await startRedis(t, '--requirepass', 'right')
  for (const [password, reason] of [
    ['wrong', 'WRONGPASS invalid username-password pair or user is disabled'],
    [undefined, 'NOAUTH Authentication required'],
  ] as const) {
    const connection = new KeyConnection(new ManualClock())
    cleanUp(t, () => connection.close())
    const redis = { place: { url: server.url }, password, tls: false, timeout: 1000 }
    for (const use of ['read', 'change'] as const)
      await assert.rejects(
        connection[use](redis, (ring) => ring.list()),
        {
          code: 'keys-unavailable',
          detail: `The Redis of stores.redis cannot be used: ${reason}. Check the user name and the password in stores.redis.`,
        },
      )
  }
})

test('a change that Redis did not confirm may have been made', async (t) => {
  const server = await startRedis(t)
  const connection = new KeyConnection(new ManualClock())
  cleanUp(t, () => connection.close())
  const redis = { place: { url: server.url }, tls: false, timeout: 1000 }
  const killed = async (ring: KeyRing) => {
    await server.kill()
    return ring.list()
  }
  await assert.rejects(connection.change(redis, killed), { detail: /may have been made nevertheless: list the keys/ })
  await server.start()
  await assert.rejects(connection.read(redis, killed), { detail: /cannot be used: .*, then try again\.$/ })
})
