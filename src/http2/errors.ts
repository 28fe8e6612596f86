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

/** A code as a word, for those who read logs. */
export function errorName(code: number): string {
  return names.get(code) ?? `error ${code}`
}

/** What the peer has done ends the connection (RFC 9113 section 5.4.1). The message tells it why. */
export class ConnectionError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    // Where it was found tells nothing that the message does not, and costs more than all else that the peer is told.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
  }
}
