const ESCAPES = /(?:%[\dA-Fa-f]{2})+/g

/** The text that grpc-message encodes; invalid percent-encoding is left unchanged (gRPC over HTTP/2, "Status-Message"). */
export function decodeMessage(message: string): string {
  return message.replace(ESCAPES, (escaped) => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8'))
}
