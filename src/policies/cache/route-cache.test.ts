import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { makeExchange } from '../../../test/support/exchange.ts'
import { memoryStores } from '../../../test/support/memory-stores.ts'
import { noMetrics } from '../../core/no-metrics.ts'
import { type BodyStream, Bytes, isStream } from '../../http/body.ts'
import type { Handler } from '../../http/handler.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { fakeMetrics } from '../../testing/fake-metrics.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { CacheCounts } from './cache-counts.ts'
import { Flights } from './coalescing.ts'
import { Invalidator } from './invalidator.ts'
import { compileKeys } from './key.ts'
import { cache } from './policy.ts'
import { RouteCache } from './route-cache.ts'
import type { CacheAcceptance, CacheStore } from './store.ts'
import { BodySender } from './stored-body.ts'

const KB = 1_024

const HIT = 'sallyport; hit; ttl=60'
const NO_ROOM = 'sallyport; fwd=bypass; detail=memory'

type Fields = Readonly<Record<string, string>>

/** A reply of the service: one with that body, or 304. */
function replyTo(headers: Headers, body: Buffer, control = 'max-age=60'): Reply {
  const fields = Headers.of([
    ['Cache-Control', control],
    ['ETag', '"1"'],
  ])
  return headers.get('If-None-Match') === '"1"'
    ? new Reply(304, fields, null)
    : new Reply(200, fields, Bytes.fromBuffer(body))
}

const makeStore = (clock: ManualClock) => memoryStores(1, 4_000 * KB, { clock }).stores[0]!

/** Returns a function that sends a request through the cache of a route. */
function makeCache(clock: ManualClock, store: CacheStore, next: Handler, counts = new CacheCounts(noMetrics, 'route')) {
  const settings = cache.options.parse({})
  const routeCache = new RouteCache({
    settings,
    keys: compileKeys('route', 'rules', settings.share, settings.query),
    clock,
    log: createMemoryLogger().log,
    next,
    counts,
    store,
    flights: new Flights(clock, store),
    invalidator: new Invalidator(() => [store]),
    sender: new BodySender(800 * KB),
  })
  return async (path: string, fields: Fields = {}, method = 'GET') => {
    const exchange = makeExchange({ method, path, headers: Headers.of(Object.entries(fields)) })
    const { status, headers, body } = await routeCache.handle(exchange)
    return { status, cacheStatus: headers.get('Cache-Status'), body }
  }
}

/**
 * A cache that has stored five large replies, /1 to /5, four of which slow clients receive, so that there is no room to send /5. The
 * service replies with such bodies, or with 304, while it is up: at once, or after `wait`.
 */
async function setUp(control?: string) {
  const clock = new ManualClock()
  const metrics = fakeMetrics(clock)
  const service = { isUp: true, received: 0, wait: null as Promise<void> | null }
  const next: Handler = ({ headers }) => {
    service.received++
    const reply = service.isUp
      ? replyTo(headers, Buffer.alloc(100 * KB), control)
      : new Reply(503, Headers.of([]), null)
    return service.wait === null ? reply : service.wait.then(() => reply)
  }
  const ask = makeCache(clock, makeStore(clock), next, new CacheCounts(metrics, 'route'))
  const paths = ['/1', '/2', '/3', '/4', '/5']
  for (const path of paths) assert.equal((await ask(path)).cacheStatus, 'sallyport; fwd=uri-miss; stored')
  const streams: BodyStream[] = []
  /** Lets a slow client receive that body. */
  const hold = async (path: string): Promise<void> => {
    const { cacheStatus, body } = await ask(path)
    assert.equal(cacheStatus, HIT)
    if (!isStream(body)) assert.fail('the body is sent at once')
    body.pipe({ write: () => false, end() {}, fail() {} })
    streams.push(body)
  }
  for (const path of paths.slice(0, 4)) await hold(path)
  service.received = 0
  return {
    clock,
    ask,
    service,
    hold,
    readOne: () => streams[2]?.cancel(),
    count: (outcome: string) => metrics.value('sallyport_cache_requests_total', { outcome }),
  }
}

test('slow clients of many large stored bodies get the next one from the service, and stored ones again once they have read', async () => {
  const { ask, readOne, count } = await setUp()
  assert.equal((await ask('/5')).cacheStatus, NO_ROOM)
  assert.equal((await ask('/1')).cacheStatus, HIT)
  assert.equal((await ask('/5', {}, 'HEAD')).cacheStatus, HIT, 'needs no room')
  assert.equal((await ask('/5', { 'If-None-Match': '"1"' })).cacheStatus, HIT, 'needs no room')
  assert.equal((await ask('/5', { 'If-None-Match': '"2"' })).cacheStatus, NO_ROOM)
  const refused = await ask('/5', { 'Cache-Control': 'only-if-cached' })
  assert.equal(refused.status, 504)
  assert.equal(refused.cacheStatus, 'sallyport; detail=memory')
  if (!(refused.body instanceof Bytes)) assert.fail('the problem is sent at once')
  assert.match(refused.body.toText(), /There is a stored reply, but slow clients hold too many large ones to send it\./)
  assert.deepEqual([count('miss'), count('bypass')], [5, 3])
  readOne()
  assert.equal((await ask('/5')).cacheStatus, HIT)
})

test('a range of a large stored body needs room only if it is large itself', async () => {
  const { ask } = await setUp()
  const small = await ask('/5', { Range: 'bytes=50000-115535' })
  assert.deepEqual([small.status, small.cacheStatus, small.body?.length], [206, HIT, 52_400])
  if (!(small.body instanceof Bytes)) assert.fail('a small part is sent at once')
  assert.equal(small.body.toBuffer().buffer.byteLength, 52_400, 'it does not keep the whole body in memory')
  assert.equal((await ask('/5', { Range: 'bytes=200000-' })).status, 416)
  assert.equal((await ask('/5', { Range: 'bytes=0-65535' })).cacheStatus, HIT)
  assert.equal((await ask('/5', { Range: 'bytes=0-65536' })).cacheStatus, NO_ROOM)
  assert.equal((await ask('/5', { Range: 'bytes=0-9', 'If-Range': '"2"' })).cacheStatus, NO_ROOM)
})

test('a stale reply for which there is no room is fetched as a whole and stored again', async () => {
  const { ask, clock, service, readOne } = await setUp()
  clock.advance(61_000)
  const renewed = await ask('/5')
  assert.equal(renewed.cacheStatus, 'sallyport; fwd=stale; stored')
  assert.equal(isStream(renewed.body), false, 'the body of the service, not the stored one')
  assert.equal(service.received, 1)
  assert.equal((await ask('/5', {}, 'HEAD')).cacheStatus, HIT)
  readOne()
  assert.equal((await ask('/5')).cacheStatus, HIT)
})

test('a stale reply for which there is no room any more when the service says that it is unchanged is fetched as a whole', async () => {
  const { ask, clock, service, hold, readOne } = await setUp()
  readOne()
  clock.advance(61_000)
  await ask('/3', {}, 'HEAD')
  service.received = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  service.wait = promise
  const stale = ask('/5')
  await hold('/3')
  resolve()
  const renewed = await stale
  assert.equal(renewed.cacheStatus, 'sallyport; fwd=stale; stored')
  assert.equal(isStream(renewed.body), false, 'the body of the service, not the stored one')
  assert.equal(service.received, 2)
})

test('a reply that may be served stale is fetched where there is no room for it', async () => {
  const { ask, clock } = await setUp('max-age=60, stale-while-revalidate=60')
  clock.advance(61_000)
  assert.equal((await ask('/1')).cacheStatus, 'sallyport; hit; ttl=-1; detail=stale-while-revalidate')
  assert.equal((await ask('/5')).cacheStatus, 'sallyport; fwd=stale; stored')
})

test('a request that has waited for another one is forwarded where there is no room for the reply', async () => {
  const { ask, service } = await setUp()
  const { promise, resolve } = Promise.withResolvers<void>()
  service.wait = promise
  const replies = [ask('/6'), ask('/6')]
  assert.equal(service.received, 1)
  resolve()
  const outcomes = (await Promise.all(replies)).map(({ cacheStatus }) => cacheStatus)
  assert.deepEqual(outcomes, ['sallyport; fwd=uri-miss; stored', NO_ROOM])
})

test('a stale reply for which there is no room does not hide an error of the service', async () => {
  const { ask, clock, service, readOne } = await setUp()
  clock.advance(61_000)
  service.isUp = false
  assert.equal((await ask('/5')).status, 503)
  readOne()
  assert.equal((await ask('/5')).status, 200)
})

/** A cache whose store may be down or late; `reply` lets the service reply to the next request that it has got. */
function setUpStore() {
  const clock = new ManualClock()
  const state: { acceptance: CacheAcceptance } = { acceptance: 'yes' }
  const store: CacheStore = Object.defineProperties(makeStore(clock), {
    isWritable: { get: () => state.acceptance !== 'no' },
    accepts: { value: () => state.acceptance },
  })
  const received: (() => void)[] = []
  const ask = makeCache(clock, store, async ({ headers }) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    received.push(resolve)
    await promise
    return replyTo(headers, Buffer.from('hello'))
  })
  const outcomes = async (...replies: readonly ReturnType<typeof ask>[]) =>
    (await Promise.all(replies)).map(({ cacheStatus }) => cacheStatus)
  return { clock, state, ask, received, outcomes, reply: () => received.shift()?.() }
}

test('requests do not wait for one another while the store is down, and wait again as soon as it is back', async () => {
  const { state, ask, received, outcomes, reply } = setUpStore()
  const [first, second] = [ask('/'), ask('/')]
  assert.equal(received.length, 1)
  state.acceptance = 'no'
  reply()
  assert.deepEqual(await outcomes(first), ['sallyport; fwd=uri-miss; detail=store-unavailable'])
  const third = ask('/')
  await setImmediate()
  assert.equal(received.length, 2)
  reply()
  reply()
  for (const outcome of await outcomes(second, third))
    assert.equal(outcome, 'sallyport; fwd=uri-miss; detail=store-unavailable')
  state.acceptance = 'yes'
  const [fourth, fifth] = [ask('/'), ask('/')]
  await setImmediate()
  assert.equal(received.length, 1)
  reply()
  assert.deepEqual(await outcomes(fourth, fifth), [
    'sallyport; fwd=uri-miss; stored',
    'sallyport; fwd=uri-miss; collapsed',
  ])
})

test('a reply is not said to be stored while the store is late, but may be', async () => {
  const { clock, state, ask, outcomes, reply } = setUpStore()
  state.acceptance = 'maybe'
  const first = ask('/')
  reply()
  assert.deepEqual(await outcomes(first, ask('/')), [
    'sallyport; fwd=uri-miss; detail=store-unavailable',
    'sallyport; fwd=uri-miss; collapsed',
  ])
  clock.advance(60_000)
  const stale = ask('/')
  reply()
  assert.deepEqual(await outcomes(stale), ['sallyport; fwd=stale; fwd-status=304'])
  assert.deepEqual(await outcomes(ask('/')), [HIT])
})
