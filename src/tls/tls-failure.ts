/** A TLS error in plain words, followed by Node's or OpenSSL's own name for it. */
export class TlsFailure extends Error {
  constructor(message: string, code = '') {
    super(code === '' ? message : `${message} (${code})`)
    this.name = 'TlsFailure'
  }
}

/** Node's and OpenSSL's certificate error codes. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate, or one in its chain, has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: is the clock of this machine right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed and not listed in the option ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate was issued by an unknown CA: add it with the option ca',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate was issued by an unknown CA: add it with the option ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'the certificate was issued by an unknown CA: add it with the option ca, or have the service send its intermediate certificates',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the certificate was issued by an unknown CA: add it with the option ca, or have the service send its intermediate certificates',
  INVALID_PURPOSE: 'the certificate is not valid for servers',
  CERT_SIGNATURE_FAILURE: 'the signature of the certificate is wrong',
  CERT_REVOKED: 'the certificate is revoked',
  INVALID_CA: 'the certificate was signed by a certificate that is not a CA',
  PATH_LENGTH_EXCEEDED: 'the certificate chain is longer than one of its CAs allows',
}

const ASKS_FOR_CERTIFICATE = 'the service asks for a client certificate: set the options cert and key'
const REFUSES_CERTIFICATE = 'the service refuses the client certificate of the option cert'

/** Meanings of OpenSSL's messages; the first match applies. */
const PROTOCOL: readonly (readonly [RegExp, string])[] = [
  [
    /wrong_version_number|packet_length_too_long|wrong version number|packet length too long/i,
    'the server does not speak TLS: should the URL begin with http:// instead of https://?',
  ],
  [/alert_certificate_required|alert certificate required/i, ASKS_FOR_CERTIFICATE],
  [
    /alert_(?:bad_certificate|certificate_(?:unknown|expired|revoked)|unsupported_certificate|unknown_ca|access_denied)|alert (?:bad certificate|certificate (?:unknown|expired|revoked)|unsupported certificate|unknown ca|access denied)/i,
    REFUSES_CERTIFICATE,
  ],
  [
    /unrecognized_name|unrecognized name/i,
    'the service does not recognize the server name (SNI): see the option serverName',
  ],
  [
    /no_application_protocol|no application protocol/i,
    'the service does not speak the requested version of HTTP: see its option http2',
  ],
  [
    /protocol_version|unsupported_protocol|protocol version|unsupported protocol/i,
    'the service does not support TLS 1.2 or later',
  ],
  [
    /handshake_failure|handshake failure/i,
    'the service ended the handshake: it may ask for a client certificate, or have no cipher in common',
  ],
]

/**
 * Converts an error to a TlsFailure in plain words; unchanged if it is unrelated to TLS. `expected` is the requested name,
 * `hasCertificate` whether there is a client certificate.
 */
export function explainTls(error: Error, expected: string, hasCertificate: boolean): Error {
  if (error instanceof TlsFailure) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return new TlsFailure(otherName(error, expected), code)
  const known = CERTIFICATE[code] ?? PROTOCOL.find(([pattern]) => pattern.test(`${code} ${error.message}`))?.[1]
  if (known === undefined) return error
  // Go and Java send bad_certificate for one that is missing.
  const isMissing = known === REFUSES_CERTIFICATE && !hasCertificate
  return new TlsFailure(isMissing ? ASKS_FOR_CERTIFICATE : known, code)
}

/** The same for an error that ended a handshake. */
export function explainHandshake(error: Error, expected: string, hasCertificate: boolean): Error {
  const isClosed = 'code' in error && error.code === 'ECONNRESET'
  if (isClosed) return new TlsFailure('the connection was closed in the middle of the handshake', 'ECONNRESET')
  return explainTls(error, expected, hasCertificate)
}

function otherName(error: Error, expected: string): string {
  const names = 'cert' in error ? namesOf(error.cert) : ''
  const whose = names === '' ? 'another name' : names
  return `the certificate is for ${whose}, not for ${JSON.stringify(expected)}: see the option serverName`
}

function namesOf(certificate: unknown): string {
  if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate)) return ''
  const names = String(certificate.subjectaltname)
  return names.length > 200 ? `${names.slice(0, 200)}…` : names
}
