import { z } from 'zod'
import { parseJson } from '../core/parse-json.ts'

const attemptsSchema = z.object({
  /** Number of orders since the last certificate. */
  count: z.int().min(0),
  /** No order before that time, in wall-clock milliseconds. */
  until: z.number(),
  /** CAs that demand a pause: URL of the directory -> until when. */
  limited: z.record(z.string(), z.number()).default({}),
})

/** The stored record of failed orders, so that a restart does not begin from scratch. */
export type Attempts = z.output<typeof attemptsSchema>

export const NO_ATTEMPTS: Attempts = { count: 0, until: 0, limited: {} }

/** Delays after consecutive failed orders, in milliseconds; the last one applies to all further ones. */
export type Delays = readonly number[]

const MINUTE = 60_000
/** Within the limits of public CAs: five failed orders per hour and name. */
export const usualDelays: Delays = [MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 180 * MINUTE, 360 * MINUTE]
/** Maximum random variation of a delay, as a fraction. */
const CHANCE = 0.2

/** Maximum pause for a CA, in milliseconds: a longer one was written by a machine with a wrong clock. */
const MAX_TIME = 14 * 24 * 60 * MINUTE

/**
 * Reads the stored record; an unreadable one counts as empty. `now` is wall-clock milliseconds. Entries written while the clock was wrong,
 * when CAs cannot be verified either, must not prevent orders once it is right.
 */
export function readAttempts(text: string | null, now: number): Attempts {
  const { count, until, limited } = attemptsSchema.safeParse(parseJson(text ?? '')).data ?? NO_ATTEMPTS
  const isLikely = (time: number): boolean => time - now <= MAX_TIME
  return {
    count,
    until: isLikely(until) ? until : 0,
    limited: Object.fromEntries(Object.entries(limited).filter(([, time]) => isLikely(time))),
  }
}

/**
 * The record stored while an order is in progress. If the process dies in the middle of it, another one may continue immediately, but not
 * indefinitely, in case the order itself is what kills the process.
 */
export function begun({ count, limited }: Attempts, now: number, delays: Delays): Attempts {
  return { count: count + 1, until: count === 0 ? 0 : now + delayAfter(count, delays), limited }
}

/** The record stored after a failed order. `limited` are the CAs that demand a pause; `resting` says until when all of them do. */
export function failed(
  { count }: Attempts,
  limited: Attempts['limited'],
  { now, delays, random, resting }: { now: number; delays: Delays; random: () => number; resting: number },
): Attempts {
  const until = now + delayAfter(count, delays) * (1 + CHANCE * (2 * random() - 1))
  return { count, until: Math.max(until, resting), limited }
}

function delayAfter(count: number, delays: Delays): number {
  return delays[Math.min(count, delays.length) - 1] ?? 0
}
