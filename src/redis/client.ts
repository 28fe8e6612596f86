import { isIP } from 'node:net'
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from 'node:tls'
import type { Cluster, Redis } from 'ioredis'
import type { Address } from '../core/address.ts'
import { outgoingContext, type OutgoingTlsOptions } from '../tls/outgoing.ts'
import { failureOf } from './failure.ts'
import { ioredis } from './library.ts'
import { authenticateQuietly } from './quiet.ts'

/** Where Redis is: one server, the master that Sentinels name, or a Cluster. */
export type RedisPlace =
  | { readonly url: string }
  | { readonly sentinels: { readonly master: string; readonly nodes: readonly Address[] } }
  | { readonly cluster: readonly Address[] }

/** How connections to Redis are encrypted. */
export type RedisTls = Omit<OutgoingTlsOptions, 'pin'>

/** How Redis is reached. */
export interface RedisConfig {
  readonly place: RedisPlace
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Whether connections are encrypted, which a rediss:// URL says too, or how. */
  readonly tls: boolean | RedisTls
  /** How long a decision may take, in milliseconds. */
  readonly timeout: number
}

/** A connection to Redis, or to the nodes of a Cluster. */
export type RedisClient = Redis | Cluster

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
  connectionName: 'sallyport',
  // RESP2, which every version speaks.
  protocol: 2,
  // A master that became a replica is left for the new one.
  reconnectOnError: (error: Error) => failureOf(error).cause === 'READONLY',
} as const

interface Identity {
  readonly socketTimeout?: number
  readonly username?: string
  readonly password?: string
  readonly tls?: ConnectionOptions
}

/**
 * Connects in the background, and again whenever the connection is lost. Never throws, and logs nothing itself. `silence`
 * is how long nothing may be heard on a connection, in milliseconds, where nobody else looks after that.
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
  // What a lost connection means shows in the decisions that fail.
  client.on('error', () => {})
  return client
}

function isEncrypted(place: RedisPlace, tls: boolean | RedisTls): boolean {
  return tls !== false || ('url' in place && place.url.startsWith('rediss:'))
}

/** What each connection is told of TLS. Of nodes that Redis names itself, the certificate has to have the addresses. */
function connectionOptions(place: RedisPlace, tls: boolean | RedisTls): ConnectionOptions {
  const options = typeof tls === 'boolean' ? {} : tls
  const { serverName } = options
  const asked = serverName ?? ('url' in place ? hostOf(place.url) : '')
  return {
    secureContext: outgoingContext(options),
    rejectUnauthorized: options.insecure !== true,
    // RFC 6066 section 3: a name, never an address.
    ...(isIP(asked) === 0 && asked !== '' && { servername: asked }),
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
  // Whether the server is a master is looked up for Sentinels alone. All else that the check finds out, a question does too,
  // without a warning of the client's own where the user may not ask for INFO.
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
      // Else the client would speak to the master without TLS, whatever it is told.
      ...(identity.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: identity.tls }),
    })
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
