import { type KeyObject, randomBytes } from 'node:crypto'
import { explicit, integer, pemOf, sequence, time } from './der.ts'
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  extensionList,
  keyUsage,
  publicKeyOf,
  type Purpose,
  subjectAltName,
  subjectKeyIdentifier,
} from './extensions.ts'
import { distinguishedName, type Subject } from './names.ts'
import { signerOf } from './signature.ts'

/** Who signs: with which name, and with which private key. */
export interface Issuer {
  readonly subject: Subject
  readonly key: KeyObject
}

export interface CertificateOptions {
  readonly subject: Subject
  /** Whose certificate it is: a public key, or the private key that it belongs to. */
  readonly key: KeyObject
  /** Who signs; for a certificate that signs itself, its own subject and private key. */
  readonly issuer: Issuer
  /** DNS names, wildcards, IP addresses, URIs and mail addresses that it is for. */
  readonly names?: readonly string[]
  /** Whether it may sign others. */
  readonly ca?: boolean
  readonly purposes?: readonly Purpose[]
  /** From when and until when it is valid, in wall-clock milliseconds; both to the second. */
  readonly notBefore: number
  readonly notAfter: number
  /** 16 random octets unless it is given. */
  readonly serial?: bigint
  /** Further extensions. */
  readonly extensions?: readonly Extension[]
}

/** Makes a certificate (RFC 5280 section 4.1): PEM. Throws a TypeError for a name or a key that cannot stand in one. */
export function createCertificate(options: CertificateOptions): string {
  const { subject, key, issuer, notBefore, notAfter, serial = randomSerial() } = options
  const signer = signerOf(issuer.key)
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(serial),
    signer.identifier,
    distinguishedName(issuer.subject),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(subject),
    publicKeyOf(key),
    explicit(3, extensionList(extensionsOf(options))),
  )
  return pemOf('CERTIFICATE', signer.sign(tbs))
}

function extensionsOf(options: CertificateOptions): Extension[] {
  const { subject, key, issuer, names = [], ca = false, purposes = [], extensions = [] } = options
  const anonymous = Object.keys(subject).length === 0
  return [
    basicConstraints(ca),
    keyUsage(ca, key),
    ...(purposes.length > 0 ? [extendedKeyUsage(purposes)] : []),
    subjectKeyIdentifier(key),
    authorityKeyIdentifier(issuer.key),
    ...(names.length > 0 ? [subjectAltName(names, anonymous)] : []),
    ...extensions,
  ]
}

/** A serial number is positive, and nobody can guess it (RFC 5280 section 4.1.2.2). */
function randomSerial(): bigint {
  const octets = randomBytes(16)
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40
  return BigInt(`0x${octets.toString('hex')}`)
}
