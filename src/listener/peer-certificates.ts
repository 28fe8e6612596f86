import type { TLSSocket } from 'node:tls'
import type { Client } from '../http/exchange.ts'
import type { ReceivedHead } from '../http/received-head.ts'
import type { ServedConnection } from '../http/server-handler.ts'
import type { ServerIdentities } from '../tls/server-identities.ts'
import { CERTIFICATE_FIELDS, type CertificateForm } from './certificate-fields.ts'
import { PeerCertificate } from './peer-certificate.ts'

/** The certificates of the clients of one listener that requests them. */
export class PeerCertificates {
  private readonly listener: string
  /** The forms in which services receive them. */
  private forms: readonly CertificateForm[] = []
  private readonly shown = new WeakMap<ServedConnection, PeerCertificate>()

  /** `listener` is the configured address of the listener. */
  constructor(listener: string) {
    this.listener = listener
  }

  /** Changes the forms in which services receive them. */
  use(forms: readonly CertificateForm[]): void {
    this.forms = forms
  }

  /**
   * The certificate, if any, that the client of a connection presented, verified by the authorities of `identities`;
   * parsed when first needed.
   */
  read(socket: TLSSocket, identities: ServerIdentities): PeerCertificate {
    return new PeerCertificate(socket, this.listener, identities)
  }

  remember(connection: ServedConnection, certificate: PeerCertificate): void {
    this.shown.set(connection, certificate)
  }

  of(connection: ServedConnection): PeerCertificate | null {
    return this.shown.get(connection) ?? null
  }

  /**
   * Adds the certificate's fields to a request. Only the gateway may set them: even those of a trusted proxy are
   * removed.
   */
  addFields(connection: ServedConnection, client: Client, { fields }: ReceivedHead): void {
    if (this.forms.length === 0 || client.certificate === null) return
    if (fields.claims !== '') fields.raw = CERTIFICATE_FIELDS.without(fields.raw)
    fields.raw += this.of(connection)?.fields(this.forms) ?? ''
  }
}
