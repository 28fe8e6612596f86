import { type KeyObject, sign } from 'node:crypto'
import { bitString, nothing, objectIdentifier, sequence } from './der.ts'

interface Algorithm {
  readonly identifier: Buffer
  /** Null if the key determines the digest. */
  readonly digest: string | null
}

const SHA256_RSA: Algorithm = {
  identifier: sequence(objectIdentifier('1.2.840.113549.1.1.11'), nothing()),
  digest: 'sha256',
}
const ED25519: Algorithm = { identifier: sequence(objectIdentifier('1.3.101.112')), digest: null }
/** By OpenSSL's name of the curve. */
const ECDSA: Readonly<Record<string, Algorithm>> = {
  prime256v1: { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.2')), digest: 'sha256' },
  secp384r1: { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.3')), digest: 'sha384' },
  secp521r1: { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.4')), digest: 'sha512' },
}

/** Signs with a key; the algorithm identifier is also part of the signed data (RFC 5280 section 4.1.1.2). */
export interface Signer {
  readonly identifier: Buffer
  /** The signed data, its algorithm and the signature, as DER. */
  sign(tbs: Uint8Array): Buffer
}

/**
 * Creates a signer for a private key: RSA with SHA-256 (RFC 4055), ECDSA on P-256, P-384 and P-521 (RFC 5758), Ed25519 (RFC 8410). Throws a
 * TypeError for other keys.
 */
export function signerOf(key: KeyObject): Signer {
  const { identifier, digest } = algorithmOf(key)
  return { identifier, sign: (tbs) => sequence(tbs, identifier, bitString(sign(digest, tbs, key))) }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm {
  if (asymmetricKeyType === 'rsa') return SHA256_RSA
  if (asymmetricKeyType === 'ed25519') return ED25519
  const curve = asymmetricKeyDetails?.namedCurve ?? ''
  const found = asymmetricKeyType === 'ec' ? ECDSA[curve] : undefined
  if (found !== undefined) return found
  throw new TypeError(
    `no certificate can be signed with this key: expected RSA, Ed25519, or EC on P-256, P-384 or P-521`,
  )
}
