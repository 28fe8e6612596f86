/** The certificate by which a client has shown who it is, in the handshake of its connection: verified up to an authority of the listener. */
export interface ClientCertificate {
  /** Address of the listener on which it was shown, whose authorities are believed there, as it is configured: "0.0.0.0:8443". */
  readonly listener: string
  /** Distinguished name of whom it is for, as RFC 4514 writes it: "CN=orders,O=Example". */
  readonly subject: string
  /** Its common name; null where it has none, or several. */
  readonly commonName: string | null
  /** Its alternative names, in their order; DNS names in lower case. */
  readonly names: {
    readonly dns: readonly string[]
    readonly uri: readonly string[]
    readonly email: readonly string[]
  }
  /** Distinguished name of who signed it. */
  readonly issuer: string
  /** In hexadecimal, small letters. */
  readonly serial: string
  /** SHA-256 of its DER, in hexadecimal, small letters. */
  readonly fingerprint: string
  /** The same in base64url, as tokens that are bound to it have it (RFC 8705 section 3.1). */
  readonly thumbprint: string
  /** When it ends, in milliseconds since 1970. */
  readonly notAfter: number
  /** DER in base64: its own, and those of the authorities between it and the root. */
  readonly der: string
  readonly chain: readonly string[]
}
