import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { identifier, text, whole } from './fields.ts'

/** Who issues the tokens. */
export const issuer = 'user-service'

const time = whole(0, Number.MAX_SAFE_INTEGER)

/** What an access token says (RFC 7519 section 4); times are seconds since 1970. */
export const claimsSchema = z.object({
  iss: text(),
  sub: identifier,
  roles: z.string().array(),
  tier: z.string().optional(),
  jti: text(),
  iat: time,
  exp: time,
})

/** What an access token says. */
export type Claims = z.infer<typeof claimsSchema>

/** A JWT signed with HMAC SHA-256. */
export function signToken(claims: Claims, secret: string): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(keyOf(secret))
}

/** The claims of a token that the user service signed and that has not expired at `currentDate`; undefined otherwise. */
export async function verifyToken(
  token: string,
  secret: string,
  currentDate = new Date(),
): Promise<Claims | undefined> {
  try {
    const { payload } = await jwtVerify(token, keyOf(secret), { algorithms: ['HS256'], issuer, currentDate })
    return claimsSchema.safeParse(payload).data
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret)
}
