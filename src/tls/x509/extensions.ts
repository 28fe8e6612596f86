import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { boolean, implicit, integer, namedBits, objectIdentifier, octetString, sequence } from './der.ts'
import { generalNames } from './names.ts'

/** An extension of a certificate or certificate request (RFC 5280 section 4.2). */
export interface Extension {
  /** Its object identifier in dotted notation. */
  readonly id: string
  /** Whether implementations that do not know it must reject the certificate. */
  readonly critical: boolean
  /** DER. */
  readonly value: Uint8Array
}

/** Purpose of a certificate in TLS. */
export type Purpose = 'server' | 'client'

/** Their object identifiers (RFC 5280 section 4.2.1.12). */
export const PURPOSES: Readonly<Record<Purpose, string>> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }
/** Bits of keyUsage (RFC 5280 section 4.2.1.3). */
const DIGITAL_SIGNATURE = 0
const KEY_ENCIPHERMENT = 2
const KEY_CERT_SIGN = 5
const CRL_SIGN = 6

/** The extension list of a certificate or request. */
export function extensionList(extensions: readonly Extension[]): Buffer {
  const written = extensions.map(({ id, critical, value }) =>
    // DER omits the default, which is false.
    sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value)),
  )
  return sequence(...written)
}

/** subjectAltName; `critical` if the subject is empty (RFC 5280 section 4.2.1.6). */
export function subjectAltName(names: readonly string[], critical = false): Extension {
  return { id: '2.5.29.17', critical, value: generalNames(names) }
}

/** Whether the certificate may sign other certificates. */
export function basicConstraints(ca: boolean): Extension {
  return { id: '2.5.29.19', critical: true, value: ca ? sequence(boolean(true)) : sequence() }
}

/** Permitted uses of the key; RSA keys also take part in the key exchange of TLS 1.2. */
export function keyUsage(ca: boolean, key: KeyObject): Extension {
  const leaf = key.asymmetricKeyType === 'rsa' ? [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT] : [DIGITAL_SIGNATURE]
  return { id: '2.5.29.15', critical: true, value: namedBits(...(ca ? [KEY_CERT_SIGN, CRL_SIGN] : leaf)) }
}

/** Permitted purposes of the certificate. */
export function extendedKeyUsage(purposes: readonly Purpose[]): Extension {
  const value = sequence(...purposes.map((purpose) => objectIdentifier(PURPOSES[purpose])))
  return { id: '2.5.29.37', critical: false, value }
}

/** Identifies the certificate's key. */
export function subjectKeyIdentifier(key: KeyObject): Extension {
  return { id: '2.5.29.14', critical: false, value: octetString(keyIdentifier(key)) }
}

/** Identifies the issuer's key. */
export function authorityKeyIdentifier(key: KeyObject): Extension {
  return { id: '2.5.29.35', critical: false, value: sequence(implicit(0, keyIdentifier(key))) }
}

/** Number of a revocation list (RFC 5280 section 5.2.3). */
export function crlNumber(number: number): Extension {
  return { id: '2.5.29.20', critical: false, value: integer(number) }
}

/** The public half of a key, as DER. */
export function publicKeyOf(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })
}

/** The first 20 bytes of SHA-256 over the public key info (RFC 7093 section 2, method 4, shortened). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(publicKeyOf(key)).digest().subarray(0, 20)
}
