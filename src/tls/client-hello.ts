/** The relevant content of a ClientHello, the first and unencrypted message of a TLS client (RFC 8446 section 4.1.2). */
export interface ClientHello {
  /** The requested server name (RFC 6066 section 3), in lower case; null if there is none or it is invalid. */
  readonly serverName: string | null
  /** The application protocols that it offers (RFC 7301); empty if there are none. */
  readonly protocols: readonly string[]
}

/** Used for anything that is not a parseable ClientHello: the TLS library then reports what is wrong with it. */
const UNREADABLE: ClientHello = { serverName: null, protocols: [] }

/** Maximum length of a ClientHello, the same as in OpenSSL. */
const MAX_LENGTH = 16_384

/** Maximum number of bytes to wait for it, including record headers. */
const MAX = 4 * MAX_LENGTH

/** Maximum number of separately kept pieces: the memory overhead of a small one is hundreds of times its content. */
const MAX_PIECES = 64

const RECORD_HEADER = 5
const MESSAGE_HEADER = 4
const HANDSHAKE = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const ALPN = 16
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/i

/** Whether data that starts with that byte may be TLS. */
export function looksLikeTls(byte: number): boolean {
  return byte === HANDSHAKE
}

/** Collects a ClientHello, which may arrive in any number of pieces and be split into any number of records. Each byte is examined once. */
export class ClientHelloCollector {
  private pieces: Buffer[] = []
  private collected = 0
  private readonly header = Buffer.alloc(RECORD_HEADER + MESSAGE_HEADER)
  private inRecordHeader = 0
  private inMessageHeader = 0
  /** Remaining length of the current record. */
  private fragment = 0
  private message: Buffer | null = null
  private written = 0

  /** All bytes received so far. */
  get bytes(): Buffer {
    const [first] = this.pieces
    return this.pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.pieces)
  }

  /**
   * Adds received bytes. Returns null while more are needed, and the UNREADABLE placeholder if this is not a ClientHello or it is too long.
   */
  take(bytes: Buffer): ClientHello | null {
    if (this.pieces.length === MAX_PIECES) this.pieces = [this.bytes]
    this.pieces.push(bytes)
    this.collected += bytes.length
    let at = 0
    while (at < bytes.length) {
      const next = this.fragment === 0 ? this.readRecordHeader(bytes, at) : this.readFragment(bytes, at)
      if (next === null) return UNREADABLE
      at = next
      if (this.message !== null && this.written === this.message.length) return parse(this.message)
    }
    return this.collected > MAX ? UNREADABLE : null
  }

  /** Returns the end of the header, or null if it is not a handshake record. */
  private readRecordHeader(bytes: Buffer, start: number): number | null {
    const { header } = this
    const end = Math.min(bytes.length, start + RECORD_HEADER - this.inRecordHeader)
    bytes.copy(header, this.inRecordHeader, start, end)
    this.inRecordHeader += end - start
    if (header[0] !== HANDSHAKE) return null
    if (this.inRecordHeader < RECORD_HEADER) return end
    this.inRecordHeader = 0
    this.fragment = header.readUInt16BE(3)
    // Empty fragments make no progress, so there could be any number of them (RFC 8446 section 5.1).
    return this.fragment === 0 || this.fragment > MAX_LENGTH ? null : end
  }

  /** Returns the end of the available part of the fragment, or of the message header; null if it is not a ClientHello. */
  private readFragment(bytes: Buffer, start: number): number | null {
    const { header, message } = this
    const end = Math.min(bytes.length, start + this.fragment)
    if (message !== null) {
      const copied = bytes.copy(message, this.written, start, end)
      this.written += copied
      this.fragment -= copied
      return start + copied
    }
    const stop = Math.min(end, start + MESSAGE_HEADER - this.inMessageHeader)
    bytes.copy(header, RECORD_HEADER + this.inMessageHeader, start, stop)
    this.inMessageHeader += stop - start
    this.fragment -= stop - start
    if (header[RECORD_HEADER] !== CLIENT_HELLO) return null
    if (this.inMessageHeader < MESSAGE_HEADER) return stop
    const length = header.readUIntBE(RECORD_HEADER + 1, 3)
    if (length > MAX_LENGTH) return null
    this.message = Buffer.alloc(length)
    return stop
  }
}

function parse(message: Buffer): ClientHello {
  try {
    return readMessage(new Reader(message))
  } catch (error) {
    if (error instanceof RangeError) return UNREADABLE
    throw error
  }
}

/** Throws a RangeError if a length exceeds the available data. */
function readMessage(hello: Reader): ClientHello {
  // 1. Version, random, session ID, cipher suites, compression: skipped.
  hello.skip(2 + 32)
  hello.vector(1)
  hello.vector(2)
  hello.vector(1)
  // 2. Extensions, each of them at most once.
  let serverName: string | null = null
  let protocols: readonly string[] = []
  const extensions = hello.ended ? hello : hello.vector(2)
  while (!extensions.ended) {
    const type = extensions.number(2)
    const extension = extensions.vector(2)
    if (type === SERVER_NAME) serverName = readServerName(extension)
    else if (type === ALPN) protocols = readProtocols(extension)
  }
  return { serverName, protocols }
}

/** The list has at most one name (RFC 6066 section 3). */
function readServerName(extension: Reader): string | null {
  const list = extension.vector(2)
  if (list.ended || list.number(1) !== 0) return null
  const name = list.vector(2).text()
  return HOST_NAME.test(name) ? name.toLowerCase() : null
}

function readProtocols(extension: Reader): string[] {
  const list = extension.vector(2)
  const protocols: string[] = []
  while (!list.ended) protocols.push(list.vector(1).text())
  return protocols
}

/** Reads numbers and vectors in the notation of RFC 8446 section 3. Throws a RangeError beyond the end. */
class Reader {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get ended(): boolean {
    return this.at === this.bytes.length
  }

  skip(length: number): Buffer {
    const end = this.at + length
    if (end > this.bytes.length) throw new RangeError('beyond the end')
    const skipped = this.bytes.subarray(this.at, end)
    this.at = end
    return skipped
  }

  number(width: number): number {
    return this.skip(width).readUIntBE(0, width)
  }

  /** The vector that follows a length field of `width` bytes. */
  vector(width: number): Reader {
    return new Reader(this.skip(this.number(width)))
  }

  text(): string {
    return this.bytes.toString('latin1', this.at)
  }
}
