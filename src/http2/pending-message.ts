import { Bytes } from '../http/body.ts'

/** Up to this size, in bytes, a body that arrived with its head is passed on as bytes. */
const WHOLE = 16_384

/**
 * A message whose head has arrived, possibly together with its content: it is held until the whole read has been
 * processed.
 */
export class PendingMessage<Stream, Message> {
  readonly stream: Stream
  readonly message: Message
  /** Announced length of the content in bytes, or -1. */
  readonly length: number
  /** Content so far; lent. */
  readonly chunks: Buffer[] = []
  /** Bytes so far, padding included. */
  bytes = 0

  constructor(stream: Stream, message: Message, length: number) {
    this.stream = stream
    this.message = message
    this.length = length
  }

  /** Takes some content; false where it would become too much. */
  take(content: Buffer, bytes: number): boolean {
    if (this.bytes + bytes > WHOLE) return false
    this.bytes += bytes
    if (content.length > 0) this.chunks.push(content)
    return true
  }

  /** All of the content, as bytes. */
  whole(): Bytes {
    const [first] = this.chunks
    if (this.chunks.length === 1 && first !== undefined) return Bytes.fromLatin1(first.toString('latin1'))
    return Bytes.fromLatin1(this.chunks.map((chunk) => chunk.toString('latin1')).join(''))
  }

  /** How many of the bytes are padding. */
  get padding(): number {
    return this.chunks.reduce((bytes, { length }) => bytes - length, this.bytes)
  }
}

/**
 * The pending messages of one connection, during the current read: peers such as nghttp2 send the heads of several streams
 * before the content of any.
 */
export class PendingMessages<Stream extends { readonly id: number }, Message> {
  private list: PendingMessage<Stream, Message>[] = []

  add(pending: PendingMessage<Stream, Message>): void {
    this.list.push(pending)
  }

  /** That of a stream; undefined where there is none. */
  of(id: number): PendingMessage<Stream, Message> | undefined {
    const { list } = this
    // Content usually arrives in the order of the heads.
    return list[0]?.stream.id === id ? list[0] : list.find(({ stream }) => stream.id === id)
  }

  delete(pending: PendingMessage<Stream, Message>): void {
    const at = this.list.indexOf(pending)
    if (at !== -1) this.list.splice(at, 1)
  }

  /** Removes and returns all of them. */
  take(): readonly PendingMessage<Stream, Message>[] {
    const { list } = this
    if (list.length > 0) this.list = []
    return list
  }
}
