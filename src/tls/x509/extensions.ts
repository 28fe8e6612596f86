import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { boolean, implicit, integer, namedBits, objectIdentifier, octetString, sequence } from './der.ts'
import { generalNames } from './names.ts'

/** An extension of a certificate or of a request (RFC 5280 section 4.2). */
export interface Extension {
  /** Its object identifier, with dots. */
  readonly id: string
  /** Whether who does not know it has to refuse the certificate. */
  readonly critical: boolean
  /** DER. */
  readonly value: Uint8Array
}

/** What a certificate is for in TLS. */
export type Purpose = 'server' | 'client'

/** Their object identifiers (RFC 5280 section 4.2.1.12). */
export const PURPOSES: Readonly<Record<Purpose, string>> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }
/** Bits of keyUsage (RFC 5280 section 4.2.1.3). */
const DIGITAL_SIGNATURE = 0
const KEY_ENCIPHERMENT = 2
const KEY_CERT_SIGN = 5
const CRL_SIGN = 6

/** Extensions as they stand in a certificate or a request. */
export function extensionList(extensions: readonly Extension[]): Buffer {
  const written = extensions.map(({ id, critical, value }) =>
    // DER leaves out what is the default: false.
    sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value)),
  )
  return sequence(...written)
}

/** subjectAltName. `critical` where the subject is empty (RFC 5280 section 4.2.1.6). */
export function subjectAltName(names: readonly string[], critical = false): Extension {
  return { id: '2.5.29.17', critical, value: generalNames(names) }
}

/** What a certificate may sign: nothing, or other certificates. */
export function basicConstraints(ca: boolean): Extension {
  return { id: '2.5.29.19', critical: true, value: ca ? sequence(boolean(true)) : sequence() }
}

/** What the key is used for: an RSA key also takes part in the key exchange of TLS 1.2. */
export function keyUsage(ca: boolean, key: KeyObject): Extension {
  const leaf = key.asymmetricKeyType === 'rsa' ? [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT] : [DIGITAL_SIGNATURE]
  return { id: '2.5.29.15', critical: true, value: namedBits(...(ca ? [KEY_CERT_SIGN, CRL_SIGN] : leaf)) }
}

/** What the certificate is for. */
export function extendedKeyUsage(purposes: readonly Purpose[]): Extension {
  const value = sequence(...purposes.map((purpose) => objectIdentifier(PURPOSES[purpose])))
  return { id: '2.5.29.37', critical: false, value }
}

/** Which key the certificate is of. */
export function subjectKeyIdentifier(key: KeyObject): Extension {
  return { id: '2.5.29.14', critical: false, value: octetString(keyIdentifier(key)) }
}

/** Which key has signed. */
export function authorityKeyIdentifier(key: KeyObject): Extension {
  return { id: '2.5.29.35', critical: false, value: sequence(implicit(0, keyIdentifier(key))) }
}

/** Number of a revocation list (RFC 5280 section 5.2.3). */
export function crlNumber(number: number): Extension {
  return { id: '2.5.29.20', critical: false, value: integer(number) }
}

/** DER of the public half of a key. */
export function publicKeyOf(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })
}

/** Twenty octets of SHA-256 over the whole public key (RFC 7093 section 2, method 4, shortened). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(publicKeyOf(key)).digest().subarray(0, 20)
}
