import type { KeyType } from '../certificate.ts'
import type { Load, Request, Target } from '../loads/load.ts'

/**
 * A goal: Sallyport's figure divided by nginx's in the same round is at most the ratio; `of` and `to` select other peers for numerator and
 * denominator.
 */
export type Goal = { figure: 'cpu' | 'p99'; ratio: number; of?: string; to?: string }

/** One kind of load. To add one, add a file like the others and a line in index.ts. */
export type Scenario = {
  name: string
  title: string
  request: Request
  /** The size of a reply's body in bytes, checked once before the load. */
  replyBytes: number
  /** The unit for CPU time, and how many units one request counts as. */
  unit: { name: 'request' | 'MB'; perRequest: number }
  /** The command that runs for each measurement. */
  load: (target: Target) => Load | Promise<Load>
  /** The load for warming up, if the measured one is too slow for that. */
  warmUpLoad?: (target: Target) => Load | Promise<Load>
  /** Requests before the first round for a proxy with a JIT; others get a twentieth. */
  warmUp: number
  /** Peers are compared by the figure of the first goal. */
  goals: readonly [Goal, ...Goal[]]
  /** The names of the peers that take part; by default all except those that must be named. */
  peers?: string[]
  /** The key type of the certificate that proxies present, if clients use TLS. */
  tls?: KeyType
  /** Clients use HTTP/2, with prior knowledge if there is no TLS. */
  http2?: true
  /** Proxies call the service over HTTP/2, with prior knowledge. */
  http2Service?: true
  /** Files that proxies serve themselves, below the path /files: names and sizes in bytes. */
  files?: Record<string, number>
  /** Top-level keys of Sallyport's configuration for this scenario. */
  sallyport?: Record<string, unknown>
  /** Whether Sallyport logs each request to a file. */
  accessLog?: boolean
  /** Whether Sallyport's configuration also names a Redis server, which then runs on the load's core. */
  needsRedis?: boolean
}

/** The number of client connections, unless a scenario is about that number. */
export const defaultConnections = 64

/** The size of the `/small` reply in bytes. */
export const smallBytes = 165

/** The number of client connections that carry large bodies. */
export const streams = 4

/** The number of large bodies per second of load; the total is fixed, because truncated ones would not be counted. */
export const requestsPerSecond = 30
