import type { StoreKind } from '../open-stores.ts'

/** How requests are counted; docs/rate-limits.md describes the guarantees of each algorithm. */
export const algorithms = ['fixed-window', 'sliding-window', 'token-bucket'] as const

/** The name of an algorithm. */
export type Algorithm = (typeof algorithms)[number]

/** A maximum per window of time. */
export interface Quota {
  /** In units of cost; a request costs 1 unless its route says otherwise. */
  readonly limit: number
  /** Milliseconds, a multiple of a second. */
  readonly window: number
}

/** The limit for one kind of clients. */
export interface Limit {
  /** Distinguishes it from other limits on the same client; letters, digits, ".", "_", "-" and "@". */
  readonly name: string
  readonly algorithm: Algorithm
  /** A request is admitted if all of them admit it; a refused request uses up none of them. */
  readonly quotas: readonly Quota[]
}

/** The state of a client under one quota. */
export interface QuotaState {
  /** Remaining units. */
  readonly remaining: number
  /** Milliseconds until more units become available. */
  readonly reset: number
  /** Milliseconds until a request of that cost would be admitted: 0 if this one is. */
  readonly wait: number
}

/** The decision about a request. */
export interface Decision {
  readonly admitted: boolean
  /** One for each quota of the limit, in the same order. */
  readonly quotas: readonly QuotaState[]
}

/** Counts the requests of clients against one limit. */
export interface Meter {
  /**
   * Admits a request and counts it, or refuses it and counts nothing. Cost 0 only asks whether a request of cost 1 would be
   * admitted. Null if the store is unavailable and the request is to be admitted without being counted. Throws, or rejects with,
   * GatewayError 'limits-unavailable' if the store is unavailable and the request is to be refused.
   */
  decide(client: string, cost: number): Decision | null | Promise<Decision | null>
  /** Resets what the client has used. False, possibly after a delay, if the store is unavailable. */
  forget(client: string): boolean | Promise<boolean>
}

/** A meter whose counts are in memory. */
export interface SyncMeter extends Meter {
  decide(client: string, cost: number): Decision
  forget(client: string): boolean
}

/** What to do while Redis is unavailable: count in memory, admit everything, or refuse everything. */
export const storeFailureModes = ['local', 'open', 'closed'] as const

/** What happens to requests while the store is unavailable. */
export type StoreFailureMode = (typeof storeFailureModes)[number]

/** Creates a meter of a store: those with the same limit name share their counts. */
export type MakeMeter = (limit: Limit, onStoreFailure: StoreFailureMode) => Meter

/** A kind of store for counts, listed in `limit-stores.ts`. */
export type MeterStore = StoreKind<MakeMeter>
