import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import test, { type TestContext } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { startRawService } from '../../test/support/peer.ts'
import { Bytes } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import { outgoing } from '../../test/support/outgoing.ts'
import type { Reply } from '../http/reply.ts'
import type { ClientConnection } from './client-connection.ts'
import { ConnectFailed } from '../http/lane-errors.ts'
import { Deadlines } from '../http/deadlines.ts'
import { defaultHeadLimits } from '../http/limits.ts'
import type { PoolBounds, PoolOptions } from '../http/pool-options.ts'
import { ConnectionPool } from './pool.ts'

/** A service that says which of its connections it is, and a pool for it. */
async function open(t: TestContext, options: Partial<PoolOptions> = {}) {
  const service = await startRawService(t, async (peer, number) => {
    for (;;) {
      const { start } = await peer.request()
      peer.write(
        `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n${start.includes('/close') ? 'Connection: close\r\n' : ''}\r\n${number}`,
      )
    }
  })
  return { service, ...makePool(t, { port: service.port, ...options }) }
}

function makePool(t: TestContext, options: Partial<PoolOptions>) {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const bounds: PoolBounds = {
    ...defaultHeadLimits,
    connections: 2,
    streams: 2,
    queue: 2,
    queueTimeout: 1000,
    connectTimeout: 2000,
    responseTimeout: 30_000,
    idleTimeout: 30_000,
    poolTimeout: 5000,
    lifetime: () => 300_000,
    ...options,
  }
  const fixed = { host: '127.0.0.1', port: 0, onPreempted: () => {}, encryption: null, introduction: null }
  const pool = new ConnectionPool({ ...fixed, ...bounds, ...options }, deadlines)
  const taken: ClientConnection[] = []
  const acquire = async (): Promise<ClientConnection> => {
    const connection = await pool.acquire('a')
    taken.push(connection)
    return connection
  }
  cleanUp(t, () => {
    pool.close()
    for (const connection of taken) connection.destroy()
  })
  return { clock, deadlines, pool, bounds, acquire }
}

/** Sends a request and waits for its end; resolves with what the service answered. */
function ask(connection: ClientConnection, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    connection.exchange(
      { ...outgoing, target: path },
      {
        interimReply: () => {},
        replied({ body }: Reply) {
          answer = body instanceof Bytes ? body.toLatin1() : 'a stream'
        },
        failed: reject,
        brokeOff: reject,
        // The connection goes back to the pool after this call.
        finished: () => queueMicrotask(() => resolve(answer)),
      },
    )
  })
}

const closed = (connection: ClientConnection) => once(connection.socket, 'close')
const code = (error: unknown) => error instanceof GatewayError && error.code

test('the most recently used idle connection is used first', async (t) => {
  const { service, pool, acquire } = await open(t)
  assert.equal(pool.take('a'), null)
  const [first, second] = [await acquire(), await acquire()]
  assert.deepEqual(pool.size, { idle: 0, busy: 2, connecting: 0, streaming: 0, waiting: 0 })
  await ask(first)
  await ask(second)
  assert.deepEqual(pool.size, { idle: 2, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
  assert.equal(pool.take('a'), second)
  assert.equal(pool.take('a'), first)
  assert.equal(pool.take('a'), null)
  assert.equal(service.connections, 2)
})

test('at the connection limit further requests wait in order', async (t) => {
  const { service, pool, acquire } = await open(t, { connections: 1 })
  const connection = await acquire()
  const order: string[] = []
  const waiting = ['a', 'b'].map(async (name) => {
    const got = await pool.acquire('a')
    order.push(name)
    return ask(got)
  })
  assert.deepEqual(pool.size, { idle: 0, busy: 1, connecting: 0, streaming: 0, waiting: 2 })
  assert.equal(await ask(connection), '1')
  assert.deepEqual(await Promise.all(waiting), ['1', '1'])
  assert.deepEqual(order, ['a', 'b'])
  assert.equal(service.connections, 1)
  assert.deepEqual(pool.size, { idle: 1, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('at the limit, a new connection replaces the least recently used idle one', async (t) => {
  const { pool, acquire } = await open(t)
  const [first, second] = [await acquire(), await acquire()]
  await ask(first)
  await ask(second)
  assert.equal(pool.size.idle, 2)
  const [third] = await Promise.all([acquire(), closed(first)])
  assert.equal(await ask(third), '3')
  assert.deepEqual(pool.size, { idle: 2, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('connections being opened count', async (t) => {
  const { pool, acquire } = await open(t, { connections: 1 })
  const first = acquire()
  assert.equal(pool.size.connecting, 1)
  const second = pool.acquire('a')
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 1, streaming: 0, waiting: 1 })
  await ask(await first)
  await ask(await second)
})

test('if the queue is full a request is rejected at once', async (t) => {
  const { pool, acquire } = await open(t, { connections: 1, queue: 1 })
  const connection = await acquire()
  const waiting = pool.acquire('a')
  await assert.rejects(pool.acquire('a'), (error) => {
    assert.ok(error instanceof GatewayError)
    assert.equal(error.code, 'too-busy')
    assert.equal(error.fault, 'gateway')
    assert.deepEqual(error.headers, [['Retry-After', '1']])
    return true
  })
  await ask(connection)
  await ask(await waiting)
})

test('waiting clients take turns, whoever asked most', async (t) => {
  const { pool, acquire } = await open(t, { connections: 1, queue: 10 })
  const connection = await acquire()
  const order: string[] = []
  const waiting = ['a', 'a', 'a', 'b', 'c'].map(async (client, i) => {
    const got = await pool.acquire(client)
    order.push(client + i)
    return ask(got)
  })
  await ask(connection)
  await Promise.all(waiting)
  assert.deepEqual(order, ['a0', 'b3', 'c4', 'a1', 'a2'])
})

test('a client with more than half of the queue loses its last place to another client', async (t) => {
  const { pool, acquire } = await open(t, { connections: 1, queue: 3 })
  const connection = await acquire()
  const [first, second, third] = [pool.acquire('a'), pool.acquire('a'), pool.acquire('b')]
  const refused = assert.rejects(second, (error) => code(error) === 'too-busy')
  const fourth = pool.acquire('c')
  await refused
  await assert.rejects(pool.acquire('a'), (error) => code(error) === 'too-busy')
  assert.equal(pool.size.waiting, 3)
  await ask(connection)
  for (const waiting of [first, third, fourth]) await ask(await waiting)
})

test('a request waits at most for queueTimeout', async (t) => {
  const { clock, deadlines, pool, acquire } = await open(t, { connections: 1 })
  await acquire()
  const watched = deadlines.size
  let refused = false
  const waiting = assert.rejects(pool.acquire('a'), (error) => code(error) === 'too-busy').then(() => (refused = true))
  clock.advance(999)
  await new Promise(setImmediate)
  assert.equal(refused, false)
  clock.advance(300)
  await waiting
  assert.equal(pool.size.waiting, 0)
  assert.equal(deadlines.size, watched)
})

test('a lost connection is replaced for waiting requests', async (t) => {
  const { service, pool, acquire } = await open(t, { connections: 1 })
  const connection = await acquire()
  const waiting = pool.acquire('a')
  const answer = ask(connection, '/close')
  assert.equal(await answer, '1')
  assert.equal(await ask(await waiting), '2')
  assert.equal(service.connections, 2)
  assert.deepEqual(pool.size, { idle: 1, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('an idle connection that the service closes leaves the pool', async (t) => {
  const service = await startRawService(t)
  const { pool, acquire } = makePool(t, { port: service.port })
  const accepting = service.accept()
  const connection = await acquire()
  const peer = await accepting
  const answer = ask(connection)
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await answer
  assert.equal(pool.size.idle, 1)
  const gone = closed(connection)
  peer.end()
  await gone
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
  assert.equal(pool.take('a'), null)
})

test('an idle connection leaves the pool after its timeout', async (t) => {
  const { clock, pool, acquire } = await open(t)
  const connection = await acquire()
  await ask(connection)
  clock.advance(4999)
  assert.equal(pool.size.idle, 1)
  const gone = closed(connection)
  clock.advance(300)
  assert.equal(pool.size.idle, 0)
  await gone
})

test('an unused connection leaves the pool after its timeout too', async (t) => {
  const { clock, pool, acquire } = await open(t)
  pool.release(await acquire())
  assert.equal(pool.size.idle, 1)
  clock.advance(5300)
  assert.equal(pool.size.idle, 0)
})

test('a refused connection is a ConnectFailed, unlike other failures', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  server.close()
  await once(server, 'close')
  const { pool, deadlines } = makePool(t, { port: address.port })
  await assert.rejects(pool.acquire('a'), (error) => {
    assert.ok(error instanceof ConnectFailed)
    assert.equal(error.code, 'service-unavailable')
    assert.doesNotMatch(error.message, /127\.0\.0\.1/, 'clients do not see addresses')
    assert.match(String(error.cause), /cannot connect to 127\.0\.0\.1/)
    return true
  })
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
  assert.equal(deadlines.size, 0)
})

test('after a failed connection attempt, another one is made for those who wait', async (t) => {
  const service = await startRawService(t)
  await service.kill()
  const { pool } = makePool(t, { port: service.port, connections: 1 })
  const failures = [pool.acquire('a'), pool.acquire('a'), pool.acquire('a')].map((acquired) =>
    assert.rejects(acquired, (error) => error instanceof ConnectFailed),
  )
  assert.equal(pool.size.waiting, 2)
  await Promise.all(failures)
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('a connection attempt times out', async (t) => {
  const service = await startRawService(t)
  const { clock, pool, deadlines } = makePool(t, { port: service.port })
  // Time passes before the loop has had a chance to connect.
  const acquired = pool.acquire('a')
  clock.advance(2300)
  await assert.rejects(
    acquired,
    (error) => error instanceof ConnectFailed && /within 2000 ms/.test(String(causeOf(error))),
  )
  assert.equal(pool.size.connecting, 0)
  assert.equal(deadlines.size, 0)
})

function causeOf(error: Error): unknown {
  return error.cause instanceof Error ? error.cause.cause : undefined
}

test('a closed pool closes idle connections at once and busy ones after their exchange', async (t) => {
  const { pool, acquire } = await open(t)
  const [idle, busy] = [await acquire(), await acquire()]
  await ask(idle)
  const answer = ask(busy)
  pool.close()
  assert.ok(idle.socket.destroyed)
  assert.ok(!busy.socket.destroyed)
  assert.equal(await answer, '2')
  assert.ok(busy.socket.destroyed)
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('a closed pool serves waiting requests before it ends', async (t) => {
  const { clock, deadlines, service, pool, acquire } = await open(t, { connections: 1 })
  const connection = await acquire()
  const waiting = [pool.acquire('a'), pool.acquire('b')]
  pool.close()
  assert.equal(pool.size.waiting, 2)
  assert.equal(await ask(connection, '/close'), '1')
  assert.equal(await ask(await waiting[0]!), '2')
  assert.equal(await ask(await waiting[1]!), '2')
  assert.equal(service.connections, 2)
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
  clock.advance(10_000)
  assert.equal(deadlines.size, 0)
})

test('if the limit is lowered, surplus connections are closed, busy ones after their exchange', async (t) => {
  const { pool, acquire, bounds } = await open(t, { connections: 3 })
  const [idle, ...busy] = [await acquire(), await acquire(), await acquire()]
  await ask(idle)
  const answers = busy.map((connection) => ask(connection))
  pool.configure({ ...bounds, connections: 1 })
  assert.deepEqual(pool.size, { idle: 0, busy: 2, connecting: 0, streaming: 0, waiting: 0 })
  const next = pool.acquire('a')
  assert.equal(pool.size.waiting, 1)
  assert.deepEqual(await Promise.all(answers), ['2', '3'])
  assert.equal(await ask(await next), '3')
  assert.deepEqual(pool.size, { idle: 1, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('changed settings apply to a connection from its next exchange on', async (t) => {
  const service = await startRawService(t)
  const { clock, pool, acquire, bounds } = makePool(t, { port: service.port, connections: 1 })
  const accepting = service.accept()
  const connection = await acquire()
  const peer = await accepting
  const answer = async (head: string): Promise<void> => {
    await peer.request()
    peer.write(`HTTP/1.1 200 OK\r\n${head}Content-Length: 2\r\n\r\nok`)
  }
  const first = ask(connection)
  pool.configure({ ...bounds, head: 100, lifetime: () => 3000, poolTimeout: 2000 })
  await answer(`X-Long: ${'a'.repeat(100)}\r\n`)
  assert.equal(await first, 'ok')
  assert.equal(pool.size.idle, 1)
  const second = ask(pool.take('a')!)
  const refused = assert.rejects(second, /larger than 100 bytes/)
  await answer(`X-Long: ${'a'.repeat(100)}\r\n`)
  await refused
  const replaced = pool.acquire('a')
  const other = await service.accept()
  const third = ask(await replaced)
  await other.request()
  other.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  assert.equal(await third, 'ok')
  clock.advance(2300)
  assert.equal(pool.size.idle, 0)
})

test('connections of a pool share a read buffer without interference', async (t) => {
  const service = await startRawService(t)
  const { acquire } = makePool(t, { port: service.port })
  const accepting = [service.accept(), service.accept()]
  const connections = [await acquire(), await acquire()]
  const peers = await Promise.all(accepting)
  const answers = connections.map((connection) => ask(connection))
  await Promise.all(peers.map((peer) => peer.request()))
  const head = 'HTTP/1.1 200 OK\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaa\r\nContent-Length: 6\r\n\r\n'
  const replies = [`${head}first.`, `${head}second`]
  const pieces = replies.map((reply) => reply.match(/.{1,13}/gs) ?? [])
  for (let i = 0; i < pieces[0]!.length; i++)
    for (const [at, peer] of peers.entries()) await peer.writeInPieces([pieces[at]![i]!])
  assert.deepEqual((await Promise.all(answers)).toSorted(), ['first.', 'second'])
})
