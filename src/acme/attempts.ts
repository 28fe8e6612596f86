import { z } from 'zod'
import { parseJson } from '../core/parse-json.ts'

const attemptsSchema = z.object({
  /** Orders since the last certificate. */
  count: z.int().min(0),
  /** None before, in wall-clock milliseconds. */
  until: z.number(),
  /** CAs that want to be left alone: URL of the directory -> until when. */
  limited: z.record(z.string(), z.number()).default({}),
})

/** What is remembered of orders that came to nothing, so that no restart begins anew with them. */
export type Attempts = z.output<typeof attemptsSchema>

export const NO_ATTEMPTS: Attempts = { count: 0, until: 0, limited: {} }

/** After so many orders in a row, how long until the next one, in milliseconds: the last one for all further ones. */
export type Delays = readonly number[]

const MINUTE = 60_000
/** Within the limits of public CAs: five failed ones an hour for a name. */
export const usualDelays: Delays = [MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 180 * MINUTE, 360 * MINUTE]
/** How much longer or shorter, by chance. */
const CHANCE = 0.2

/** No CA is left alone for longer, in milliseconds: who wrote that had another time. */
const LONGEST = 14 * 24 * 60 * MINUTE

/**
 * Reads what is kept; what cannot be read is nothing. `now` is wall-clock milliseconds: what was kept while the clock was wrong, as CAs
 * are not believed then, keeps nobody from ordering once it is right.
 */
export function readAttempts(text: string | null, now: number): Attempts {
  const { count, until, limited } = attemptsSchema.safeParse(parseJson(text ?? '')).data ?? NO_ATTEMPTS
  const isLikely = (time: number): boolean => time - now <= LONGEST
  return {
    count,
    until: isLikely(until) ? until : 0,
    limited: Object.fromEntries(Object.entries(limited).filter(([, time]) => isLikely(time))),
  }
}

/**
 * What is kept while an order is under way: where its process ends in the middle of it, another one may go on at once, but not
 * for ever, should it be the order that ends them.
 */
export function begun({ count, limited }: Attempts, now: number, delays: Delays): Attempts {
  return { count: count + 1, until: count === 0 ? 0 : now + delayAfter(count, delays), limited }
}

/**
 * What is kept after an order that came to nothing; `limited` are the CAs that want to be left alone, and
 * `resting` says until when all of them do.
 */
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
