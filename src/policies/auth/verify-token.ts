import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import type { Claims } from './claims.ts'
import { CredentialError, type CredentialReason } from './credential-error.ts'
import type { KeySource, VerificationKey } from './keys.ts'

/** What a token must fulfil in addition to its signature. */
export interface TokenRules {
  readonly algorithms: readonly string[]
  readonly issuer: string | undefined
  /** One of these must be among the token's audiences; undefined: the token must not have any (RFC 7519 section 4.1.3). */
  readonly audience: readonly string[] | undefined
  /** The header's typ (RFC 8725 section 3.11). */
  readonly type: string | undefined
  /** Allowed clock difference in milliseconds. */
  readonly tolerance: number
}

/** Three parts of unpadded base64url; the exact encoding is checked later, character by character. */
const COMPACT = /^[\w-]*\.[\w-]*\.[\w-]*$/

/** Whether the text has the form of a signed token (RFC 7515 section 3.1), valid or not. */
export function isSigned(token: string): boolean {
  return COMPACT.test(token)
}

/**
 * The claims of a signed token, verified as RFC 8725 requires; `now` is in wall-clock milliseconds. Throws CredentialError, and
 * whatever the key source throws.
 *
 * 1. Each part is the canonical base64url encoding of its bytes: no second spelling of a token is accepted.
 * 2. The algorithm is among the configured ones, and the header has no critical extension that is not understood.
 * 3. A key of the source with this algorithm and, if it has an id, the header's key id, verifies the signature. Keys that the
 *    header itself contains or points to (jwk, jku, x5c, x5u) are never used.
 * 4. The claims are valid now and here: exp is required, nbf and iat are optional, iss and aud must be as configured.
 */
export async function verifyToken(token: string, keys: KeySource, rules: TokenRules, now: number): Promise<Claims> {
  // 1.
  if (!token.split('.').every(isCanonical)) throw new CredentialError('malformed')
  // 2.
  const { alg, kid, crit, b64 } = headerOf(token)
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) throw new CredentialError('algorithm')
  // RFC 7797 section 7: a token's payload is always encoded.
  if (crit !== undefined || b64 !== undefined) throw new CredentialError('critical')
  if (kid !== undefined && typeof kid !== 'string') throw new CredentialError('malformed')
  // 3. and 4.
  return verifyWithAny(token, await keys.find(alg, kid), alg, rules, now)
}

async function verifyWithAny(
  token: string,
  keys: readonly VerificationKey[],
  alg: string,
  rules: TokenRules,
  now: number,
): Promise<Claims> {
  let reason: CredentialReason = 'unknown-key'
  for (const { key } of keys) {
    try {
      const { payload } = await jwtVerify(token, key, joseOptions(alg, rules, now))
      checkRest(payload, rules, now)
      return payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      reason = reasonOf(error)
      if (reason !== 'signature') throw new CredentialError(reason, error)
    }
  }
  throw new CredentialError(reason)
}

function joseOptions(alg: string, { issuer, audience, type, tolerance }: TokenRules, now: number) {
  return {
    algorithms: [alg],
    requiredClaims: ['exp'],
    currentDate: new Date(now),
    clockTolerance: tolerance / 1000,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience: [...audience] }),
    ...(type !== undefined && { typ: type }),
  }
}

/** The checks that jose does not make. */
function checkRest({ exp, nbf, iat, aud }: JWTPayload, { audience, tolerance }: TokenRules, now: number): void {
  // 1e999 is a valid JSON number but not a time: the token would never expire (RFC 7519 section 2, NumericDate).
  for (const time of [exp, nbf, iat])
    if (time !== undefined && !Number.isFinite(time)) throw new CredentialError('claims')
  if (iat !== undefined && iat * 1000 > now + tolerance) throw new CredentialError('early')
  if (aud !== undefined && audience === undefined) throw new CredentialError('audience')
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

function headerOf(token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token)
  } catch (error) {
    throw new CredentialError('malformed', error)
  }
}

const claimReasons: Readonly<Record<string, CredentialReason>> = {
  iss: 'issuer',
  aud: 'audience',
  typ: 'type',
  nbf: 'early',
}

function reasonOf(error: errors.JOSEError): CredentialReason {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTInvalid) return 'claims'
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'malformed'
  return error.reason === 'invalid' ? 'claims' : (claimReasons[error.claim] ?? 'claims')
}
