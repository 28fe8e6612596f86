/**
 * Why a handshake came to nothing: it took too long; the client left; it made way for others; it was no TLS but HTTP, or
 * nothing known; no cipher, version or protocol in common; there is no certificate to show yet; the client did not accept the certificate; its own certificate
 * was not accepted, or missing; anything else.
 */
export const handshakeFailures = [
  'timeout',
  'closed',
  'crowded',
  'plain-http',
  'not-tls',
  'no-shared-cipher',
  'version',
  'no-protocol',
  'no-certificate',
  'refused-by-client',
  'client-certificate',
  'other',
] as const

export type HandshakeFailure = (typeof handshakeFailures)[number]

const REASONS: readonly (readonly [pattern: RegExp, reason: HandshakeFailure])[] = [
  [/^(?:ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/, 'closed'],
  [
    /NO_SHARED_CIPHER|NO_SUITABLE_(?:KEY_SHARE|SIGNATURE_ALGORITHM|GROUPS)|NO_SHARED_(?:GROUPS|SIGNATURE)/,
    'no-shared-cipher',
  ],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION_NUMBER|PROTOCOL_VERSION/, 'version'],
  [/NO_APPLICATION_PROTOCOL/, 'no-protocol'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE|CERTIFICATE_VERIFY_FAILED/, 'client-certificate'],
  [/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE)/, 'refused-by-client'],
]

/** What an error of a handshake tells, by its code. */
export function reasonOf(error: Error): HandshakeFailure {
  const code: unknown = Reflect.get(error, 'code')
  const found = typeof code === 'string' ? REASONS.find(([pattern]) => pattern.test(code)) : undefined
  return found?.[1] ?? 'other'
}
