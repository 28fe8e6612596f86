import { z } from 'zod'
import { keyExpiry } from './key-expiry.ts'

/** The tier of keys that do not name one. */
export const KEY_TIER = 'api_key'

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Longest time that an old key may stay valid after a rotation, in milliseconds. */
const MAX_OVERLAP = 365 * 86_400_000

/** The expected form of an expiry time, for error messages. */
export const expiryExpected = 'expected a time such as "90d" or "12h", or a date such as "2027-01-31", in the future'

const text = z
  .string()
  .regex(/^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u, 'expected visible characters')
  .max(128)

/** Id of a key that is made: a part of the path of a URL, which "." and ".." cannot be (RFC 3986 section 5.2.4). */
const keyId = z
  .string()
  .regex(/^(?!\.{1,2}$)[\x21-\x7e]{1,128}$/, 'expected 1 to 128 visible ASCII characters, and not "." or ".."')

/** The properties of a key to be created. */
export const keyRequest = z.strictObject({
  id: keyId.describe('Name of the key in limits, lists, log and metrics.'),
  owner: text.optional().describe('Consumer that the key stands for: X-User-ID. Default the ID.'),
  tier: text.default(KEY_TIER).describe(`Tier of the consumer. Default ${KEY_TIER}.`),
  roles: text.array().max(100).default([]).describe('Roles of the consumer. Default none.'),
  expires: z.string().optional().describe('When it expires: "90d", "12h", a date or a time. Default never.'),
})

/** How long the old key stays valid alongside the new one; milliseconds after parsing. */
const overlap = z
  .string()
  .transform((written, context) => {
    const length = lengthOf(written)
    if (length !== undefined && length <= MAX_OVERLAP) return length
    context.addIssue({ code: 'custom', message: 'expected a time from "0s" to "365d", such as "7d" or "12h"' })
    return z.NEVER
  })
  .describe('How long the old key keeps working: from "0s" to "365d".')

/** The options of a key rotation. */
export const rotation = z.strictObject({
  overlap: overlap.prefault('24h'),
  expires: z.string().optional().describe('When the new key expires. Default: like the old key.'),
})

/** When a key created at `now` expires, both in wall-clock milliseconds; null if the text is not a time in the future. */
export function readExpiry(written: string, now: number): number | null {
  const length = /^\d+[hd]$/.test(written) ? lengthOf(written) : undefined
  const expires = length === undefined ? (keyExpiry.safeParse(written).data ?? 0) : now + length
  return expires > now ? expires : null
}

/** The milliseconds that a text such as "30m" or "90d" stands for; undefined for any other text. */
function lengthOf(written: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,5})([smhd])$/.exec(written) ?? []
  const size = MILLISECONDS[unit]
  return number === undefined || size === undefined ? undefined : Number(number) * size
}
