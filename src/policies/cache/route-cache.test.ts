import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { memoryStores } from '../../../test/support/memory-stores.ts'
import { noMetrics } from '../../core/no-metrics.ts'
import { Bytes, isStream } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { CacheCounts } from './cache-counts.ts'
import { Flights } from './coalescing.ts'
import { Invalidator } from './invalidator.ts'
import { compileKeys } from './key.ts'
import { cache } from './policy.ts'
import { RouteCache } from './route-cache.ts'
import { BodySender } from './stored-body.ts'

const KB = 1_024

test('slow clients of many large stored bodies get the next one from the service, and stored ones again once they have read', async () => {
  const clock = new ManualClock()
  const store = memoryStores(1, 4_000 * KB, { clock }).stores[0]!
  const settings = cache.options.parse({})
  const routeCache = new RouteCache({
    settings,
    keys: compileKeys('route', 'rules', settings.share, settings.query),
    clock,
    log: createMemoryLogger().log,
    next: () => {
      const headers = Headers.of([
        ['Cache-Control', 'max-age=60'],
        ['ETag', '"1"'],
      ])
      return new Reply(200, headers, Bytes.fromBuffer(Buffer.alloc(100 * KB)))
    },
    counts: new CacheCounts(noMetrics, 'route'),
    store,
    flights: new Flights(clock, store),
    invalidator: new Invalidator(() => [store]),
    sender: new BodySender(800 * KB),
  })
  const ask = async (path: string, fields: readonly (readonly [string, string])[] = [], method = 'GET') => {
    const { status, headers, body } = await routeCache.handle(
      makeExchange({ method, path, headers: Headers.of(fields) }),
    )
    return { status, cacheStatus: headers.get('Cache-Status'), body }
  }
  const paths = ['/1', '/2', '/3', '/4', '/5']
  for (const path of paths) assert.equal((await ask(path)).cacheStatus, 'sallyport; fwd=uri-miss; stored')
  const streams = []
  for (const path of paths.slice(0, 4)) {
    const { cacheStatus, body } = await ask(path)
    assert.equal(cacheStatus, 'sallyport; hit; ttl=60')
    if (!isStream(body)) assert.fail('the body is sent at once')
    body.pipe({ write: () => false, end() {}, fail() {} })
    streams.push(body)
  }
  assert.equal((await ask('/5')).cacheStatus, 'sallyport; fwd=bypass; detail=memory')
  assert.equal((await ask('/1')).cacheStatus, 'sallyport; hit; ttl=60')
  assert.equal((await ask('/5', [], 'HEAD')).cacheStatus, 'sallyport; hit; ttl=60', 'needs no room')
  assert.equal((await ask('/5', [['If-None-Match', '"1"']])).cacheStatus, 'sallyport; hit; ttl=60', 'needs no room')
  assert.equal((await ask('/5', [['If-None-Match', '"2"']])).cacheStatus, 'sallyport; fwd=bypass; detail=memory')
  assert.equal((await ask('/5', [['Cache-Control', 'only-if-cached']])).status, 504)
  streams[2]?.cancel()
  assert.equal((await ask('/5')).cacheStatus, 'sallyport; hit; ttl=60')
})
