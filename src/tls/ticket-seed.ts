import { hkdfSync, randomBytes } from 'node:crypto'
import { deriveKeys } from '../core/secrets.ts'
import { defineTopic } from '../core/threads.ts'

/** How long ticket keys are used to encrypt, in milliseconds; they decrypt for as long again. */
export const PERIOD = 3_600_000

/** The seed of the ticket keys, the same in all threads. */
export interface TicketSeed {
  /** For one period: the first one encrypts, all of them decrypt. */
  readonly roots: readonly Uint8Array[]
  /** The period that the roots are for; null if they are for all periods. */
  readonly period: number | null
}

/** Asked by a thread for the seed; the main thread answers. */
export const ticketSeedTopic = defineTopic<null, TicketSeed>('ticket-seed')

/** The period that contains a wall-clock time in milliseconds. */
export function periodOf(wall: number): number {
  return Math.floor(wall / PERIOD)
}

/**
 * A seed derived from the secrets, so that all gateways with the same secrets have it without communicating; without secrets, a random one.
 */
export function newSeed(secrets: readonly string[], period: number): TicketSeed {
  if (secrets.length > 0) return { roots: deriveKeys(secrets, 'tickets'), period: null }
  return { roots: [randomBytes(32)], period }
}

/**
 * The seed of a later period. A random seed is advanced by a one-way function, so that whoever obtains it cannot decrypt earlier tickets. A
 * seed derived from secrets is unchanged.
 */
export function laterSeed({ roots, period }: TicketSeed, later: number): TicketSeed {
  if (period === null || later <= period) return { roots, period }
  // Earlier tickets are no longer to be decrypted: few steps are as good as many, as long as all threads take the same number.
  const steps = Array.from({ length: Math.min(later - period, MAX_STEPS) })
  const moved = steps.reduce<readonly Uint8Array[]>((before) => before.map((root) => derive(root, 'next', 32)), roots)
  return { roots: moved, period: later }
}

/** Clocks may jump by years. */
const MAX_STEPS = 10_000

/** Derives key material of the given length for one use. */
export function derive(key: Uint8Array, use: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', `sallyport tickets ${use}`, length))
}
