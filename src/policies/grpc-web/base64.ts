import { GatewayError } from '../../core/errors.ts'

const EQUALS = 61

/** Reads base64 that comes in pieces (RFC 4648 section 4): each part of it may be padded, as clients send a message at a time. */
export class Base64Reader {
  /** Up to three characters that wait for those that belong to them. */
  private rest = ''

  /** The octets of what is complete. Throws GatewayError 'bad-request' for what is no base64. */
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

  /** Throws GatewayError 'bad-request' where characters are left over. */
  end(): void {
    if (this.rest !== '') throw malformed()
  }
}

/** Where the group of four ends that has the next padding, or all of it. */
function endOfPart(text: string, from: number, to: number): number {
  const padding = text.indexOf('=', from)
  return padding === -1 || padding >= to ? to : padding - ((padding - from) % 4) + 4
}

function decode(text: string): Buffer {
  const octets = Buffer.from(text, 'base64')
  // The decoder goes over what it does not know: all that is right is as long as this.
  const padding =
    text.charCodeAt(text.length - 1) === EQUALS ? (text.charCodeAt(text.length - 2) === EQUALS ? 2 : 1) : 0
  if (octets.length !== (text.length / 4) * 3 - padding || octets.toString('base64') !== text) throw malformed()
  return octets
}

function malformed(): GatewayError {
  return new GatewayError('bad-request', 'The body is no base64, as application/grpc-web-text says.')
}
