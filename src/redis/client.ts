import { isIP } from 'node:net'
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from 'node:tls'
import type { Cluster, Redis } from 'ioredis'
import type { Address } from '../core/address.ts'
import { systemClock } from '../core/clock.ts'
import { outgoingContext, type OutgoingTlsOptions } from '../tls/outgoing.ts'
import { failureOf } from './failure.ts'
import { ioredis } from './library.ts'
import { authenticateQuietly } from './quiet.ts'

/** Where Redis runs: a single server, a master found through Sentinels, or a Cluster. */
export type RedisPlace =
  | { readonly url: string }
  | { readonly sentinels: { readonly master: string; readonly nodes: readonly Address[] } }
  | { readonly cluster: readonly Address[] }

/** TLS options for connections to Redis. */
export type RedisTls = Omit<OutgoingTlsOptions, 'pin'>

/** How to connect to Redis. */
export interface RedisConfig {
  readonly place: RedisPlace
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Whether connections use TLS (also enabled by a rediss:// URL), or the TLS options. */
  readonly tls: boolean | RedisTls
  /** Time limit for a decision, in milliseconds. */
  readonly timeout: number
}

/** A connection to Redis, or to the nodes of a Cluster. */
export type RedisClient = Redis | Cluster

const CONNECT_TIMEOUT = 1000
/** How often a Cluster is asked which node has which slot, in milliseconds: nothing is sent for a slot that had none. */
const SLOTS_REFRESH = 5000
/** How long a server may take to confirm that a connection ends, in milliseconds; then it is cut off. A dead one never does. */
const DISCONNECT_TIMEOUT = 200
/** Delay between connection attempts, in milliseconds. */
const MIN_RETRY_DELAY = 50
const MAX_RETRY_DELAY = 500

const retry = (attempt: number): number => Math.min(attempt * MIN_RETRY_DELAY, MAX_RETRY_DELAY)

/** Commands fail immediately instead of waiting for a connection: by the time it is back, the decision has been made without Redis. */
const failFast = {
  enableAutoPipelining: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT,
  disconnectTimeout: DISCONNECT_TIMEOUT,
  connectionName: 'sallyport',
  // RESP2, which every version of Redis supports.
  protocol: 2,
  // A master that was demoted to a replica is left so that the new one is found.
  reconnectOnError: (error: Error) => failureOf(error).cause === 'READONLY',
} as const

interface Identity {
  readonly socketTimeout?: number
  readonly username?: string
  readonly password?: string
  readonly tls?: ConnectionOptions
}

/**
 * Connects in the background and reconnects whenever the connection is lost. Never throws and does not log. `silence` is the time in
 * milliseconds after which a silent connection is considered dead, for callers that do not monitor it otherwise.
 */
export function connectRedis({ place, username, password, tls }: RedisConfig, silence?: number): RedisClient {
  authenticateQuietly()
  const identity = {
    ...(silence !== undefined && { socketTimeout: silence }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isEncrypted(place, tls) && { tls: connectionOptions(place, tls) }),
  }
  const client = open(place, identity)
  // The effects of a lost connection show up as failed decisions.
  client.on('error', () => {})
  return client
}

function isEncrypted(place: RedisPlace, tls: boolean | RedisTls): boolean {
  return tls !== false || ('url' in place && place.url.startsWith('rediss:'))
}

/** Connection options including TLS. Nodes that Redis announces itself need certificates that contain their addresses. */
function connectionOptions(place: RedisPlace, tls: boolean | RedisTls): ConnectionOptions {
  const options = typeof tls === 'boolean' ? {} : tls
  const { serverName } = options
  const host = serverName ?? ('url' in place ? hostOf(place.url) : '')
  return {
    secureContext: outgoingContext(options),
    rejectUnauthorized: options.insecure !== true,
    // RFC 6066 section 3: SNI is a name, never an address.
    ...(isIP(host) === 0 && host !== '' && { servername: host }),
    ...(serverName !== undefined && {
      checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(serverName, certificate),
    }),
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? ''
}

function open(place: RedisPlace, identity: Identity): RedisClient {
  const { Cluster, Redis } = ioredis()
  // The ready check, which detects whether the server is a master, is only needed with Sentinels. Anything else it would find shows up in
  // normal commands, without the client library's warning when the user lacks permission for INFO.
  const options = { ...failFast, ...identity, enableReadyCheck: 'sentinels' in place }
  if ('url' in place) return new Redis(place.url, { ...options, retryStrategy: retry })
  if ('sentinels' in place) {
    const { master, nodes } = place.sentinels
    const sentinels = nodes.map(({ host, port }) => ({ host, port }))
    return new Redis({
      ...options,
      retryStrategy: retry,
      sentinels,
      name: master,
      sentinelRetryStrategy: retry,
      // Otherwise ioredis would connect to the master without TLS, whatever its other options say.
      ...(identity.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: identity.tls }),
    })
  }
  const { enableOfflineQueue: _, ...redisOptions } = options
  const cluster = new Cluster([...place.cluster], {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRedirections: 3,
    clusterRetryStrategy: retry,
    clusterNodeRetryStrategy: retry,
    slotsRefreshTimeout: CONNECT_TIMEOUT,
    redisOptions,
  })
  refreshSlots(cluster)
  return cluster
}

/** Until it is disconnected. The library's own option for this goes on for ever if the connection is closed during a refresh. */
function refreshSlots(cluster: Cluster): void {
  const stop = systemClock.every(SLOTS_REFRESH, () => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache()
  })
  const disconnect = cluster.disconnect.bind(cluster)
  cluster.disconnect = (reconnect = false) => {
    if (!reconnect) stop()
    disconnect(reconnect)
  }
}
