import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../http/client-certificate.ts'
import { type CertificateForm, certificateFields } from './certificate-fields.ts'
import { commonNameOf, distinguishedNameOf } from '../tls/distinguished-name.ts'
import { alternativeNames } from '../tls/certificate-names.ts'

/** Authorities between a certificate and its root: more have no place in a handshake. */
const LONGEST_CHAIN = 10

/** The certificate of one connection, read when it is asked for first. */
export class PeerCertificate {
  private readonly socket: TLSSocket
  private readonly listener: string
  private readonly forms: readonly CertificateForm[]
  private found: ClientCertificate | null | undefined
  private made: string | null = null

  /** `listener` is the address of the listener, as it is configured; `forms` the fields that services are told of it in. */
  constructor(socket: TLSSocket, listener: string, forms: readonly CertificateForm[]) {
    this.socket = socket
    this.listener = listener
    this.forms = forms
  }

  /** What services are told of it; "" where the client has shown none. */
  get fields(): string {
    this.made ??= this.value === null ? '' : certificateFields(this.value, this.forms)
    return this.made
  }

  /** Null where the client has shown none. */
  get value(): ClientCertificate | null {
    if (this.found !== undefined) return this.found
    const shown = this.socket.authorized ? this.socket.getPeerX509Certificate() : undefined
    this.found = shown === undefined ? null : describe(shown, this.listener)
    return this.found
  }
}

function describe(certificate: X509Certificate, listener: string): ClientCertificate {
  const { subject, issuer, serialNumber, fingerprint256, validToDate, raw } = certificate
  const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase()
  return {
    listener,
    subject: distinguishedNameOf(subject),
    commonName: commonNameOf(subject),
    names: {
      dns: alternativeNames(certificate, 'DNS').map((name) => name.toLowerCase()),
      uri: alternativeNames(certificate, 'URI'),
      email: alternativeNames(certificate, 'email'),
    },
    issuer: distinguishedNameOf(issuer),
    serial: serialNumber.toLowerCase(),
    fingerprint,
    thumbprint: Buffer.from(fingerprint, 'hex').toString('base64url'),
    notAfter: validToDate.getTime(),
    der: raw.toString('base64'),
    chain: chainOf(certificate),
  }
}

/** Without the root, which whoever is told of the chain has to know itself. */
function chainOf(leaf: X509Certificate): string[] {
  const chain: string[] = []
  let { issuerCertificate } = leaf
  while (issuerCertificate !== undefined && chain.length < LONGEST_CHAIN) {
    if (issuerCertificate.subject === issuerCertificate.issuer) break
    chain.push(issuerCertificate.raw.toString('base64'))
    ;({ issuerCertificate } = issuerCertificate)
  }
  return chain
}
