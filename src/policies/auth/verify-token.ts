import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import type { Claims } from './claims.ts'
import { CredentialError, type CredentialReason } from './credential-error.ts'
import type { KeySource, VerificationKey } from './keys.ts'

/** What a token must be like beyond its signature. */
export interface TokenRules {
  readonly algorithms: readonly string[]
  readonly issuer: string | undefined
  /** One of these must be among the token's audiences; undefined: the token must have none (RFC 7519 section 4.1.3). */
  readonly audience: readonly string[] | undefined
  /** The header's typ (RFC 8725 section 3.11). */
  readonly type: string | undefined
  /** By how many milliseconds the clocks may differ. */
  readonly tolerance: number
}

/** Three parts of unpadded base64url; whether they are is looked at again, character by character. */
const COMPACT = /^[\w-]*\.[\w-]*\.[\w-]*$/

/** Whether the text has the form of a signed token (RFC 7515 section 3.1), true or false. */
export function isSigned(token: string): boolean {
  return COMPACT.test(token)
}

/**
 * The claims of a signed token, verified as RFC 8725 asks; `now` is wall-clock milliseconds. Throws CredentialError, and
 * what the source of the keys throws.
 *
 * 1. Each part is the one base64url text of its bytes: no second spelling of a token passes.
 * 2. The algorithm is among the configured ones, and nothing in the header must be understood that is not.
 * 3. A key of the source that has this algorithm and, if it has an id, that of the header, verifies the signature.
 *    Keys that the header itself brings or points to (jwk, jku, x5c, x5u) are never looked at.
 * 4. The claims hold now and here: exp must be there, nbf and iat may be, iss and aud as configured.
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

/** What jose leaves open. */
function checkRest({ exp, nbf, iat, aud }: JWTPayload, { audience, tolerance }: TokenRules, now: number): void {
  // 1e999 is a number in JSON and no time: a token that never ends (RFC 7519 section 2, NumericDate).
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
