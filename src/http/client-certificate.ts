/**
 * The certificate that a client presented in the TLS handshake of its connection, verified up to a certificate
 * authority of the listener.
 */
export interface ClientCertificate {
  /**
   * Configured address of the listener on which it was presented, and whose authorities vouch for it: "0.0.0.0:8443".
   */
  readonly listener: string
  /** Distinguished name of the subject in the notation of RFC 4514: "CN=orders,O=Example". */
  readonly subject: string
  /** Common name of the subject; null where it has none, or several. */
  readonly commonName: string | null
  /** Subject alternative names, in certificate order; DNS names in lower case. */
  readonly names: {
    readonly dns: readonly string[]
    readonly uri: readonly string[]
    readonly email: readonly string[]
  }
  /** Distinguished name of the issuer. */
  readonly issuer: string
  /** Serial number in lower-case hexadecimal. */
  readonly serial: string
  /** SHA-256 of its DER encoding, in lower-case hexadecimal. */
  readonly fingerprint: string
  /** The same hash in base64url, as in certificate-bound tokens (RFC 8705 section 3.1). */
  readonly thumbprint: string
  /** When it expires, in milliseconds since 1970. */
  readonly notAfter: number
  /** Base64 of the DER encoding: of this certificate, and of the intermediates between it and the root. */
  readonly der: string
  readonly chain: readonly string[]
}
