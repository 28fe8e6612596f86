/** The connection to the Redis with the API keys that one process has. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import { GatewayError } from '../src/core/errors.ts'
import { KeyConnection } from '../src/policies/auth/api-key/key-connection.ts'
import type { KeyRing } from '../src/policies/auth/api-key/key-ring.ts'
import type { RedisPlace } from '../src/redis/client.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { cleanUp } from './support/cleanup.ts'
import { PacedClock } from './support/paced-clock.ts'
import { connectTo, startClusterNode, startRedis, startSentinels, until } from './support/redis.ts'

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

/** A path to a server on which everything is lost from `cut` on, without notice to either end; connections made afterwards work. */
async function startPath(t: TestContext, port: number) {
  const pairs = new Set<readonly [Socket, Socket]>()
  const path = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ port, host: '127.0.0.1' })
    client.pipe(server).pipe(client)
    pairs.add([client, server])
    for (const socket of [client, server]) socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  cleanUp(t, () => {
    for (const socket of [...pairs].flat()) socket.destroy()
    path.close()
  })
  await once(path, 'listening')
  const { port: own } = path.address() as AddressInfo
  const cut = () => {
    for (const [client, server] of pairs) {
      client.unpipe(server).resume()
      server.unpipe(client)
    }
  }
  return { url: `redis://127.0.0.1:${own}`, cut }
}

test('a kept connection on which nothing comes back is replaced after a second', async (t) => {
  const path = await startPath(t, (await startRedis(t)).port)
  const clock = new ManualClock()
  const connection = new KeyConnection(clock)
  cleanUp(t, () => connection.close())
  const list = () => connection.read({ place: { url: path.url }, tls: false, timeout: 1000 }, (ring) => ring.list())
  await list()
  path.cut()
  const second = list()
  clock.advance(1000)
  // The client library would notice it as well, but only after 3 seconds, when the request has failed.
  const elapsed = new PacedClock()
  cleanUp(t, () => elapsed.stop())
  const begun = elapsed.now()
  assert.deepEqual(await second, [])
  assert.ok(elapsed.now() - begun < 2000)
})

/** Whether a server replies to PING like that. */
async function replies(port: number, text: string): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    socket.write('PING\r\n')
    const [reply] = (await once(socket, 'data')) as [Buffer]
    return reply.toString().startsWith(text)
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test('a request waits for a Redis that reads its data', async (t) => {
  // Per key, and while it reads it answers after each kilobyte.
  const slowly = ['--key-load-delay', '5000', '--loading-process-events-interval-bytes', '1024']
  const server = await startRedis(t, ...slowly, '--rdbcompression', 'no')
  const observer = connectTo(t, server)
  for (let i = 0; i < 100; i++) await observer.set(`key-${i}`, 'x'.repeat(1000))
  await observer.save()
  await server.kill()
  const started = server.start()
  await until('Redis to read', () => replies(server.port, '-LOADING'))
  const clock = new PacedClock()
  const connection = new KeyConnection(clock)
  cleanUp(t, () => {
    connection.close()
    clock.stop()
  })
  const redis = { place: { url: server.url }, tls: false, timeout: 1000 }
  assert.deepEqual(await connection.read(redis, (ring) => ring.list()), [])
  await started
})

test('the error names what keeps a Cluster or Sentinels from being used, and what to do', async (t) => {
  const clock = new PacedClock()
  cleanUp(t, () => clock.stop())
  const refusal = async (place: RedisPlace): Promise<unknown> => {
    const connection = new KeyConnection(clock)
    cleanUp(t, () => connection.close())
    const list = connection.read({ place, tls: false, timeout: 1000 }, (ring) => ring.list())
    return list.then(
      () => assert.fail('a connection is made'),
      (error: unknown) => error,
    )
  }
  const at = (port: number) => ({ host: '127.0.0.1', port })
  const [empty, single, { sentinel }] = await Promise.all([startClusterNode(t), startRedis(t), startSentinels(t)])
  const cases: readonly (readonly [RedisPlace, string])[] = [
    [
      { cluster: [at(empty.port)] },
      'the Cluster is not ready: its cluster_state is not ok. Check with CLUSTER INFO and CLUSTER SHARDS that every hash slot has a node that runs, then try again.',
    ],
    [
      { cluster: [at(single.port)] },
      'ERR This instance has cluster support disabled. Name a node of a Cluster in stores.redis.cluster, or write stores.redis.url for a single server.',
    ],
    [
      { sentinels: { master: 'other', nodes: [at(sentinel.port)] } },
      'the Sentinels know no master "other". Correct stores.redis.sentinels.master, or let the Sentinels monitor a master of that name, then try again.',
    ],
    [
      { sentinels: { master: 'main', nodes: [at(1)] } },
      'no Sentinel answers: Connection is closed. Check that those in stores.redis.sentinels.nodes run and that the gateway can reach them, then try again.',
    ],
  ]
  const refusals = await Promise.all(cases.map(([place]) => refusal(place)))
  for (const [i, [, why]] of cases.entries())
    assert.equal(
      refusals[i] instanceof GatewayError && refusals[i].detail,
      `The Redis of stores.redis cannot be used: ${why}`,
    )
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
