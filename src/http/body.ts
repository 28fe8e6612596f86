import { clientNetwork } from '../core/client-network.ts'
import { GatewayError } from '../core/errors.ts'
import type { Headers } from './headers.ts'

/** The content of a message: none, bytes in memory, or a stream of bytes. */
export type Body = Bytes | BodyStream | null

/** Bytes reserved in front of a kept body, for writing heads into. */
export const HEAD_ROOM = 2_048

/** Up to this size, in bytes, head and body are written as one string, so a body that is kept is stored as a string. */
export const AS_TEXT = 14_000

/**
 * A complete body in memory, in the form in which it arrived (string or buffer). It is converted each time the other
 * form is requested; the result is not stored, so that a body that is kept, as in a cache, is held only once.
 */
export class Bytes {
  readonly length: number
  private content: string | Buffer
  /** The content preceded by HEAD_ROOM bytes; null where there is no such room. */
  private whole: Buffer | null = null
  /** The slice of `whole` that was handed out last: heads of the same message usually have the same length. */
  private piece: Buffer | null = null

  private constructor(content: string | Buffer) {
    this.length = content.length
    this.content = content
  }

  /** From a byte string: one character per byte. */
  static fromLatin1(text: string): Bytes {
    return new Bytes(text)
  }

  /** From a buffer that must not be modified afterwards. */
  static fromBuffer(buffer: Buffer): Bytes {
    return new Bytes(buffer)
  }

  /**
   * From a buffer that nothing else refers to, whose content begins after HEAD_ROOM bytes. For bodies that are sent
   * repeatedly, each time in one piece with the head that is written in front of them.
   */
  static withRoom(whole: Buffer): Bytes {
    const bytes = new Bytes(whole.subarray(HEAD_ROOM))
    bytes.whole = whole
    return bytes
  }

  /** From the pieces of a body to be kept; they are copied, in the form described at `detached`. */
  static join(pieces: readonly Buffer[]): Bytes {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const bytes = Buffer.allocUnsafeSlow(length)
    let at = 0
    for (const piece of pieces) at += piece.copy(bytes, at)
    return Bytes.fromBuffer(bytes).detached()
  }

  /** From text, as UTF-8. */
  static fromText(text: string): Bytes {
    return Bytes.fromBuffer(Buffer.from(text, 'utf8'))
  }

  /** The same content in the form best suited to being sent repeatedly, in memory that holds nothing else. */
  detached(): Bytes {
    const { content, length } = this
    if (length <= AS_TEXT) return new Bytes(this.toBuffer().toString('latin1'))
    if (typeof content !== 'string' && content.buffer.byteLength === length) return this
    const own = Buffer.allocUnsafeSlow(length)
    if (typeof content === 'string') own.write(content, 'latin1')
    else content.copy(own)
    return new Bytes(own)
  }

  /** Whether it can be sent in one piece with a head. */
  get hasRoom(): boolean {
    return this.whole !== null
  }

  /**
   * The head and the content in one piece, valid until the next call; null where the head, at one byte per character,
   * does not fit.
   */
  behind(head: string): Buffer | null {
    const { whole } = this
    const start = HEAD_ROOM - head.length
    if (whole === null || start < 0) return null
    whole.write(head, start, 'latin1')
    if (this.piece?.length !== whole.length - start) this.piece = whole.subarray(start)
    return this.piece
  }

  /** Leaves the piece that was handed out last to its current user: the next call of `behind` uses other memory. */
  leave(): void {
    const { whole } = this
    if (whole === null) return
    const own = Buffer.allocUnsafeSlow(whole.length)
    whole.copy(own, HEAD_ROOM, HEAD_ROOM)
    this.whole = own
    this.piece = null
    this.content = own.subarray(HEAD_ROOM)
  }

  /** Writes the bytes into a buffer, starting at `at`. */
  copyTo(target: Buffer, at: number): void {
    if (typeof this.content === 'string') target.write(this.content, at, 'latin1')
    else this.content.copy(target, at)
  }

  toLatin1(): string {
    return typeof this.content === 'string' ? this.content : this.content.toString('latin1')
  }

  toBuffer(): Buffer {
    return typeof this.content === 'string' ? Buffer.from(this.content, 'latin1') : this.content
  }

  /** Decoded as UTF-8. */
  toText(): string {
    return this.toBuffer().toString('utf8')
  }
}

/** Where a body stream is delivered: the socket, or something that transforms or stores it. */
export interface BodySink {
  /**
   * Takes a chunk. The chunk is only lent: for the duration of the call or, if it returns false, until `resume` of the
   * source is called. After false, nothing more is written until then.
   */
  write(chunk: Buffer): boolean
  /** The body is complete; `trailers` are the trailer fields that followed it, or null. */
  end(trailers: Headers | null): void
  /** The body will not be completed. */
  fail(error: Error): void
}

/**
 * A body in transit, pushed to its one consumer with backpressure. Nothing is delivered before `pipe`, and nothing more
 * after `end` or `fail` of the sink, or after `cancel`.
 */
export interface BodyStream {
  /** Total length in bytes, or -1 where it is not known in advance. */
  readonly length: number
  /** Begins delivery; to be called once. Data that has already arrived is delivered before it returns. */
  pipe(sink: BodySink): void
  /** Continues after a `write` that returned false; to be called once for each, even if the body has ended since. */
  resume(): void
  /**
   * Called within a `write` that has not returned yet: hands the chunk over to the sink, which may then use it for as
   * long as it likes, whatever `write` returns. Returns false where the chunk cannot be handed over; so do streams
   * without this method. Returns the read buffer that holds the chunk where the sink is to return it to the pool
   * (`giveBack`) after use.
   */
  leave?(): boolean | Buffer
  /** The consumer wants no more: the source may close what it reads from. */
  cancel(): void
}

/** Whether the body is a stream rather than in memory. */
export function isStream(body: Body): body is BodyStream {
  return body !== null && !(body instanceof Bytes)
}

/** Whether the value is a valid body with a usable length: code outside of the gateway may supply anything. */
export function isBody(value: Body): boolean {
  if (value === null || value instanceof Bytes) return true
  return typeof value === 'object' && typeof value.pipe === 'function' && Number.isSafeInteger(value.length)
}

/** Cancels the body where it is a stream: it will not be consumed. */
export function cancelBody(body: Body): void {
  if (isStream(body)) body.cancel()
}

/**
 * Limits how many bytes of bodies that are still arriving are held in memory, over all of them. No client may hold more
 * than is left for the others afterwards: a single client gets half, two get a third each, and there is always room for
 * another one. An IPv6 network of 64 bits counts as one client.
 */
export class Budget {
  private left: number
  /** Bytes held per client network; networks that hold nothing have no entry. */
  private readonly clients = new Map<string, number>()

  constructor(most: number) {
    this.left = most
  }

  /** Unused bytes. */
  get free(): number {
    return this.left
  }

  /** Whether there is room for that many more bytes of the client of that address. */
  hasRoomFor(bytes: number, client: string): boolean {
    return (this.clients.get(clientNetwork(client)) ?? 0) + bytes <= this.left - bytes
  }

  /** Reserves that many more bytes for the client of that address; false where there is no room. */
  take(bytes: number, client: string): boolean {
    if (bytes === 0) return true
    const network = clientNetwork(client)
    const own = (this.clients.get(network) ?? 0) + bytes
    const left = this.left - bytes
    if (own > left) return false
    this.left = left
    this.clients.set(network, own)
    return true
  }

  /** Releases that many bytes of the client's share. */
  giveBack(bytes: number, client: string): void {
    if (bytes === 0) return
    this.left += bytes
    const network = clientNetwork(client)
    const own = (this.clients.get(network) ?? 0) - bytes
    if (own > 0) this.clients.set(network, own)
    else this.clients.delete(network)
  }
}

const NOTHING = Buffer.alloc(0)

/** The default budget, per thread. */
const shared = new Budget(256 * 1024 ** 2)

/**
 * Reads a whole body into memory, charged to the client of that address. Throws GatewayError 'content-too-large' once
 * it exceeds `limit` bytes, 'too-busy' where the budget has no room for more, or the error with which the source
 * failed.
 */
export function collect(body: Body, limit: number, client: string, budget: Budget = shared): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    if (body === null) return resolve(Bytes.fromLatin1(''))
    if (body.length > limit) {
      cancelBody(body)
      return reject(new GatewayError('content-too-large', `The body is larger than ${limit} bytes.`))
    }
    if (body instanceof Bytes) return resolve(body)
    // A single growing buffer, not a list of chunks: chunks may be tiny, and each would cost far more than its bytes.
    let buffered: Buffer = NOTHING
    let size = 0
    const stop = (error: Error): false => {
      budget.giveBack(buffered.length, client)
      buffered = NOTHING
      body.cancel()
      reject(error)
      return false
    }
    const makeRoom = (bytes: number): boolean => {
      if (bytes <= buffered.length) return true
      const room = Math.min(limit, Math.max(bytes, 2 * buffered.length))
      if (!budget.take(room - buffered.length, client)) return false
      const larger = Buffer.allocUnsafeSlow(room)
      buffered.copy(larger, 0, 0, size)
      buffered = larger
      return true
    }
    body.pipe({
      write(chunk) {
        if (size + chunk.length > limit)
          return stop(new GatewayError('content-too-large', `The body is larger than ${limit} bytes.`))
        if (!makeRoom(size + chunk.length))
          return stop(
            new GatewayError('too-busy', 'The gateway is receiving too many bodies at once. Try again later.'),
          )
        chunk.copy(buffered, size)
        size += chunk.length
        return true
      },
      end() {
        budget.giveBack(buffered.length, client)
        resolve(Bytes.fromBuffer(buffered.subarray(0, size)))
      },
      fail(error) {
        budget.giveBack(buffered.length, client)
        reject(error)
      },
    })
  })
}
