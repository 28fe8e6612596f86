import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { createCertificate, type CertificateOptions, type Issuer } from '../../src/tls/x509/certificate.ts'
import { explicit, integer, pemOf, sequence, time } from '../../src/tls/x509/der.ts'
import {
  authorityKeyIdentifier,
  crlNumber,
  type Extension,
  extensionList,
  type Purpose,
} from '../../src/tls/x509/extensions.ts'
import { distinguishedName, type Subject } from '../../src/tls/x509/names.ts'
import { signerOf } from '../../src/tls/x509/signature.ts'

const HOUR = 3_600_000
const YEARS = 10 * 365 * 24 * HOUR

/** Kinds of keys of test certificates. */
export type KeyKind = 'ec' | 'rsa'

/** A test certificate; by default it is for localhost, 127.0.0.1 and ::1, and valid for an hour around now. */
export interface LeafOptions {
  readonly subject?: Subject
  readonly names?: readonly string[]
  readonly purposes?: readonly Purpose[]
  readonly key?: KeyObject | KeyKind
  readonly notBefore?: number
  readonly notAfter?: number
  readonly serial?: bigint
  readonly extensions?: readonly Extension[]
}

/** A certificate with its private key, both PEM, in the form that node:tls takes. `cert` contains the chain to the CA after the leaf. */
export interface Leaf {
  readonly cert: string
  readonly key: string
}

/** A test CA; by default it has an EC key, and is valid for ten years around now. */
export interface AuthorityOptions {
  readonly subject?: Subject
  readonly key?: KeyObject | KeyKind
  readonly notBefore?: number
  readonly notAfter?: number
}

/** A new private key: EC on P-256, or RSA with 2048 bits. */
export function newKey(kind: KeyKind = 'ec'): KeyObject {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/** A certificate authority in memory. */
export class Authority {
  readonly subject: Subject
  readonly key: KeyObject
  /** Its own certificate, PEM, for use as a client's `ca`. */
  readonly cert: string
  /** PEM of the chain from its certificates to the root; "" for a root. */
  private readonly chain: string
  private revocations = 0

  constructor(options: AuthorityOptions = {}, parent: Authority | null = null) {
    const { subject = { commonName: 'Test CA' }, key = 'ec', ...validity } = options
    this.subject = subject
    this.key = keyOf(key)
    const issuer: Issuer = parent ?? this
    this.cert = createCertificate({ subject, key: this.key, issuer, ca: true, ...lasting(validity, YEARS) })
    this.chain = parent === null ? '' : this.cert + parent.chain
  }

  /** A CA signed by this one. */
  intermediate(options: AuthorityOptions = {}): Authority {
    return new Authority({ subject: { commonName: 'Test intermediate CA' }, ...options }, this)
  }

  /** A certificate signed by it, for servers unless `purposes` says otherwise. */
  issue(options: LeafOptions = {}): Leaf {
    const { key = 'ec', names = ['localhost', '127.0.0.1', '::1'], purposes = ['server'], ...rest } = options
    const own = keyOf(key)
    const subject = rest.subject ?? { commonName: names[0] ?? 'leaf' }
    const described: CertificateOptions = {
      ...rest,
      ...lasting(rest),
      subject,
      key: own,
      names,
      purposes,
      issuer: this,
    }
    return { cert: createCertificate(described) + this.chain, key: own.export({ type: 'pkcs8', format: 'pem' }) }
  }

  /** A client certificate. */
  issueClient(options: LeafOptions = {}): Leaf {
    return this.issue({ subject: { commonName: 'client' }, names: [], purposes: ['client'], ...options })
  }

  /** PEM of its revocation list (RFC 5280 section 5), valid for an hour around now. */
  revoke(certificates: readonly string[], { notBefore, notAfter } = lasting({})): string {
    const signer = signerOf(this.key)
    const at = time(notBefore)
    const revoked = certificates.map((cert) => sequence(integer(serialOf(cert)), at))
    this.revocations += 1
    const list = sequence(
      integer(1),
      signer.identifier,
      distinguishedName(this.subject),
      at,
      time(notAfter),
      ...(revoked.length > 0 ? [sequence(...revoked)] : []),
      explicit(0, extensionList([authorityKeyIdentifier(this.key), crlNumber(this.revocations)])),
    )
    return pemOf('X509 CRL', signer.sign(list))
  }
}

/** A self-signed certificate. */
export function selfSigned({ key = 'ec', names = ['localhost'], ...rest }: LeafOptions = {}): Leaf {
  const own = keyOf(key)
  const { subject = { commonName: names[0] ?? 'leaf' }, purposes = ['server'] } = rest
  const issuer = { subject, key: own }
  const described: CertificateOptions = { ...rest, ...lasting(rest), subject, key: own, names, purposes, issuer }
  return { cert: createCertificate(described), key: own.export({ type: 'pkcs8', format: 'pem' }) }
}

/** The serial number of a certificate. */
export function serialOf(cert: string): bigint {
  return BigInt(`0x${new X509Certificate(cert).serialNumber}`)
}

function keyOf(key: KeyObject | KeyKind): KeyObject {
  return typeof key === 'string' ? newKey(key) : key
}

function lasting({ notBefore, notAfter }: AuthorityOptions, either = HOUR): { notBefore: number; notAfter: number } {
  return { notBefore: notBefore ?? Date.now() - either, notAfter: notAfter ?? Date.now() + either }
}
