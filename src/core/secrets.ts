import { hkdfSync } from 'node:crypto'

/** Purpose of derived keys; keys of one purpose reveal nothing about those of another. */
export type SecretPurpose = 'tickets' | 'acme' | 'sticky' | 'oidc'

/** Minimum length of a secret, in bytes: the length of the keys derived from it. */
export const SECRET_LENGTH = 32

/**
 * Derives one key of 32 bytes per secret for a purpose, by HKDF with SHA-256 (RFC 5869). The first key is the current one, used to encrypt;
 * the following ones belong to previous secrets and still decrypt what they encrypted.
 */
export function deriveKeys(secrets: readonly string[], purpose: SecretPurpose): Buffer[] {
  return secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', `sallyport ${purpose}`, SECRET_LENGTH)))
}
