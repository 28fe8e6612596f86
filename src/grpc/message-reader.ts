import { COMPRESSED, PREFIX } from './message-frame.ts'

/** Why no further messages can be read. */
export class UnreadableMessages extends Error {}

const NOTHING = Buffer.alloc(0)

/** Extracts uncompressed messages from the bytes of a body as they arrive. */
export class MessageReader {
  private readonly limit: number
  private readonly prefix = Buffer.alloc(PREFIX)
  /** Bytes received so far of the prefix and of the message. */
  private prefixed = 0
  private size = 0
  private message = NOTHING

  /** `limit` is the maximum size of a message in bytes. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Whether an incomplete message has begun. */
  get isPartial(): boolean {
    return this.prefixed > 0
  }

  /** The messages that are completed by the chunk; they are copies. Throws UnreadableMessages. */
  read(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.prefixed < PREFIX) {
        const taken = chunk.copy(this.prefix, this.prefixed, at)
        this.prefixed += taken
        at += taken
        if (this.prefixed < PREFIX) break
        this.begin()
      }
      const taken = chunk.copy(this.roomFor(chunk.length - at), this.size, at)
      this.size += taken
      at += taken
      this.complete(messages)
    }
    return messages
  }

  private begin(): void {
    const length = this.prefix.readUInt32BE(1)
    if (this.prefix[0] === COMPRESSED) throw new UnreadableMessages('a message is compressed, which was not negotiated')
    if (this.prefix[0] !== 0) throw new UnreadableMessages('the body does not consist of gRPC messages')
    if (length > this.limit)
      throw new UnreadableMessages(`a message has ${length} bytes; at most ${this.limit} are allowed`)
    this.size = 0
    this.message = NOTHING
  }

  /** The message buffer, grown by up to that many bytes: the announced length may never arrive. */
  private roomFor(bytes: number): Buffer {
    const length = this.prefix.readUInt32BE(1)
    const needed = Math.min(length, this.size + bytes)
    if (needed <= this.message.length) return this.message
    const larger = Buffer.allocUnsafeSlow(Math.min(length, Math.max(needed, 2 * this.message.length)))
    this.message.copy(larger, 0, 0, this.size)
    this.message = larger
    return larger
  }

  private complete(messages: Buffer[]): void {
    if (this.size < this.prefix.readUInt32BE(1)) return
    messages.push(this.message)
    this.message = NOTHING
    this.prefixed = 0
  }
}
