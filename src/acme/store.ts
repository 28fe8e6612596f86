import type { Challenge } from './challenge.ts'

/** The kinds of records stored under a name, in addition to its lock. */
export const recordKinds = ['account', 'certificate', 'attempts'] as const

export type RecordKind = (typeof recordKinds)[number]

/** The right to write the records of a name, until another holder acquires the lock. */
export interface Lock {
  readonly name: string
  /** Unique identifier of the holder. */
  readonly owner: string
  /** Increases with each holder: a holder whose token is not the latest is stale. */
  readonly token: number
}

/**
 * Storage of accounts, certificates and challenges, for all processes and machines that share them. Names are DNS names, or other texts of
 * the same characters. If the store is unusable, every method rejects with an Error that says what to do.
 */
export interface AcmeStore {
  /** Changes whenever anyone modifies the store. */
  revision(): Promise<string>
  /** The text of a record; null if there is no complete one. */
  read(name: string, kind: RecordKind): Promise<string | null>
  /** Stores a record under the lock's name; returns false, and stores nothing, if the lock has expired or has another holder. */
  write(lock: Lock, kind: RecordKind, text: string): Promise<boolean>
  /** Acquires the lock of a name for `ttl` milliseconds; null if it is held. */
  acquire(name: string, ttl: number): Promise<Lock | null>
  /** Extends the lock by `ttl` milliseconds; false if it is lost. */
  renew(lock: Lock, ttl: number): Promise<boolean>
  /** Releases the lock, if it is still held. */
  release(lock: Lock): Promise<void>
  /** Publishes a challenge to all gateways for `ttl` milliseconds. */
  present(challenge: Challenge, ttl: number): Promise<void>
  /** Withdraws a challenge. */
  withdraw(challenge: Challenge): Promise<void>
  /** The published challenges. */
  challenges(): Promise<Challenge[]>
  close(): void
}

/** Maximum number of published challenges; a certificate needs one per name. */
export const MAX_CHALLENGES = 500
