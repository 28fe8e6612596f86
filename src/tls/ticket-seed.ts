import { hkdfSync, randomBytes } from 'node:crypto'
import { deriveKeys } from '../core/secrets.ts'
import { defineTopic } from '../core/threads.ts'

/** How long keys of tickets are used to seal, in milliseconds: for as long again they still open. */
export const PERIOD = 3_600_000

/** What the keys of tickets are made of, the same in all threads. */
export interface TicketSeed {
  /** For one period each: the first one seals, all of them open. */
  readonly roots: readonly Uint8Array[]
  /** The period that the roots are for; null where they are for all. */
  readonly period: number | null
}

/** A thread asks what its keys are to be made of; the main thread answers. */
export const ticketSeedTopic = defineTopic<null, TicketSeed>('ticket-seed')

/** The period of a time in wall-clock milliseconds. */
export function periodOf(wall: number): number {
  return Math.floor(wall / PERIOD)
}

/**
 * A seed of the secrets, which all gateways with the same secrets have without a word between them; without any, one at
 * random.
 */
export function newSeed(secrets: readonly string[], period: number): TicketSeed {
  if (secrets.length > 0) return { roots: deriveKeys(secrets, 'tickets'), period: null }
  return { roots: [randomBytes(32)], period }
}

/**
 * The seed of a later period. What is at random goes on in one direction only: who gets hold of it, opens nothing that was sealed
 * before. What is made of secrets stays.
 */
export function laterSeed({ roots, period }: TicketSeed, later: number): TicketSeed {
  if (period === null || later <= period) return { roots, period }
  // Nothing of before is to be opened any more: one step is as good as many, as long as all threads take the same ones.
  const steps = Array.from({ length: Math.min(later - period, MOST_STEPS) })
  const moved = steps.reduce<readonly Uint8Array[]>((before) => before.map((root) => derive(root, 'next', 32)), roots)
  return { roots: moved, period: later }
}

/** Clocks may leap by years. */
const MOST_STEPS = 10_000

/** Octets made of a key for one use of it. */
export function derive(key: Uint8Array, use: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', `sallyport tickets ${use}`, length))
}
