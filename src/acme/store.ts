import type { Challenge } from './challenge.ts'

/** What is kept under a name, beside its lock. */
export const recordKinds = ['account', 'certificate', 'attempts'] as const

export type RecordKind = (typeof recordKinds)[number]

/** The right to write the records of a name, for as long as nobody else has taken it. */
export interface Lock {
  readonly name: string
  /** Who has it: nobody else has the same. */
  readonly owner: string
  /** Rises with each holder: who has a lower one than the last is stale. */
  readonly token: number
}

/**
 * Where accounts, certificates and challenges lie, for all processes and machines that share them. Names are DNS names, or other
 * texts of their characters. Every method rejects with an Error that says what to do where the store cannot be used.
 */
export interface AcmeStore {
  /** Another one after each change that somebody made. */
  revision(): Promise<string>
  /** The text of a record; null for none that is whole. */
  read(name: string, kind: RecordKind): Promise<string | null>
  /** Keeps a record under the lock's name; false, and nothing is kept, where the lock is another one's by now, or nobody's. */
  write(lock: Lock, kind: RecordKind, text: string): Promise<boolean>
  /** Takes the lock of a name for so many milliseconds; null where somebody has it. */
  acquire(name: string, ttl: number): Promise<Lock | null>
  /** Keeps the lock for so many milliseconds more; false where it is lost. */
  renew(lock: Lock, ttl: number): Promise<boolean>
  /** Gives the lock back, if it is still held. */
  release(lock: Lock): Promise<void>
  /** Shows a challenge to everyone for so many milliseconds. */
  present(challenge: Challenge, ttl: number): Promise<void>
  /** Takes a challenge away again. */
  withdraw(challenge: Challenge): Promise<void>
  /** Challenges that are shown. */
  challenges(): Promise<Challenge[]>
  close(): void
}

/** The most challenges that are shown at a time: what a name of a certificate needs is one. */
export const MOST_CHALLENGES = 500
