import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { cleanUp } from '../../test/support/cleanup.ts'
import { settings } from '../../test/support/http2-frames.ts'
import { startPeeredService, wholeReply, type PeeredService } from '../../test/support/http2-service.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { outgoing } from '../../test/support/outgoing.ts'
import { GatewayError } from '../core/errors.ts'
import { Deadlines } from '../http/deadlines.ts'
import type { ReplyListener } from '../http/lane.ts'
import { ConnectFailed } from '../http/lane-errors.ts'
import { defaultHeadLimits } from '../http/limits.ts'
import type { PoolBounds, PoolOptions } from '../http/pool-options.ts'
import type { ClientStream } from './client-stream.ts'
import { StreamPool } from './pool.ts'

const SILENT: ReplyListener = { interimReply() {}, replied() {}, failed() {}, brokeOff() {}, finished() {} }

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
  }
  let onPreempted = 0
  const fixed = {
    host: '127.0.0.1',
    port: 0,
    onPreempted: () => void onPreempted++,
    encryption: null,
    introduction: null,
  }
  const pool = new StreamPool({ ...fixed, ...bounds, ...options }, deadlines)
  const lanes: ClientStream[] = []
  const acquire = async (client = 'a'): Promise<ClientStream> => {
    const lane = pool.take(client) ?? (await pool.acquire(client))
    lanes.push(lane)
    return lane
  }
  cleanUp(t, () => {
    pool.close()
    for (const lane of lanes) lane.cancel()
    deadlines.close()
  })
  return { clock, pool, bounds, acquire, onPreempted: () => onPreempted }
}

/** A service that takes so many exchanges at a time, and a pool for it. */
async function open(t: TestContext, streams: number, options: Partial<PoolOptions> = {}) {
  const service = await startPeeredService(t, (peer) => peer.greet({ 3: streams }))
  return { service, ...makePool(t, { port: service.port, ...options }) }
}

/** Has the service answer what a lane has asked for. */
async function answer(service: PeeredService, lane: ClientStream, number = 0): Promise<void> {
  const peer = await service.peer(number)
  await peer.whole(lane.id)
  const { promise, resolve } = Promise.withResolvers<void>()
  finishing.set(lane, resolve)
  peer.write(wholeReply(lane.id, 'x'))
  await promise
}

const finishing = new WeakMap<ClientStream, () => void>()

function ask(lane: ClientStream): ClientStream {
  // The lane goes back after this call.
  const finished = (): void => queueMicrotask(() => finishing.get(lane)?.())
  lane.exchange(outgoing, { ...SILENT, finished })
  return lane
}

const code = (error: unknown) => error instanceof GatewayError && error.code

test('exchanges share a connection until it is full, and then another one is opened', async (t) => {
  const { service, pool, acquire } = await open(t, 2)
  assert.equal(pool.take('a'), null)
  const [first, second, third] = [ask(await acquire()), ask(await acquire()), ask(await acquire())]
  assert.deepEqual([first.id, second.id, third.id], [1, 3, 1])
  assert.deepEqual(pool.size, { idle: 0, busy: 2, connecting: 0, streaming: 0, waiting: 0 })
  await answer(service, first)
  const fourth = await acquire()
  assert.equal(ask(fourth).id, 5, 'the oldest connection is filled first')
  await answer(service, third, 1)
  assert.deepEqual(pool.size, { idle: 1, busy: 1, connecting: 0, streaming: 0, waiting: 0 })
  assert.equal(service.peers.length, 2)
})

test('requests that arrive while a connection is being opened wait for it', async (t) => {
  const { service, acquire } = await open(t, 100)
  const lanes = await Promise.all(Array.from({ length: 20 }, () => acquire()))
  assert.equal(new Set(lanes.map((lane) => ask(lane).id)).size, 20)
  assert.equal(service.peers.length, 1)
})

test('if a connection allows fewer streams than expected, the others use more connections', async (t) => {
  const { service, pool, acquire } = await open(t, 2, { connections: 4 })
  const lanes = await Promise.all(Array.from({ length: 7 }, () => acquire()))
  for (const lane of lanes) ask(lane)
  assert.equal(service.peers.length, 4)
  assert.equal(pool.size.busy, 4)
})

test('when all connections are full requests wait, clients take turns, and the queue is limited', async (t) => {
  const { service, pool, acquire } = await open(t, 1, { connections: 1, queue: 3 })
  const lane = ask(await acquire('a'))
  const order: string[] = []
  const waiting = ['a', 'a', 'b'].map(async (client) => {
    const got = await pool.acquire(client)
    order.push(client)
    return ask(got)
  })
  assert.equal(pool.size.waiting, 3)
  await assert.rejects(pool.acquire('a'), (error) => code(error) === 'too-busy')
  await answer(service, lane)
  const first = await waiting[0]!
  await answer(service, first)
  const second = await waiting[2]!
  await answer(service, second)
  await waiting[1]
  assert.deepEqual(order, ['a', 'b', 'a'])
})

test('a request that waits too long is rejected', async (t) => {
  const { clock, pool, acquire } = await open(t, 1, { connections: 1 })
  ask(await acquire())
  const late = pool.acquire('a')
  clock.advance(1500)
  await assert.rejects(late, (error) => code(error) === 'too-busy')
})

test('a failed connection attempt fails all who wait for it, and the next request tries again', async (t) => {
  const { pool } = makePool(t, { port: 1 })
  const both = await Promise.allSettled([pool.acquire('a'), pool.acquire('b')])
  for (const each of both) assert.ok(each.status === 'rejected' && each.reason instanceof ConnectFailed)
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
  await assert.rejects(pool.acquire('a'), ConnectFailed)
})

test('a service that does not send SETTINGS in time is a ConnectFailed', async (t) => {
  const service = await startPeeredService(t, () => {})
  const { clock, pool } = makePool(t, { port: service.port })
  const acquired = pool.acquire('a')
  await service.peer(0)
  // Its connection stands here when it does there; what it says next never comes.
  await new Promise(setImmediate)
  clock.advance(5000)
  await assert.rejects(acquired, ConnectFailed)
})

test('a connection is established once the service accepts requests, and until then no other one is opened', async (t) => {
  const { service, pool, acquire } = await open(t, 0)
  const lanes = [acquire(), acquire()]
  const peer = await service.peer(0)
  await peer.until('an acknowledgement', () => peer.acknowledged === 1)
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 1, streaming: 0, waiting: 0 })
  peer.write(settings({ 3: 2 }))
  for (const lane of await Promise.all(lanes)) ask(lane)
  assert.equal(service.peers.length, 1)
})

test('a service that accepts no requests in time is a ConnectFailed', async (t) => {
  const { service, clock, pool } = await open(t, 0)
  const acquired = pool.acquire('a')
  const peer = await service.peer(0)
  await peer.until('an acknowledgement', () => peer.acknowledged === 1)
  clock.advance(5000)
  await assert.rejects(acquired, (error) => {
    assert.ok(error instanceof ConnectFailed)
    assert.match(inspect(error), /SETTINGS_MAX_CONCURRENT_STREAMS is 0/)
    return true
  })
})

test('connections that accept no requests for now count toward the limit', async (t) => {
  const { service, pool, acquire } = await open(t, 1, { connections: 1 })
  const lane = ask(await acquire())
  const peer = await service.peer(0)
  peer.write(settings({ 3: 0 }))
  await answer(service, lane)
  const next = acquire()
  assert.deepEqual(pool.size, { idle: 1, busy: 0, connecting: 0, streaming: 0, waiting: 1 })
  peer.write(settings({ 3: 1 }))
  ask(await next)
  assert.equal(service.peers.length, 1)
})

test('an exchange that waits for its slow client is aborted when others wait', async (t) => {
  const { service, clock, pool, acquire, onPreempted } = await open(t, 1, { connections: 1, queueTimeout: 10_000 })
  const lane = await acquire('slow')
  const failed = Promise.withResolvers<GatewayError>()
  const body = { length: -1, pipe: () => {}, resume: () => {}, cancel: () => {} }
  lane.exchange({ ...outgoing, client: 'slow', method: 'POST', body }, { ...SILENT, failed: failed.resolve })
  const peer = await service.peer(0)
  await peer.request('/')
  const next = pool.acquire('quick')
  for (let second = 0; second < 7; second++) clock.advance(1000)
  assert.equal((await failed.promise).code, 'request-timeout')
  assert.equal(onPreempted(), 1)
  ask(await next)
  assert.equal(await peer.reset(1), 8)
})

test('a connection introduced for one client is not used by others, and closed for them at the limit', async (t) => {
  const heads: string[] = []
  const introduction = (client: string): Buffer => {
    heads.push(client)
    return Buffer.alloc(0)
  }
  const { service, pool, acquire } = await open(t, 2, { connections: 1, introduction })
  const own = ask(await acquire('a'))
  const same = ask(await acquire('a'))
  const other = pool.acquire('b')
  assert.equal(pool.size.waiting, 1)
  await answer(service, own)
  assert.equal(pool.size.waiting, 1)
  await answer(service, same)
  ask(await other)
  assert.deepEqual(heads, ['a', 'b'])
  assert.equal(service.peers.length, 2)
})

test('closing the pool closes idle connections at once, and others after their last exchange', async (t) => {
  const { service, pool, acquire } = await open(t, 1)
  const [busy, idle] = [ask(await acquire()), ask(await acquire())]
  await answer(service, idle, 1)
  pool.close()
  await (await service.peer(1)).closed()
  assert.equal(pool.size.busy, 1)
  await answer(service, busy)
  await (await service.peer(0)).closed()
  assert.deepEqual(pool.size, { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
})

test('changed limits apply to connections and waiting requests', async (t) => {
  const { service, pool, bounds, acquire } = await open(t, 1, { connections: 1 })
  ask(await acquire())
  const waiting = pool.acquire('a')
  pool.configure({ ...bounds, connections: 2 })
  const second = ask(await waiting)
  assert.equal(service.peers.length, 2)
  await answer(service, second, 1)
  pool.configure({ ...bounds, connections: 1 })
  await (await service.peer(1)).closed()
  assert.equal(pool.size.busy, 1)
})

test('a service that refuses every stream gets only a few connections', async (t) => {
  const { service, pool } = await open(t, 100, { connections: 100 })
  for (let n = 0; n < 30; n++) {
    const lane = ask(await pool.acquire('a'))
    const all = await Promise.all(service.peers.map((_, i) => service.peer(i)))
    await Promise.race(all.map((peer) => peer.until('it', () => peer.requests.get(lane.id)?.ended === true)))
    lane.cancel()
  }
  assert.equal(service.peers.length, 2)
})
