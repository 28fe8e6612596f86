import { Cluster, Redis } from 'ioredis'
import type { Address } from '../../core/address.ts'

/** Where Redis is: one server, the master that Sentinels name, or a Cluster. */
export type RedisPlace =
  | { readonly url: string }
  | { readonly sentinels: { readonly master: string; readonly nodes: readonly Address[] } }
  | { readonly cluster: readonly Address[] }

/** How Redis is reached. */
export interface RedisConfig {
  readonly place: RedisPlace
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly tls: boolean
  /** How long a decision may take, in milliseconds. */
  readonly timeout: number
}

/** A connection to Redis, or to the nodes of a Cluster. */
export type RedisClient = Redis | Cluster

/** A connection on which nothing is heard for so long, in milliseconds, although something was asked, is dead. */
const SILENCE = 2000
const CONNECT_TIMEOUT = 1000
/** Between two attempts to connect, in milliseconds. */
const RETRY_FIRST = 50
const RETRY_LAST = 500

const retry = (attempt: number): number => Math.min(attempt * RETRY_FIRST, RETRY_LAST)

/** Everything fails at once rather than waits: what a command would have decided is decided without it by then. */
const failFast = {
  enableAutoPipelining: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT,
  socketTimeout: SILENCE,
  connectionName: 'sallyport',
  // RESP2, which every version speaks.
  protocol: 2,
  // A master that became a replica is left for the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const

interface Identity {
  readonly username?: string
  readonly password?: string
  readonly tls?: object
}

/** Connects in the background, and again whenever the connection is lost. Never throws, and logs nothing itself. */
export function connectRedis({ place, username, password, tls }: RedisConfig): RedisClient {
  const identity = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  }
  const client = open(place, identity)
  // What a lost connection means shows in the decisions that fail.
  client.on('error', () => {})
  return client
}

function open(place: RedisPlace, identity: Identity): RedisClient {
  const options = { ...failFast, ...identity }
  if ('url' in place) return new Redis(place.url, { ...options, retryStrategy: retry })
  if ('sentinels' in place) {
    const { master, nodes } = place.sentinels
    const sentinels = nodes.map(({ host, port }) => ({ host, port }))
    return new Redis({ ...options, retryStrategy: retry, sentinels, name: master, sentinelRetryStrategy: retry })
  }
  const { enableOfflineQueue: _, ...redisOptions } = options
  return new Cluster([...place.cluster], {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRedirections: 3,
    clusterRetryStrategy: retry,
    clusterNodeRetryStrategy: retry,
    slotsRefreshTimeout: CONNECT_TIMEOUT,
    redisOptions,
  })
}
