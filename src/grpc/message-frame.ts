/** Bytes before each message: flags, and its length as a 32-bit big-endian integer (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX = 5

/** The flag of a compressed message. */
export const COMPRESSED = 1

/** The flag of grpc-web's trailers (gRPC-Web, "Message framing"). */
export const TRAILERS = 0x80

/** A message with its prefix. */
export function frame(content: Uint8Array, flags = 0): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX + content.length)
  framed[0] = flags
  framed.writeUInt32BE(content.length, 1)
  framed.set(content, PREFIX)
  return framed
}
