/** The connection to the Redis with the API keys that one process has. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { KeyConnection } from '../src/policies/auth/api-key/key-connection.ts'
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
  const list = () => connection.use({ ...redis }, (ring) => ring.list())
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
  const held = connection.use({ place: { url: first.url }, tls: false, timeout: 1000 }, async (ring) => {
    opened.from = true
    await opened.held.promise
    return ring.list()
  })
  await until('the first to be used', () => opened.from)
  await connection.use({ place: { url: second.url }, tls: false, timeout: 1000 }, (ring) => ring.list())
  opened.held.resolve()
  assert.deepEqual(await held, [], 'whoever uses it still can')
  const observer = connectTo(t, first)
  await until('the first to be closed', async () => !String(await observer.client('LIST')).includes('name=sallyport'))
})

test('a Redis that does not answer is said to be, and is used once it is there', async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const connection = new KeyConnection(new ManualClock())
  cleanUp(t, () => connection.close())
  const list = () => connection.use({ place: { url: server.url }, tls: false, timeout: 1000 }, (ring) => ring.list())
  await assert.rejects(list(), /cannot be used: connect ECONNREFUSED/)
  await server.start()
  await until('Redis', () =>
    list().then(
      (keys) => keys.length === 0,
      () => false,
    ),
  )
})
