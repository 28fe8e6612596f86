/** Why a stream or a connection ends (RFC 9113 section 7). */
export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

/** The codes as RFC 9113 spells them. */
const names = new Map<number, string>(
  Object.entries(ErrorCode).map(([name, code]) => [code, name.replaceAll(/[A-Z0-9]+/g, '_$&').toUpperCase()]),
)

/** The name of a code, for logs. */
export function errorName(code: number): string {
  return names.get(code) ?? `error ${code}`
}

/** The peer's behavior ends the connection (RFC 9113 section 5.4.1). The message is sent to it. */
export class ConnectionError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    // A stack trace adds nothing to the message, and would cost more than all the rest of reporting the error.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
  }
}
