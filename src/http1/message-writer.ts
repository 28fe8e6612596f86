import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Bytes, type Body, type BodySink, type BodyStream } from '../http/body.ts'
import type { ReadAhead } from '../http/read-ahead.ts'
import { type Headers, wireOf } from '../http/headers.ts'
import { type TurnOwner, TurnWriter } from '../http/turn-writer.ts'

/** The connection that a message is written to. */
export interface WriterOwner extends TurnOwner {
  readonly socket: Socket
  /** The whole message was handed to the socket. */
  messageWritten(): void
  /** The body cannot be completed: the connection is of no more use. */
  messageFailed(error: Error): void
  /** The peer takes no more for now: `true`, told once or again; or has taken what there was, as after every progress of a body: `false`. */
  writeBlocked(blocked: boolean): void
}

/** Up to here, head and body go out as one string in one write. */
const ONE_WRITE = 15_000
const LAST_CHUNK = '0\r\n\r\n'

/** Writes one message after another: head and body in one write, at the end of the turn, where both are at hand, else streaming. */
export class MessageWriter implements BodySink {
  /** Octets of content of the message written last. */
  bytes = 0

  private readonly owner: WriterOwner
  private readonly text: TurnWriter
  /** What may be kept for a peer that takes no more; null: nothing. */
  private readonly ahead: ReadAhead | null
  /** The owner knows that the peer has not taken everything. */
  private blocked = false
  private head = ''
  private chunked = false
  private expected = -1
  private source: BodyStream | null = null
  /** Whose last chunk the socket still uses. */
  private lender: BodyStream | null = null
  /** Chunks whose write has not been reported as done. */
  private unflushed = 0
  private readonly flushed = (error?: Error | null): void => {
    if (--this.unflushed === 0 && !error) this.goOn()
  }

  constructor(owner: WriterOwner, ahead: ReadAhead | null = null) {
    this.owner = owner
    this.text = new TurnWriter(owner.socket, owner)
    this.ahead = ahead
  }

  /** Whether the peer has still to take what was written. */
  get waits(): boolean {
    return this.blocked
  }

  /** Whether a body is still being streamed. */
  get busy(): boolean {
    return this.source !== null
  }

  /**
   * Writes a message. `head` ends with the empty line and says how the body is framed: chunked, or `body.length`
   * octets, or until the end of the connection.
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
      // What is to be encrypted is used for a while after it was written.
      const whole = body.hasRoom && !(socket instanceof TLSSocket) ? body.behind(head) : null
      if (whole !== null) {
        this.text.flush()
        if (!socket.write(whole)) this.owner.full()
        // The system has not taken all of it yet.
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

  /** Writes the head alone; the body follows with `sendBody`, or `stop` forgoes it. */
  sendHead(head: string): void {
    this.bytes = 0
    this.text.put(head)
  }

  /** The body of the message whose head was written alone. */
  sendBody(body: BodyStream, chunked: boolean): void {
    this.chunked = chunked
    this.expected = body.length
    this.source = body
    // Whether the peer has taken the message before is no matter of this one's.
    this.blocked = false
    body.pipe(this)
  }

  write(chunk: Buffer): boolean {
    if (this.source === null) return false
    // In the chunked coding it would say that the content ends here.
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

  /** Keeps what the peer does not take yet, as long as it may: only then is anything copied. */
  private passAhead(chunk: Buffer, ahead: ReadAhead): boolean {
    const { owner } = this
    const behind = owner.socket.writableLength > 0
    const kept = behind && ahead.take(chunk.length)
    const more = this.put(kept ? Buffer.from(chunk) : chunk) || kept || this.leave(chunk, ahead)
    if (!more) this.lender = this.source
    if (!more || owner.socket.writableLength > 0) this.block()
    else owner.writeBlocked(false)
    return more
  }

  /** Whether the chunk, which the socket uses, is the writer's from now on. */
  private leave({ buffer }: Buffer, ahead: ReadAhead): boolean {
    if (this.source?.leave === undefined || !ahead.take(buffer.byteLength)) return false
    // What could not be spared goes by itself when the socket has done with it: until then it is counted.
    return this.source.leave()
  }

  private block(): void {
    if (this.blocked) return
    this.blocked = true
    this.owner.writeBlocked(true)
  }

  /** Writes a chunk with what must stand around it; false while the socket still uses the chunk or wants no more. */
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

  /** The socket has taken everything: the source may go on. */
  drained(): void {
    // Being told, the owner may begin with another message: nothing of that is over yet.
    if (this.lender !== null || this.blocked) return this.goOn()
    this.ahead?.release()
    this.owner.writeBlocked(false)
  }

  private goOn(): void {
    const { lender } = this
    this.ahead?.release()
    if (lender === null && !this.blocked) return
    this.blocked = false
    this.lender = null
    this.owner.writeBlocked(false)
    lender?.resume()
  }

  /** Writes what waits for the end of the turn: before anything else is done with the socket. */
  flush(): void {
    this.text.flush()
  }

  /** Writes what is no message of its own, in its place. */
  writeBeside(text: string): void {
    this.text.put(text)
  }

  /** The connection is gone, or the reader wants no more: the source is told. */
  stop(): void {
    const { source } = this
    this.ahead?.release()
    this.source = this.lender = null
    this.head = ''
    source?.cancel()
  }
}
