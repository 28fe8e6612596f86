/** The status code of a peer that goes away, as a server that stops (RFC 6455 section 7.4.1). */
export const GOING_AWAY = 1001

const CLOSE = 0x8
/** A header has up to 14 octets: two, a length of eight, a masking key of four. */
const LONGEST_HEADER = 14

/** A Close frame with that status code, as a server sends it: without a mask (RFC 6455 section 5.5.1). */
export function closeFrame(status: number): Buffer {
  return Buffer.from([0x80 | CLOSE, 2, status >> 8, status & 0xff])
}

/**
 * Follows the frames in one direction of a WebSocket (RFC 6455 section 5.2) from its first octet: a frame of one's own
 * may stand only between two of them, and none after a Close frame. Payloads are passed over, not looked at.
 */
export class FrameBoundaries {
  /** The sender has said Close: it sends no more frames. */
  closed = false
  private readonly header = Buffer.alloc(LONGEST_HEADER)
  /** Octets of a header that is not yet complete. */
  private had = 0
  /** Octets that are missing of a payload. */
  private missing = 0

  /** Whether what was followed so far ends with a whole frame. */
  get between(): boolean {
    return this.had === 0 && this.missing === 0
  }

  /** Follows the octets to their end. */
  follow(octets: Buffer): void {
    for (let at = 0; at < octets.length;) at = this.step(octets, at)
  }

  /** Follows the octets to the end of the first frame; returns where that is, or the end of the octets. */
  followOne(octets: Buffer): number {
    let at = 0
    while (at < octets.length) {
      at = this.step(octets, at)
      if (this.between) return at
    }
    return at
  }

  /** Goes on by one octet of a header, or by what there is of a payload. */
  private step(octets: Buffer, at: number): number {
    if (this.missing > 0) {
      const passed = Math.min(this.missing, octets.length - at)
      this.missing -= passed
      return at + passed
    }
    const { header } = this
    // The callers see to it that there is one.
    header[this.had++] = octets[at]!
    if (this.had < 2 || this.had < headerLength(header)) return at + 1
    this.had = 0
    this.missing = payloadLength(header)
    this.closed ||= (header.readUInt8(0) & 0xf) === CLOSE
    return at + 1
  }
}

function headerLength(header: Buffer): number {
  const octet = header.readUInt8(1)
  const length = octet & 0x7f
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0
  return 2 + extended + (octet >= 0x80 ? 4 : 0)
}

/** Lengths over 2^53 lose digits, and no connection lives to see their end. */
function payloadLength(header: Buffer): number {
  const length = header.readUInt8(1) & 0x7f
  if (length === 126) return header.readUInt16BE(2)
  if (length === 127) return header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
  return length
}
