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

/** The issuer: its name and private key. */
export interface Issuer {
  readonly subject: Subject
  readonly key: KeyObject
}

export interface CertificateOptions {
  readonly subject: Subject
  /** The subject's public key, or the private key it belongs to. */
  readonly key: KeyObject
  /** The issuer; for a self-signed certificate, its own subject and private key. */
  readonly issuer: Issuer
  /** DNS names, wildcards, IP addresses, URIs and email addresses it is valid for. */
  readonly names?: readonly string[]
  /** Whether it may sign other certificates. */
  readonly ca?: boolean
  readonly purposes?: readonly Purpose[]
  /** Validity in wall-clock milliseconds, with a resolution of one second. */
  readonly notBefore: number
  readonly notAfter: number
  /** 16 random bytes if omitted. */
  readonly serial?: bigint
  /** Additional extensions. */
  readonly extensions?: readonly Extension[]
}

/** Creates a certificate (RFC 5280 section 4.1) in PEM. Throws a TypeError for an unsupported name or key. */
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

/** A serial number is positive and unpredictable (RFC 5280 section 4.1.2.2). */
function randomSerial(): bigint {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return BigInt(`0x${bytes.toString('hex')}`)
}
