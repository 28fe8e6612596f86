/** The status code of a peer that goes away, such as a server that stops (RFC 6455 section 7.4.1). */
export const GOING_AWAY = 1001

const CLOSE = 0x8
/** A header has up to 14 bytes: 2, an extended length of 8, and a masking key of 4. */
const MAX_HEADER_LENGTH = 14

/** A Close frame with that status code as servers send it: unmasked (RFC 6455 section 5.5.1). */
export function closeFrame(status: number): Buffer {
  return Buffer.from([0x80 | CLOSE, 2, status >> 8, status & 0xff])
}

/**
 * Tracks frame boundaries in one direction of a WebSocket (RFC 6455 section 5.2) from its first byte: the gateway may
 * insert a frame only between two others, and none after a Close frame. Payloads are skipped.
 */
export class FrameBoundaries {
  /** The sender has sent a Close frame: no more frames follow. */
  closed = false
  private readonly header = Buffer.alloc(MAX_HEADER_LENGTH)
  /** Bytes received of a header that is still incomplete. */
  private had = 0
  /** Bytes outstanding of the current payload. */
  private missing = 0

  /** Whether the bytes so far end at a frame boundary. */
  get between(): boolean {
    return this.had === 0 && this.missing === 0
  }

  /** Processes all of the bytes. */
  follow(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at = this.step(bytes, at)
  }

  /**
   * Processes bytes up to the end of the first frame; returns the offset of its end, or the length where it does not
   * end.
   */
  followOne(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length) {
      at = this.step(bytes, at)
      if (this.between) return at
    }
    return at
  }

  /** Advances by one header byte, or by as much payload as there is. */
  private step(bytes: Buffer, at: number): number {
    if (this.missing > 0) {
      const passed = Math.min(this.missing, bytes.length - at)
      this.missing -= passed
      return at + passed
    }
    const { header } = this
    // The callers make sure that `at` is within bounds.
    header[this.had++] = bytes[at]!
    if (this.had < 2 || this.had < headerLength(header)) return at + 1
    this.had = 0
    this.missing = payloadLength(header)
    this.closed ||= (header.readUInt8(0) & 0xf) === CLOSE
    return at + 1
  }
}

function headerLength(header: Buffer): number {
  const byte = header.readUInt8(1)
  const length = byte & 0x7f
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0
  return 2 + extended + (byte >= 0x80 ? 4 : 0)
}

/** Lengths over 2^53 are inexact, but no connection lives long enough for that to matter. */
function payloadLength(header: Buffer): number {
  const length = header.readUInt8(1) & 0x7f
  if (length === 126) return header.readUInt16BE(2)
  if (length === 127) return header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
  return length
}
