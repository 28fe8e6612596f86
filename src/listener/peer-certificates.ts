import type { TLSSocket } from 'node:tls'
import type { Client } from '../http/exchange.ts'
import type { ReceivedHead } from '../http/received-head.ts'
import type { ServedConnection } from '../http/server-handler.ts'
import type { ServerIdentities } from '../tls/server-identities.ts'
import { CERTIFICATE_FIELDS, type CertificateForm } from './certificate-fields.ts'
import { PeerCertificate } from './peer-certificate.ts'

/** What the clients of one listener have shown, which asks them for certificates. */
export class PeerCertificates {
  private readonly listener: string
  /** The fields that services are told of them in. */
  private forms: readonly CertificateForm[] = []
  private readonly shown = new WeakMap<ServedConnection, PeerCertificate>()

  /** `listener` is the address of the listener, as it is configured. */
  constructor(listener: string) {
    this.listener = listener
  }

  /** Services are told in these fields from now on. */
  use(forms: readonly CertificateForm[]): void {
    this.forms = forms
  }

  /** What the client of a connection has shown, which the authorities of `identities` have verified, or nothing: it is read when it is asked for. */
  read(socket: TLSSocket, identities: ServerIdentities): PeerCertificate {
    return new PeerCertificate(socket, this.listener, identities)
  }

  remember(connection: ServedConnection, certificate: PeerCertificate): void {
    this.shown.set(connection, certificate)
  }

  of(connection: ServedConnection): PeerCertificate | null {
    return this.shown.get(connection) ?? null
  }

  /** Services learn of the certificate from the gateway alone: what even a trusted proxy says of another one is taken out. */
  tell(connection: ServedConnection, client: Client, { fields }: ReceivedHead): void {
    if (this.forms.length === 0 || client.certificate === null) return
    if (fields.claims !== '') fields.raw = CERTIFICATE_FIELDS.without(fields.raw)
    fields.raw += this.of(connection)?.fields(this.forms) ?? ''
  }
}
