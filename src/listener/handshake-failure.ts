/**
 * Why a handshake failed, in this order: it took too long; the client disconnected; it was dropped for others; the
 * client spoke plain HTTP; it spoke no known protocol; no cipher in common; no version in common; no protocol in
 * common; no certificate is available yet; the client rejected the certificate; the client's own certificate was
 * rejected or missing; anything else.
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

/** The reason for a failed handshake, derived from the code of its error. */
export function reasonOf(error: Error): HandshakeFailure {
  const code: unknown = Reflect.get(error, 'code')
  const found = typeof code === 'string' ? REASONS.find(([pattern]) => pattern.test(code)) : undefined
  return found?.[1] ?? 'other'
}
