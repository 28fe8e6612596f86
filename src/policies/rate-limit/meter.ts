import type { StoreKind } from '../open-stores.ts'

/** How requests are counted; docs/rate-limits.md says what each of them guarantees. */
export const algorithms = ['fixed-window', 'sliding-window', 'token-bucket'] as const

/** How requests are counted. */
export type Algorithm = (typeof algorithms)[number]

/** So much within so long. */
export interface Quota {
  /** In units of cost; a request costs 1 unless its route says otherwise. */
  readonly limit: number
  /** Milliseconds, whole seconds. */
  readonly window: number
}

/** What one kind of clients is held to. */
export interface Limit {
  /** Sets it apart from other limits on the same client; letters, digits, ".", "_", "-" and "@". */
  readonly name: string
  readonly algorithm: Algorithm
  /** A request is admitted when all of them admit it, and uses up none of them when it is refused. */
  readonly quotas: readonly Quota[]
}

/** Where a client stands with one quota. */
export interface QuotaState {
  /** Units that are left. */
  readonly remaining: number
  /** Milliseconds until more of them are. */
  readonly reset: number
  /** Milliseconds until a request of that cost would be admitted: 0 where this one is. */
  readonly wait: number
}

/** What became of a request. */
export interface Decision {
  readonly admitted: boolean
  /** One for each quota of the limit, in its order. */
  readonly quotas: readonly QuotaState[]
}

/** Counts the requests of clients against one limit. */
export interface Meter {
  /**
   * Admits a request and counts it, or refuses it and counts nothing. Cost 0 only asks whether one of cost 1 would be
   * admitted. Null where nobody could tell: the request is admitted and not counted.
   * Throws, or rejects with, GatewayError 'limits-unavailable' where nobody could tell and it is to be refused.
   */
  decide(client: string, cost: number): Decision | null | Promise<Decision | null>
  /** Forgets what the client has used. False, or false after a while, where the store could not be told. */
  forget(client: string): boolean | Promise<boolean>
}

/** A meter that has its counts at hand. */
export interface SyncMeter extends Meter {
  decide(client: string, cost: number): Decision
  forget(client: string): boolean
}

/** What to do while Redis does not answer: count in memory, admit everything, or refuse everything. */
export const storeFailureModes = ['local', 'open', 'closed'] as const

/** What becomes of a request where the store does not answer. */
export type StoreFailureMode = (typeof storeFailureModes)[number]

/** Makes a meter of a store: those with the same name of the limit count together. */
export type MakeMeter = (limit: Limit, onStoreFailure: StoreFailureMode) => Meter

/** A place where counts can be kept, listed in `limit-stores.ts`. */
export type MeterStore = StoreKind<MakeMeter>
