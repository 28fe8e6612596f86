/** Characters that must be encoded in grpc-message: all but printable ASCII, and the percent sign. */
const ESCAPED = /[^\x20-\x24\x26-\x7e]/u

/** A text encoded for grpc-message: UTF-8, percent-encoded (gRPC over HTTP/2, "Status-Message"). */
export function encodeMessage(text: string): string {
  if (!ESCAPED.test(text)) return text
  let encoded = ''
  for (const byte of Buffer.from(text, 'utf8'))
    encoded +=
      byte < 0x20 || byte > 0x7e || byte === 0x25
        ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte)
  return encoded
}
