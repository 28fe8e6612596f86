const ESCAPES = /(?:%[\dA-Fa-f]{2})+/g

/** The text that grpc-message stands for; what is not percent-encoded as it should be stays as it is (gRPC over HTTP/2, "Status-Message"). */
export function decodeMessage(message: string): string {
  return message.replace(ESCAPES, (escaped) => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8'))
}
