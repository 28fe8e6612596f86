import { GatewayError } from '../../core/errors.ts'

const EQUALS = 61

/**
 * Decodes base64 that arrives in chunks (RFC 4648 section 4). Padding may occur in the middle, as clients encode each message
 * separately.
 */
export class Base64Reader {
  /** Up to three characters of an incomplete group. */
  private rest = ''

  /** Decodes all complete groups. Throws GatewayError 'bad-request' for invalid base64. */
  read(chunk: Buffer): Buffer {
    const text = this.rest + chunk.toString('latin1')
    const complete = text.length - (text.length % 4)
    this.rest = text.slice(complete)
    const parts: Buffer[] = []
    for (let at = 0; at < complete;) {
      const end = endOfPart(text, at, complete)
      parts.push(decode(text.slice(at, end)))
      at = end
    }
    const [first = Buffer.alloc(0)] = parts
    return parts.length <= 1 ? first : Buffer.concat(parts)
  }

  /** Throws GatewayError 'bad-request' if characters are left over. */
  end(): void {
    if (this.rest !== '') throw malformed()
  }
}

/** The end of the group of four with the next padding, or the end of the text. */
function endOfPart(text: string, from: number, to: number): number {
  const padding = text.indexOf('=', from)
  return padding === -1 || padding >= to ? to : padding - ((padding - from) % 4) + 4
}

function decode(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  // The decoder skips invalid characters: only valid text yields this length.
  const padding =
    text.charCodeAt(text.length - 1) === EQUALS ? (text.charCodeAt(text.length - 2) === EQUALS ? 2 : 1) : 0
  if (bytes.length !== (text.length / 4) * 3 - padding || bytes.toString('base64') !== text) throw malformed()
  return bytes
}

function malformed(): GatewayError {
  return new GatewayError('bad-request', 'The body is not base64, which application/grpc-web-text requires.')
}
