import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const small = { method: 'GET', path: '/cached/small' } as const
const large = { method: 'GET', path: '/cached/64k' } as const

/** Common to all: the peers that have a cache, their lower bound, and one reply that they have stored. */
const common = {
  unit: { name: 'request', perRequest: 1 },
  peers: ['nginx', 'Sallyport', 'replier'],
  sallyport: { policies: { cache: {} } },
} satisfies Partial<Scenario>

/** A small stored reply, against nginx proxy_cache. */
export const cacheHit: Scenario = {
  ...common,
  name: 'cache-hit',
  title: `GET from the cache, small body, ${defaultConnections} connections`,
  request: small,
  replyBytes: smallBytes,
  goals: [
    { figure: 'cpu', ratio: 0.6 },
    { figure: 'cpu', ratio: 1.1, to: 'replier' },
  ],
  load: (target) => wrk(target, small, defaultConnections),
  warmUp: 50_000,
}

/** A stored reply of 64 kB. */
export const cacheHit64k: Scenario = {
  ...common,
  name: 'cache-hit-64k',
  title: `GET from the cache, 64 kB, ${defaultConnections} connections`,
  request: large,
  replyBytes: 65_536,
  goals: [{ figure: 'cpu', ratio: 1.2 }],
  load: (target) => wrk(target, large, defaultConnections),
  warmUp: 20_000,
}

/** The stored reply is in Redis: each request checks whether it is still there. */
const inRedis = {
  peers: ['nginx', 'Sallyport'],
  goals: [{ figure: 'cpu', ratio: 2 }],
  sallyport: { policies: { cache: { store: 'redis' } } },
  needsRedis: true,
} satisfies Partial<Scenario>

/** With the small reply. */
export const cacheHitRedis: Scenario = {
  ...cacheHit,
  ...inRedis,
  name: 'cache-hit-redis',
  title: `GET from the cache in Redis, small body, ${defaultConnections} connections`,
}

/** With the 64 kB reply. */
export const cacheHitRedis64k: Scenario = {
  ...cacheHit64k,
  ...inRedis,
  name: 'cache-hit-redis-64k',
  title: `GET from the cache in Redis, 64 kB, ${defaultConnections} connections`,
}
