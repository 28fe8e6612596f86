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
import { BodySender } from './stored-body.ts'

/** The bodies that this thread sends, of all stores. */
const sender = new BodySender()

const options = z.strictObject({
  ttl: durationOrZero
    .prefault('0s')
    .describe('Freshness of replies for which the service gives none. Default 0s: they are not stored.'),
  heuristic: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Heuristic freshness for those: fraction of their age since Last-Modified, at most a day. Default 0.'),
  staleWhileRevalidate: durationOrZero
    .prefault('0s')
    .describe(
      'How long a stale reply is served while a new one is fetched, unless the service says otherwise. Default 0s.',
    ),
  staleIfError: durationOrZero
    .prefault('60s')
    .describe(
      'How long a stale reply is served when the service fails, unless the service says otherwise. Default 60s.',
    ),
  share: z
    .enum(shares)
    .default('public')
    .describe(
      'Who shares a stored reply. public: everyone, but replies to requests with credentials or cookies only if the service allows it; everyone: those too; role: callers with the same roles; consumer: each caller alone. Default public.',
    ),
  query: queryOptions,
  setCookie: z
    .boolean()
    .default(false)
    .describe('Store replies that set cookies, and give the cookies to everyone. Default false.'),
  clientDirectives: z
    .boolean()
    .default(true)
    .describe('Respect Cache-Control of requests: no-cache, max-age, only-if-cached and so on. Default true.'),
  targets: fieldName
    .array()
    .default(['CDN-Cache-Control'])
    .describe(
      'Reply headers that take precedence over Cache-Control and Expires, in order. Default [CDN-Cache-Control].',
    ),
  maxBody: size.prefault('1mb').describe('Largest body to store. Default 1mb.'),
  store: z
    .enum(cacheStores)
    .optional()
    .describe(
      'Where replies are kept. Default redis, shared by all gateways, if stores.redis is configured, otherwise memory.',
    ),
  memory: size
    .prefault('64mb')
    .describe(
      'Memory of the process for stored replies, which all workers share, or for copies of those in Redis, which is divided among the workers. Routes with the same size share it. Default 64mb.',
    ),
  wait: durationOrZero
    .prefault('5s')
    .describe('Longest wait for an identical request in flight. Default 5s; 0s: none.'),
})

/** Stores replies and serves them again, as RFC 9111 specifies for shared caches. */
export const cache = definePolicy({
  name: 'cache',
  summary: 'Stores replies of services and reuses them while they are fresh, or may be served stale (RFC 9111).',
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
        loss: 'Replies stored under other rules are not used.',
      },
    ]
  },
  create(settings, toolbox, route, _, source) {
    // Without a matching route there is nothing to store.
    if (route.id === '') return (next) => next
    const keys = compileKeys(route.id, rulesOf(settings, source()), settings.share, settings.query)
    const { clock, log, caches, holder } = toolbox
    const place = CachePlace.of(toolbox, settings.store ?? caches.preferred)
    const { store, flights } = place.partFor(holder, route.id, settings.memory, JSON.stringify(settings.query), keys)
    const { invalidator } = place
    const counts = new CacheCounts(toolbox.metrics, route.id)
    return (next) => {
      const routeCache = new RouteCache({
        settings,
        keys,
        clock,
        log,
        next,
        counts,
        store,
        flights,
        invalidator,
        sender,
      })
      return (exchange) => {
        const reply = routeCache.handle(exchange)
        const { record } = exchange
        return record === null ? reply : afterwards(reply, (settled) => noted(record, settled))
      }
    }
  },
})

/** The gateway's own Cache-Status is the last one: each cache on the way appends its own. */
function noted(record: ExchangeRecord, reply: Reply): Reply {
  const status = reply.headers.getAll('Cache-Status').at(-1)
  if (status !== undefined) record.event('sallyport.cache', { 'sallyport.cache.status': status })
  return reply
}
