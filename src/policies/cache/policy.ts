import { z } from 'zod'
import { definePolicy } from '../policy.ts'
import { afterwards } from '../../http/handler.ts'
import type { ExchangeRecord } from '../../http/record.ts'
import type { Reply } from '../../http/reply.ts'
import { durationOrZero, size } from '../../core/units.ts'
import { fieldName } from '../field-name.ts'
import { CacheCounts } from './cache-counts.ts'
import { CachePlace } from './cache-place.ts'
import { cacheStores } from './cache-stores.ts'
import { compileKeys, queryOptions } from './key.ts'
import { REQUEST_FIELDS } from './request-control.ts'
import { RouteCache } from './route-cache.ts'
import { rulesOf } from './rules.ts'
import { shares, PERSONAL_FIELDS } from './storable.ts'

const options = z.strictObject({
  ttl: durationOrZero
    .prefault('0s')
    .describe('How long replies are fresh of which the service says nothing. Default 0s: they are not stored.'),
  heuristic: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('For those: the part of the time since Last-Modified that they are fresh, a day at most. Default 0.'),
  staleWhileRevalidate: durationOrZero
    .prefault('0s')
    .describe('How long a stale reply is served while a new one is fetched, unless the service says. Default 0s.'),
  staleIfError: durationOrZero
    .prefault('60s')
    .describe('How long a stale reply is served when the service fails, unless the service says. Default 60s.'),
  share: z
    .enum(shares)
    .default('public')
    .describe(
      'Who gets the same copy. public: everybody, but replies to callers who show who they are, or may have a session, only ' +
        'where the service allows it; everyone: these too; role: callers with the same roles; consumer: each caller alone. Default public.',
    ),
  query: queryOptions,
  setCookie: z
    .boolean()
    .default(false)
    .describe('Whether replies that set cookies are stored, and the cookies given to everybody. Default false.'),
  clientDirectives: z
    .boolean()
    .default(true)
    .describe('Whether Cache-Control of requests counts: no-cache, max-age, only-if-cached and so on. Default true.'),
  targets: fieldName
    .array()
    .default(['CDN-Cache-Control'])
    .describe('Fields that go before Cache-Control and Expires, the first one first. Default [CDN-Cache-Control].'),
  maxBody: size.prefault('1mb').describe('Bodies above that are passed through and not stored. Default 1mb.'),
  store: z
    .enum(cacheStores)
    .optional()
    .describe(
      'Where replies are kept. Default redis, for all gateways that use it, where stores.redis is configured, else memory.',
    ),
  memory: size
    .prefault('64mb')
    .describe(
      'Memory of the process for stored replies, or for copies of those in Redis; each worker thread has an equal part ' +
        'of it. Routes with the same figure share it. Default 64mb.',
    ),
  wait: durationOrZero
    .prefault('5s')
    .describe('How long requests wait for the reply to one like them that is under way. Default 5s, 0s: not at all.'),
})

/** Stores replies and answers from them, as RFC 9111 has it for shared caches. */
export const cache = definePolicy({
  name: 'cache',
  summary: 'Stores replies of services and answers from them for as long as they are fresh, or may be used stale.',
  options,
  fields: () => [...REQUEST_FIELDS, ...PERSONAL_FIELDS],
  decidesBy: () => 'nothing',
  stores: [{ path: ['store'], instead: 'memory' }],
  keeps(settings, { id }, _, source) {
    if (id === '') return []
    return [
      {
        name: 'stored replies',
        identities: [`${settings.store} ${rulesOf(settings, source())}`],
        options: [['store'], ['share'], ['query'], ['setCookie'], ['targets']],
        loss: 'Replies that are stored already were stored by other rules, or come from elsewhere: they are not used.',
      },
    ]
  },
  create(settings, toolbox, route, _, source) {
    // Where no route leads there is nothing to store.
    if (route.id === '') return (next) => next
    const keys = compileKeys(route.id, rulesOf(settings, source()), settings.share, settings.query)
    const { clock, log, caches, holder } = toolbox
    const place = CachePlace.of(toolbox, settings.store ?? caches.preferred)
    const limit = Math.floor(settings.memory / caches.threads)
    const partition = place.partitionFor(holder, route.id, limit, JSON.stringify(settings.query), keys)
    const { flights, invalidator } = place
    const counts = new CacheCounts(toolbox.metrics, route.id)
    return (next) => {
      const routeCache = new RouteCache({ settings, keys, clock, log, next, counts, partition, flights, invalidator })
      return (exchange) => {
        const reply = routeCache.handle(exchange)
        const { record } = exchange
        return record === null ? reply : afterwards(reply, (came) => noted(record, came))
      }
    }
  },
})

/** The gateway's own Cache-Status is the last one: each cache on the way adds its own behind the others. */
function noted(record: ExchangeRecord, reply: Reply): Reply {
  const status = reply.headers.getAll('Cache-Status').at(-1)
  if (status !== undefined) record.event('sallyport.cache', { 'sallyport.cache.status': status })
  return reply
}
