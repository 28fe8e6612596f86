/** What the first message of a TLS client says of what it wants, before anything is encrypted (RFC 8446 section 4.1.2). */
export interface ClientHello {
  /** The name that it asks for (RFC 6066 section 3), in lower case; null where it names none, or what cannot be one. */
  readonly serverName: string | null
  /** The protocols that it offers to speak (RFC 7301), none where it names none. */
  readonly protocols: readonly string[]
}

/** What stands in place of a hello that is none, or that nobody can read: the library of TLS has to say what is wrong with it. */
const UNREADABLE: ClientHello = { serverName: null, protocols: [] }

/** No longer hello is read: OpenSSL takes none either. */
const LONGEST = 16_384

/** Octets that are waited through for it, headers of records among them. */
const MOST = 4 * LONGEST

/** Pieces that are kept by themselves: the memory of a small one is hundreds of times what it holds. */
const MOST_PIECES = 64

const RECORD_HEADER = 5
const MESSAGE_HEADER = 4
const HANDSHAKE = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const ALPN = 16
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/i

/** Whether what begins with that octet may be TLS. */
export function looksLikeTls(octet: number): boolean {
  return octet === HANDSHAKE
}

/**
 * Collects the hello of a client, which may come in any number of pieces and cut into any number of records. Each octet is
 * looked at once.
 */
export class ClientHelloCollector {
  private pieces: Buffer[] = []
  private collected = 0
  private readonly header = Buffer.alloc(RECORD_HEADER + MESSAGE_HEADER)
  private inRecordHeader = 0
  private inMessageHeader = 0
  /** What is still to come of the record. */
  private fragment = 0
  private message: Buffer | null = null
  private written = 0

  /** Everything that has come. */
  get octets(): Buffer {
    const [first] = this.pieces
    return this.pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.pieces)
  }

  /** Takes what has come, and keeps it; null while more has to come, and what asks for nothing where it is no hello, or too long. */
  take(octets: Buffer): ClientHello | null {
    if (this.pieces.length === MOST_PIECES) this.pieces = [this.octets]
    this.pieces.push(octets)
    this.collected += octets.length
    let at = 0
    while (at < octets.length) {
      const next = this.fragment === 0 ? this.readRecordHeader(octets, at) : this.readFragment(octets, at)
      if (next === null) return UNREADABLE
      at = next
      if (this.message !== null && this.written === this.message.length) return parse(this.message)
    }
    return this.collected > MOST ? UNREADABLE : null
  }

  /** Returns where it ends, or null where it is not that of a handshake. */
  private readRecordHeader(octets: Buffer, start: number): number | null {
    const { header } = this
    const end = Math.min(octets.length, start + RECORD_HEADER - this.inRecordHeader)
    octets.copy(header, this.inRecordHeader, start, end)
    this.inRecordHeader += end - start
    if (header[0] !== HANDSHAKE) return null
    if (this.inRecordHeader < RECORD_HEADER) return end
    this.inRecordHeader = 0
    this.fragment = header.readUInt16BE(3)
    // An empty fragment brings nothing, so that there could be any number of them (RFC 8446 section 5.1).
    return this.fragment === 0 || this.fragment > LONGEST ? null : end
  }

  /** Returns where what there is of the fragment ends, or of the message's header; null where that is not of a hello. */
  private readFragment(octets: Buffer, start: number): number | null {
    const { header, message } = this
    const end = Math.min(octets.length, start + this.fragment)
    if (message !== null) {
      const copied = octets.copy(message, this.written, start, end)
      this.written += copied
      this.fragment -= copied
      return start + copied
    }
    const stop = Math.min(end, start + MESSAGE_HEADER - this.inMessageHeader)
    octets.copy(header, RECORD_HEADER + this.inMessageHeader, start, stop)
    this.inMessageHeader += stop - start
    this.fragment -= stop - start
    if (header[RECORD_HEADER] !== CLIENT_HELLO) return null
    if (this.inMessageHeader < MESSAGE_HEADER) return stop
    const length = header.readUIntBE(RECORD_HEADER + 1, 3)
    if (length > LONGEST) return null
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

/** Throws a RangeError where a length leads beyond the end. */
function readMessage(hello: Reader): ClientHello {
  // 1. Version, random, session, ciphers, compression: not of interest here.
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

/** The list has one name at most (RFC 6066 section 3). */
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

/** Reads numbers and vectors, as RFC 8446 section 3 writes them. What leads beyond the end is a RangeError. */
class Reader {
  private readonly octets: Buffer
  private at = 0

  constructor(octets: Buffer) {
    this.octets = octets
  }

  get ended(): boolean {
    return this.at === this.octets.length
  }

  skip(length: number): Buffer {
    const end = this.at + length
    if (end > this.octets.length) throw new RangeError('beyond the end')
    const skipped = this.octets.subarray(this.at, end)
    this.at = end
    return skipped
  }

  number(width: number): number {
    return this.skip(width).readUIntBE(0, width)
  }

  /** What follows a length of so many octets. */
  vector(width: number): Reader {
    return new Reader(this.skip(this.number(width)))
  }

  text(): string {
    return this.octets.toString('latin1', this.at)
  }
}
