import { hkdfSync } from 'node:crypto'

/** What the keys of one purpose are for; those of another purpose tell nothing about them. */
export type SecretPurpose = 'tickets' | 'acme' | 'sticky' | 'oidc'

/** Octets that a secret must have: as many as the keys that are made of it. */
export const SECRET_LENGTH = 32

/**
 * Keys of 32 octets for one purpose, one of each secret, by HKDF with SHA-256 (RFC 5869): the current one, to seal with, first,
 * and after it the previous ones, which still open what they have sealed.
 */
export function deriveKeys(secrets: readonly string[], purpose: SecretPurpose): Buffer[] {
  return secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', `sallyport ${purpose}`, SECRET_LENGTH)))
}
