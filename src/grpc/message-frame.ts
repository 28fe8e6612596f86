/** Octets before each message: flags, and its length as 32 bits, the highest first (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX = 5

/** The flag of a message that is compressed. */
export const COMPRESSED = 1

/** The flag of grpc-web's trailers (gRPC-Web, "Message framing"). */
export const TRAILERS = 0x80

/** A message with what stands before it. */
export function frame(content: Uint8Array, flags = 0): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX + content.length)
  framed[0] = flags
  framed.writeUInt32BE(content.length, 1)
  framed.set(content, PREFIX)
  return framed
}
