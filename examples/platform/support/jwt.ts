import { createHmac, timingSafeEqual } from 'node:crypto'
import { integer, isValid, list, object, text } from './schema.ts'
import type { Value } from './schema.ts'

/** Who issues the tokens. */
export const issuer = 'user-service'

const claimsSchema = object(
  'Claims',
  {
    iss: text(issuer),
    sub: text('user-alice'),
    roles: list(text('user')),
    jti: text('5f0c1f8e-9f0b-4a5e-8a59-0c4b1c1f3a77'),
    iat: integer(1_768_471_800, { maximum: Number.MAX_SAFE_INTEGER }),
    exp: integer(1_768_475_400, { maximum: Number.MAX_SAFE_INTEGER }),
  },
  { tier: text('gold') },
)

/** What an access token says (RFC 7519 section 4); times are seconds since 1970. */
export type Claims = Value<typeof claimsSchema>

const header = encode({ alg: 'HS256', typ: 'JWT' })

/** A JWT signed with HMAC SHA-256 (RFC 7515 section 3.1, RFC 7518 section 3.2). */
export function signToken(claims: Claims, secret: string): string {
  const input = `${header}.${encode(claims)}`
  return `${input}.${sign(input, secret).toString('base64url')}`
}

/** The claims of a token that this issuer signed and that has not expired at `now` (seconds since 1970). */
export function verifyToken(token: string, secret: string, now: number): Claims | undefined {
  const [head, payload = '', signature = '', ...rest] = token.split('.')
  if (head !== header || rest.length > 0) return undefined
  const expected = sign(`${head}.${payload}`, secret)
  const actual = Buffer.from(signature, 'base64url')
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  if (!isValid(claimsSchema, claims)) return undefined
  return claims.iss === issuer && claims.exp > now ? claims : undefined
}

function sign(input: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(input).digest()
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
