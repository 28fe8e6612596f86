import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { isFields } from '../../core/value.ts'
import type { Claims } from './claims.ts'

/** Algorithms with a shared secret, and the minimum length of the secret in bytes (RFC 7518 section 3.2). */
export const secretAlgorithms = { HS256: 32, HS384: 48, HS512: 64 } as const

/** Algorithms with a public key. */
export const publicAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

/** Shortest RSA key in bits (RFC 7518 section 3.3). */
const MIN_RSA_BITS = 2048

const curves: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }

/** A key for verifying signatures. */
export interface VerificationKey {
  /** undefined if the key has no id: it is then tried for every token. */
  readonly id: string | undefined
  /** The only algorithms that the key is used with: determined by the key type, never by the token (RFC 8725 section 3.1). */
  readonly algorithms: readonly string[]
  readonly key: KeyObject
}

/** A source of keys. */
export interface KeySource {
  /** The keys that may have made the signature. Throws GatewayError 'service-unavailable' if they cannot be fetched. */
  find(algorithm: string, id: string | undefined): readonly VerificationKey[] | Promise<readonly VerificationKey[]>
}

/** PEM keys and secrets from the configuration; none of them has an id. */
export function configuredKeys(secrets: readonly string[], publicKeys: readonly string[]): KeySource {
  const keys = [
    ...secrets.map((secret) => createSecretKey(secret, 'utf8')),
    ...publicKeys.map((pem) => createPublicKey(pem)),
  ].map((key) => ({ id: undefined, algorithms: algorithmsOf(key), key }))
  return { find: (algorithm) => keys.filter((key) => key.algorithms.includes(algorithm)) }
}

/** The key of a JSON Web Key (RFC 7517), or null if it is not for verifying signatures or is invalid. */
export function keyOfJwk(jwk: unknown): VerificationKey | null {
  if (!isFields(jwk) || jwk['kty'] === 'oct') return null
  const { kid, alg, use = 'sig', key_ops: operations = ['verify'] } = jwk
  if (use !== 'sig' || !Array.isArray(operations) || !operations.includes('verify')) return null
  const key = readJwk(jwk)
  if (key === null) return null
  const algorithms = algorithmsOf(key).filter((algorithm) => alg === undefined || alg === algorithm)
  return { id: typeof kid === 'string' ? kid : undefined, algorithms, key }
}

/** The supported algorithms that a key can be used with. */
export function algorithmsOf(key: KeyObject): string[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (key.type === 'secret') {
    const size = key.symmetricKeySize ?? 0
    return Object.entries(secretAlgorithms).flatMap(([algorithm, bytes]) => (size >= bytes ? [algorithm] : []))
  }
  if (type === 'rsa') {
    const longEnough = (details?.modulusLength ?? 0) >= MIN_RSA_BITS
    return longEnough ? publicAlgorithms.filter((algorithm) => /^[RP]S/.test(algorithm)) : []
  }
  if (type === 'ed25519') return ['EdDSA', 'Ed25519']
  const curve = curves[details?.namedCurve ?? '']
  return type === 'ec' && curve !== undefined ? [curve] : []
}

/** Why no algorithm accepts a public key, and what is allowed; null if one does. */
export function weaknessOf(key: KeyObject): string | null {
  if (algorithmsOf(key).length > 0) return null
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  const what = details?.modulusLength === undefined ? details?.namedCurve : `${details.modulusLength} bits`
  return (
    `${type}${what === undefined ? '' : ` with ${what}`}; expected RSA with at least ${MIN_RSA_BITS} bits ` +
    `(RFC 7518 section 3.3), EC on P-256, P-384 or P-521, or Ed25519`
  )
}

function readJwk(jwk: Claims): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return null
  }
}
