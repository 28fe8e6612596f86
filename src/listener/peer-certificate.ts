import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../http/client-certificate.ts'
import { type CertificateForm, certificateFields } from './certificate-fields.ts'
import { commonNameOf, distinguishedNameOf } from '../tls/distinguished-name.ts'
import { alternativeNames } from '../tls/certificate-names.ts'
import type { ServerIdentities } from '../tls/server-identities.ts'
import { verifiedChain } from '../tls/verified-chain.ts'

/** The client certificate of one connection, parsed when it is first needed. */
export class PeerCertificate {
  private readonly socket: TLSSocket
  private readonly listener: string
  private readonly identities: ServerIdentities
  private found: ClientCertificate | null | undefined
  private made: { readonly fields: string; readonly forms: readonly CertificateForm[] } | null = null

  /**
   * `listener` is the configured address of the listener; `identities` hold the authorities by which it was verified.
   */
  constructor(socket: TLSSocket, listener: string, identities: ServerIdentities) {
    this.socket = socket
    this.listener = listener
    this.identities = identities
  }

  /** The fields that describe it to services; "" where the client presented none. */
  fields(forms: readonly CertificateForm[]): string {
    if (this.made?.forms !== forms)
      this.made = { forms, fields: this.value === null ? '' : certificateFields(this.value, forms) }
    return this.made.fields
  }

  /** Null where the client presented none. */
  get value(): ClientCertificate | null {
    if (this.found !== undefined) return this.found
    const shown = this.socket.authorized ? this.socket.getPeerX509Certificate() : undefined
    this.found = shown === undefined ? null : describe(shown, this.listener, this.identities.authorities)
    return this.found
  }
}

function describe(
  certificate: X509Certificate,
  listener: string,
  authorities: readonly X509Certificate[],
): ClientCertificate {
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
    chain: verifiedChain(certificate, sentWith(certificate), authorities).map((each) => each.raw.toString('base64')),
  }
}

/** Node's "issuer" of a certificate is simply the next one that the client has sent, whether it signed it or not. */
function sentWith(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = []
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate) sent.push(next)
  return sent
}
