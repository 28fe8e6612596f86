import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Bytes, type Body, type BodySink, type BodyStream } from '../http/body.ts'
import type { ReadAhead } from '../http/read-ahead.ts'
import { BULK, giveBack } from '../http/read-buffers.ts'
import { type Headers, wireOf } from '../http/headers.ts'
import { type TurnOwner, TurnWriter } from '../http/turn-writer.ts'

/** The connection that a message is written to. */
export interface WriterOwner extends TurnOwner {
  readonly socket: Socket
  /** The whole message was handed to the socket. */
  messageWritten(): void
  /** The body cannot be completed: the connection is no longer usable. */
  messageFailed(error: Error): void
  /**
   * `true`: the peer takes no more for now; may be repeated. `false`: the peer has taken everything; also called after
   * each progress of a body.
   */
  writeBlocked(blocked: boolean): void
}

/** Up to this size, in bytes, head and body are written as one string in one write. */
const ONE_WRITE = 15_000
const LAST_CHUNK = '0\r\n\r\n'

/**
 * Writes one message after another: head and body in one write, at the end of the turn, where both are in memory;
 * otherwise streaming.
 */
export class MessageWriter implements BodySink {
  /** Bytes of content of the message written last. */
  bytes = 0

  private readonly owner: WriterOwner
  private readonly text: TurnWriter
  /** Buffers data for a peer that takes no more; null: no buffering. */
  private readonly ahead: ReadAhead | null
  /** The owner has been told that the peer has not taken everything. */
  private blocked = false
  private head = ''
  private chunked = false
  private expected = -1
  private source: BodyStream | null = null
  /** The source whose last chunk is still used by the socket. */
  private lender: BodyStream | null = null
  /** Read buffers that sources have handed over, for the pool once the socket has written all of them. */
  private readonly taken: Buffer[] = []
  /** Chunks whose write callback is still to come. */
  private unflushed = 0
  private readonly flushed = (error?: Error | null): void => {
    if (--this.unflushed === 0 && !error) this.goOn()
  }

  constructor(owner: WriterOwner, ahead: ReadAhead | null = null) {
    this.owner = owner
    this.text = new TurnWriter(owner.socket, owner)
    this.ahead = ahead
  }

  /** Whether the peer has not yet taken everything that was written. */
  get waits(): boolean {
    return this.blocked
  }

  /** Whether a body is still being streamed. */
  get busy(): boolean {
    return this.source !== null
  }

  /**
   * Writes a message. `head` includes the empty line and states the framing of the body: chunked, or `body.length`
   * bytes, or until the end of the connection.
   */
  send(head: string, body: Body, chunked: boolean): void {
    if (body === null) {
      this.bytes = 0
      this.text.put(head)
      this.owner.messageWritten()
      return
    }
    if (body instanceof Bytes) {
      this.bytes = body.length
      const { socket } = this.owner
      // With TLS, the buffer stays in use for a while after the write.
      const whole = body.hasRoom && !(socket instanceof TLSSocket) ? body.behind(head) : null
      if (whole !== null) {
        this.text.flush()
        if (!socket.write(whole)) this.owner.full()
        // The operating system has not taken all of it yet.
        if (socket.writableLength > 0) body.leave()
      } else if (!body.hasRoom && head.length + body.length <= ONE_WRITE) {
        this.text.put(head + body.toLatin1())
      } else {
        socket.cork()
        this.text.put(head)
        this.text.flush()
        socket.write(body.toBuffer())
        socket.uncork()
      }
      this.owner.messageWritten()
      return
    }
    this.bytes = 0
    this.head = head
    this.sendBody(body, chunked)
    if (this.head === '') return
    this.text.put(this.head)
    this.head = ''
  }

  /** Writes only the head; the body follows with `sendBody`, or `stop` gives it up. */
  sendHead(head: string): void {
    this.bytes = 0
    this.text.put(head)
  }

  /** Sends the body of the message whose head was written with `sendHead`. */
  sendBody(body: BodyStream, chunked: boolean): void {
    this.chunked = chunked
    this.expected = body.length
    this.source = body
    // Whether the peer has taken the previous message does not matter for this one.
    this.blocked = false
    body.pipe(this)
  }

  write(chunk: Buffer): boolean {
    if (this.source === null) return false
    // In the chunked coding, an empty chunk would end the content.
    if (chunk.length === 0) return true
    this.bytes += chunk.length
    if (this.expected >= 0 && this.bytes > this.expected) {
      this.stop()
      this.owner.messageFailed(new Error('the body is longer than announced'))
      return false
    }
    return this.ahead === null ? this.pass(chunk) : this.passAhead(chunk, this.ahead)
  }

  private pass(chunk: Buffer): boolean {
    const more = this.put(chunk)
    this.owner.writeBlocked(!more)
    if (!more) this.lender = this.source
    return more
  }

  /** Buffers what the peer does not take yet, within the limits; small chunks are copied for that. */
  private passAhead(chunk: Buffer, ahead: ReadAhead): boolean {
    const { owner } = this
    const behind = owner.socket.writableLength > 0
    const taken = behind && chunk.length >= BULK && this.take(chunk, ahead)
    const copied = behind && !taken && ahead.take(chunk.length)
    const more = this.put(copied ? Buffer.from(chunk) : chunk) || taken || copied || this.take(chunk, ahead)
    if (!more) this.lender = this.source
    if (!more || owner.socket.writableLength > 0) this.block()
    else owner.writeBlocked(false)
    return more
  }

  /** Takes over the buffer of the chunk, as the socket still uses it; false where that is not possible. */
  private take({ buffer }: Buffer, ahead: ReadAhead): boolean {
    if (this.source?.leave === undefined || !ahead.take(buffer.byteLength)) return false
    // If the source cannot hand over the chunk, the reservation stays in place until the socket is finished with it.
    const handed = this.source.leave()
    if (typeof handed === 'boolean') return handed
    this.taken.push(handed)
    return true
  }

  private block(): void {
    if (this.blocked) return
    this.blocked = true
    this.owner.writeBlocked(true)
  }

  /** Writes a chunk with its framing; false while the socket still uses the chunk or is full. */
  private put(chunk: Buffer): boolean {
    const { socket } = this.owner
    const { chunked } = this
    const before = chunked ? `${this.head}${chunk.length.toString(16)}\r\n` : this.head
    this.head = ''
    this.text.flush()
    this.unflushed++
    if (before.length + chunk.length <= ONE_WRITE)
      return socket.write(`${before}${chunk.toString('latin1')}${chunked ? '\r\n' : ''}`, 'latin1', this.flushed)
    if (before === '') {
      socket.write(chunk, this.flushed)
    } else {
      socket.cork()
      socket.write(before, 'latin1')
      socket.write(chunk, this.flushed)
      if (chunked) socket.write('\r\n', 'latin1')
      socket.uncork()
    }
    return socket.writableLength === 0
  }

  end(trailers: Headers | null): void {
    if (this.source === null) return
    this.source = null
    if (this.expected >= 0 && this.bytes !== this.expected)
      return this.owner.messageFailed(new Error('the body is shorter than announced'))
    const tail = this.chunked ? (trailers === null ? LAST_CHUNK : `0\r\n${wireOf(trailers)}\r\n`) : ''
    if (this.head !== '' || tail !== '') this.text.put(this.head + tail)
    this.head = ''
    this.owner.messageWritten()
  }

  fail(error: Error): void {
    if (this.source === null) return
    this.source = null
    this.head = ''
    this.owner.messageFailed(error)
  }

  /** The socket has taken everything: the source may continue. */
  drained(): void {
    // When notified, the owner may start another message, so nothing may be done after that.
    if (this.lender !== null || this.blocked) return this.goOn()
    this.returnTaken()
    this.owner.writeBlocked(false)
  }

  private goOn(): void {
    const { lender } = this
    this.returnTaken()
    if (lender === null && !this.blocked) return
    this.blocked = false
    this.lender = null
    this.owner.writeBlocked(false)
    lender?.resume()
  }

  /** Nothing is buffered any more: returns what was reserved for it, and the buffers. */
  private returnTaken(): void {
    this.ahead?.release()
    for (const buffer of this.taken) giveBack(buffer)
    this.taken.length = 0
  }

  /** Writes what is waiting for the end of the turn: required before using the socket in another way. */
  flush(): void {
    this.text.flush()
  }

  /** Writes something that is not a message of its own, in order with the messages. */
  writeBeside(text: string): void {
    this.text.put(text)
  }

  /** The connection is closed, or the peer wants no more: cancels the source. */
  stop(): void {
    const { source } = this
    this.ahead?.release()
    this.source = this.lender = null
    this.head = ''
    source?.cancel()
  }
}
