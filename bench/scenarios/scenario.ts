import type { KeyType } from '../certificate.ts'
import type { Load, Request, Target } from '../loads/load.ts'

/**
 * What is to be reached: Sallyport's figure divided by nginx's in the same round is at most the ratio; or that of another peer, `of`, divided
 * by that of another one, `to`.
 */
export type Goal = { figure: 'cpu' | 'p99'; ratio: number; of?: string; to?: string }

/** One kind of load. A new one is a file like its neighbours and a line in index.ts. */
export type Scenario = {
  name: string
  title: string
  request: Request
  /** The size of a reply's body in bytes, checked once before the load. */
  replyBytes: number
  /** What CPU time is counted by, and how many of it one request is. */
  unit: { name: 'request' | 'MB'; perRequest: number }
  /** The command that runs for each measurement. */
  load: (target: Target) => Load | Promise<Load>
  /** The load to warm up with where the measured one is too slow for it. */
  warmUpLoad?: (target: Target) => Load | Promise<Load>
  /** Requests before the first round for a proxy whose code is compiled while it runs; others get a twentieth. */
  warmUp: number
  /** By the figure of the first one peers are compared. */
  goals: readonly [Goal, ...Goal[]]
  /** The peers that take part, by name; left out, all but those that take part only where they are named. */
  peers?: string[]
  /** The key of the certificate that proxies show, where clients speak TLS to them. */
  tls?: KeyType
  /** Clients speak HTTP/2, without TLS with prior knowledge. */
  http2?: true
  /** Proxies ask the service over HTTP/2, with prior knowledge. */
  http2Service?: true
  /** Files that proxies send themselves, below the path /files: their names and sizes in bytes. */
  files?: Record<string, number>
  /** Top-level keys of Sallyport's configuration for this scenario. */
  sallyport?: Record<string, unknown>
  /** Whether Sallyport logs each request, into a file. */
  accessLog?: boolean
  /** Whether Sallyport's configuration also names a Redis server, which then runs on the load's core. */
  needsRedis?: boolean
}

/** Client connections unless a scenario is about their number. */
export const defaultConnections = 64

/** What `/small` returns. */
export const smallBytes = 165

/** Client connections that carry large bodies. */
export const streams = 4

/** How many large bodies stand for a second of load; their number is fixed, since cut-off ones would not be counted. */
export const requestsPerSecond = 30
