import { clientNetwork } from '../core/client-network.ts'
import { GatewayError } from '../core/errors.ts'
import type { Headers } from './headers.ts'

/** A message's content: nothing, bytes at hand, or a stream of them. */
export type Body = Bytes | BodyStream | null

/** Octets before a kept body in which heads are written. */
export const HEAD_ROOM = 2_048

/** Up to here, head and body go out as one string, so that a body that is kept is one, in octets. */
const AS_TEXT = 14_000

/**
 * A complete body in memory, in the form it arrived in. It is converted whenever the other form is asked for: a body that is
 * kept, as in a cache, is held once.
 */
export class Bytes {
  /** Octets. */
  readonly length: number
  private content: string | Buffer
  /** The content with HEAD_ROOM octets before it; null where there is no such room. */
  private whole: Buffer | null = null
  /** The part of it that was given out last: heads of the same message are as long as one another. */
  private piece: Buffer | null = null

  private constructor(content: string | Buffer) {
    this.length = content.length
    this.content = content
  }

  /** From a byte string: one character an octet. */
  static fromLatin1(text: string): Bytes {
    return new Bytes(text)
  }

  /** From a buffer that nobody changes afterwards. */
  static fromBuffer(buffer: Buffer): Bytes {
    return new Bytes(buffer)
  }

  /**
   * From a buffer that nobody else has, whose content begins after HEAD_ROOM octets: to be sent again and again, each time in one piece
   * with the head that is written before it.
   */
  static withRoom(whole: Buffer): Bytes {
    const bytes = new Bytes(whole.subarray(HEAD_ROOM))
    bytes.whole = whole
    return bytes
  }

  /** From the pieces of a body that is kept; they are copied, as `kept` has it. */
  static join(pieces: readonly Buffer[]): Bytes {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const octets = Buffer.allocUnsafeSlow(length)
    let at = 0
    for (const piece of pieces) at += piece.copy(octets, at)
    return Bytes.fromBuffer(octets).kept()
  }

  /** From text, as UTF-8. */
  static fromText(text: string): Bytes {
    return Bytes.fromBuffer(Buffer.from(text, 'utf8'))
  }

  /** The same in the form in which it is best sent again and again, and in memory that holds nothing else. */
  kept(): Bytes {
    const { content, length } = this
    if (length <= AS_TEXT) return new Bytes(this.toBuffer().toString('latin1'))
    if (typeof content !== 'string' && content.buffer.byteLength === length) return this
    const own = Buffer.allocUnsafeSlow(length)
    if (typeof content === 'string') own.write(content, 'latin1')
    else content.copy(own)
    return new Bytes(own)
  }

  /** Whether it goes out in one piece with a head. */
  get hasRoom(): boolean {
    return this.whole !== null
  }

  /** The head and the content in one piece, until the next one is asked for; null where there is no room for that head, one octet a character. */
  behind(head: string): Buffer | null {
    const { whole } = this
    const start = HEAD_ROOM - head.length
    if (whole === null || start < 0) return null
    whole.write(head, start, 'latin1')
    if (this.piece?.length !== whole.length - start) this.piece = whole.subarray(start)
    return this.piece
  }

  /** Leaves the piece that was given out last to whoever still uses it: the next one is another. */
  leave(): void {
    const { whole } = this
    if (whole === null) return
    const own = Buffer.allocUnsafeSlow(whole.length)
    whole.copy(own, HEAD_ROOM, HEAD_ROOM)
    this.whole = own
    this.piece = null
    this.content = own.subarray(HEAD_ROOM)
  }

  /** Writes the octets into a buffer, from that one on. */
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

/** Where a body stream goes: the socket, or something that transforms or keeps it. */
export interface BodySink {
  /**
   * Takes a chunk. It is only lent: for the duration of the call, or, after false, until `resume` of the source is
   * called. After false nothing more is written until then.
   */
  write(chunk: Buffer): boolean
  /** The body is complete; trailers are the fields that followed it, or null. */
  end(trailers: Headers | null): void
  /** The body will not be completed. */
  fail(error: Error): void
}

/**
 * A body on its way: one consumer, pushed to it with backpressure. Nothing is delivered before `pipe`.
 * After `end` or `fail` of its sink, or after `cancel`, nothing more comes.
 */
export interface BodyStream {
  /** Octets to come in all, or -1 where that is not known beforehand. */
  readonly length: number
  /** Begins delivery; to be called once. What is already there is delivered before it returns. */
  pipe(sink: BodySink): void
  /** Continues after a `write` that returned false; to be called once for each, also when the body has ended since. */
  resume(): void
  /**
   * Called within a `write` that has not returned yet: leaves the chunk to the sink, which may use it for as long as it
   * likes whatever it answers. False where it cannot be spared, as always without this method.
   */
  leave?(): boolean
  /** The consumer wants no more: the source is free to close what it reads from. */
  cancel(): void
}

/** Whether the body is on its way rather than at hand. */
export function isStream(body: Body): body is BodyStream {
  return body !== null && !(body instanceof Bytes)
}

/** Whether it is a body whose length can be announced: what others make may say anything of it. */
export function isBody(value: Body): boolean {
  if (value === null || value instanceof Bytes) return true
  return typeof value === 'object' && typeof value.pipe === 'function' && Number.isSafeInteger(value.length)
}

/** Says that nobody wants the body. */
export function cancelBody(body: Body): void {
  if (isStream(body)) body.cancel()
}

/**
 * How much of bodies that are still arriving is held in memory, for all of them together; in octets. No client is given more than is
 * left to others after that: one alone gets half, two a third each, and there is always room for somebody else. Of IPv6 a network of 64
 * bits is one client.
 */
export class Budget {
  private left: number
  /** What each client has, by its network; those that have nothing are not there. */
  private readonly clients = new Map<string, number>()

  constructor(most: number) {
    this.left = most
  }

  /** Octets that nobody has. */
  get free(): number {
    return this.left
  }

  /** Whether there was room for that many octets more for the client of that address. */
  take(octets: number, client: string): boolean {
    if (octets === 0) return true
    const network = clientNetwork(client)
    const own = (this.clients.get(network) ?? 0) + octets
    const left = this.left - octets
    if (own > left) return false
    this.left = left
    this.clients.set(network, own)
    return true
  }

  /** The client has that many octets less. */
  giveBack(octets: number, client: string): void {
    if (octets === 0) return
    this.left += octets
    const network = clientNetwork(client)
    const own = (this.clients.get(network) ?? 0) - octets
    if (own > 0) this.clients.set(network, own)
    else this.clients.delete(network)
  }
}

const NOTHING = Buffer.alloc(0)

/** Of a thread. */
const shared = new Budget(256 * 1024 ** 2)

/**
 * Reads a body to its end into memory, on the account of the client of that address.
 * Throws GatewayError 'content-too-large' once it has more than `limit` octets, 'too-busy' where there is no room for more
 * in the budget, or what the source failed with.
 */
export function collect(body: Body, limit: number, client: string, budget: Budget = shared): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    if (body === null) return resolve(Bytes.fromLatin1(''))
    if (body.length > limit) {
      cancelBody(body)
      return reject(new GatewayError('content-too-large', `The body is larger than ${limit} bytes.`))
    }
    if (body instanceof Bytes) return resolve(body)
    // One buffer that grows, not a list of chunks: these may be tiny, and each would cost far more than its octets.
    let kept: Buffer = NOTHING
    let size = 0
    const stop = (error: Error): false => {
      budget.giveBack(kept.length, client)
      kept = NOTHING
      body.cancel()
      reject(error)
      return false
    }
    const makeRoom = (octets: number): boolean => {
      if (octets <= kept.length) return true
      const room = Math.min(limit, Math.max(octets, 2 * kept.length))
      if (!budget.take(room - kept.length, client)) return false
      const larger = Buffer.allocUnsafeSlow(room)
      kept.copy(larger, 0, 0, size)
      kept = larger
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
        chunk.copy(kept, size)
        size += chunk.length
        return true
      },
      end() {
        budget.giveBack(kept.length, client)
        resolve(Bytes.fromBuffer(kept.subarray(0, size)))
      },
      fail(error) {
        budget.giveBack(kept.length, client)
        reject(error)
      },
    })
  })
}
