import { z } from 'zod'
import { parseJson } from '../core/parse-json.ts'
import { type Challenge, challengeTypes } from './challenge.ts'

const stored = z.object({
  type: z.enum(challengeTypes),
  domain: z.string().max(253),
  token: z.string().regex(/^[\w-]{1,256}$/),
  keyAuthorization: z.string().max(2048),
}) satisfies z.ZodType<Challenge>

/** Serializes a challenge for a store. */
export function writeChallenge({ type, domain, token, keyAuthorization }: Challenge): string {
  return JSON.stringify({ type, domain, token, keyAuthorization })
}

/** Parses a stored challenge; null for any other text. */
export function readChallenge(text: string): Challenge | null {
  return stored.safeParse(parseJson(text)).data ?? null
}
