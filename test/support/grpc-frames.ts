/** A message as framed in the body of a call: uncompressed, with a length prefix. */
export function grpcFrame(message: string | Buffer): Buffer {
  const content = Buffer.from(message)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(content.length, 1)
  return Buffer.concat([prefix, content])
}
