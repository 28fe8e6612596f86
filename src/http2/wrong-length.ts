import { MalformedMessage } from '../http/malformed-message.ts'

/** There is more or less content than the head announced (RFC 9113 section 8.1.1). */
export function wrongLength(): MalformedMessage {
  return new MalformedMessage('The length of the content is not that of Content-Length.')
}
