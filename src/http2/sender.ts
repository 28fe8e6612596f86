import type { Bytes } from '../http/body.ts'
import { ConnectionError, ErrorCode } from './errors.ts'
import {
  Flag,
  FRAME_SIZE,
  frameHeader,
  FrameType,
  headersFrames,
  LARGEST_WINDOW,
  protocolError,
  WINDOW,
} from './frames.ts'
import type { Output } from './output.ts'
import type { Patience } from './patience.ts'

/** A change of the table's size to 0 (RFC 7541 section 6.3). */
const NO_TABLE = '\x20'

/** A stream as what it sends concerns the connection. */
export interface SendingStream {
  readonly id: number
  /** Octets that may be sent in it: below 0 where the peer has made its windows smaller. */
  window: number
  /** 0 to 7, the most urgent first. */
  readonly urgency: number
  /** There is something to be written that waits. */
  readonly hasMore: boolean
  /** Goes on writing, as far as that is possible. */
  advance(): void
}

/** Looks after how the peer takes what waits for it. */
export interface TakingWatch {
  /** There is something that the connection cannot take yet. */
  wait(): void
  /** There is nothing any more. */
  rest(): void
  /** The connection is gone. */
  close(): void
}

const UNWATCHED: TakingWatch = { wait: () => {}, rest: () => {}, close: () => {} }

/** Whose connection it is. */
export interface SenderOptions {
  readonly output: Output
  readonly patience: Patience
  /** Makes what looks after the peer; left out where each stream looks after itself. */
  readonly watch?: (sender: Sender) => TakingWatch
}

/** What a DATA frame is good for: a peer may well say of each twice that it has taken it. */
const WORTH = 2
/** Octets that a peer may say at a time that it has taken, at no cost. */
const LEAST_REPORT = 1024

/** What goes out on one connection: what its peer takes goes to the most urgent streams first, and to all in turn. */
export class Sender {
  readonly output: Output
  /** Octets of content that were sent. */
  bytes = 0
  /** What was sent last is still used. */
  lending = false
  private readonly patience: Patience
  private readonly watch: TakingWatch
  /** Streams whose messages wait for the connection. */
  private readonly waiting = new Set<SendingStream>()
  private window = WINDOW
  /** Octets of which the peer may yet say that it has taken them: of each twice, for its stream and for the connection. */
  private untold = 0
  /** What the next field section begins with. */
  private before = ''
  private emptied = false

  constructor({ output, patience, watch }: SenderOptions) {
    this.output = output
    this.patience = patience
    this.watch = watch?.(this) ?? UNWATCHED
  }

  /** Whether the stream waits for the peer to take what there is. */
  waitsFor(stream: SendingStream): boolean {
    return this.waiting.has(stream)
  }

  /** A field section as frames of a stream. */
  putFields(id: number, section: string, endStream: boolean): void {
    this.output.put(this.fields(id, section, endStream))
  }

  /** The peer wants a smaller table of header fields: says once that there is none, as none is used (RFC 7541 section 4.2). */
  emptyTable(): void {
    if (!this.emptied) this.before = NO_TABLE
    this.emptied = true
  }

  private fields(id: number, section: string, endStream: boolean): string {
    if (this.before === '') return headersFrames(id, section, endStream, FRAME_SIZE)
    const whole = this.before + section
    this.before = ''
    return headersFrames(id, whole, endStream, FRAME_SIZE)
  }

  /** Sends a message in one go; false where windows or the connection do not allow for that now, and nothing was sent. */
  sendWhole(stream: SendingStream, section: string, content: Bytes | null): boolean {
    const { output } = this
    if (output.blocked || this.waiting.size > 0) return false
    const length = content === null ? 0 : content.length
    if (length > FRAME_SIZE || length > this.window || length > stream.window) return false
    const { id } = stream
    if (content === null || length === 0) {
      output.put(this.fields(id, section, true))
      return true
    }
    this.spend(stream, length)
    const data = frameHeader(length, FrameType.data, Flag.endStream, id)
    output.put(this.fields(id, section, false) + data + content.toLatin1())
    return true
  }

  /** Sends as much of the content as may be sent now; returns how many octets. `released` is called where it was `lending`. */
  sendContent(stream: SendingStream, content: Buffer, last: boolean, released: () => void): number {
    this.lending = false
    if (this.output.blocked) return 0
    const length = Math.min(content.length, this.window, stream.window)
    if (length <= 0) return 0
    const whole = length === content.length
    this.spend(stream, length)
    const part = whole ? content : content.subarray(0, length)
    this.lending = this.output.putContent(stream.id, part, last && whole, released)
    return length
  }

  /** Ends a stream whose content has gone out. */
  endStream(id: number): void {
    this.output.put(frameHeader(0, FrameType.data, Flag.endStream, id))
  }

  /** The message of a stream waits for a window, or for the connection. */
  waits(stream: SendingStream): void {
    // What only its own window holds back goes on with that.
    if (stream.window <= 0 && !this.output.blocked) return
    this.waiting.add(stream)
    this.watch.wait()
  }

  /** Whether a WINDOW_UPDATE says no more than that what was sent was taken, and that not in the smallest pieces. */
  isReport(octets: number): boolean {
    if (octets < LEAST_REPORT || octets > this.untold) return false
    this.untold -= octets
    return true
  }

  /** The peer takes more. Throws ConnectionError where it says what cannot be. */
  widen(octets: number): void {
    if (octets === 0) throw protocolError('WINDOW_UPDATE adds nothing.')
    this.window += octets
    if (this.window > LARGEST_WINDOW) throw new ConnectionError(ErrorCode.flowControlError, 'The window is too large.')
  }

  /** The same of one stream; false where it says what cannot be. */
  widenStream(stream: SendingStream, octets: number): boolean {
    stream.window += octets
    if (stream.window > LARGEST_WINDOW) return false
    if (stream.hasMore && stream.window > 0) this.waiting.add(stream)
    return true
  }

  /** The peer has changed the window of every stream, by so much (RFC 9113 section 6.9.2). Throws ConnectionError where one becomes too large. */
  widenAll(streams: Iterable<SendingStream>, octets: number): void {
    for (const stream of streams)
      if (!this.widenStream(stream, octets))
        throw new ConnectionError(ErrorCode.flowControlError, 'The window of a stream is too large.')
    this.pump()
  }

  /** A stream sends nothing more. */
  forget(stream: SendingStream): void {
    if (this.waiting.delete(stream) && this.waiting.size === 0) this.watch.rest()
  }

  /** Writes what waits, as far as the peer takes it. */
  pump(): void {
    const { waiting, output } = this
    if (waiting.size === 0 || output.blocked) return
    const turn = [...waiting]
    if (turn.length > 1) turn.sort((one, other) => one.urgency - other.urgency)
    for (const stream of turn) {
      if (output.blocked) break
      waiting.delete(stream)
      stream.advance()
    }
    if (waiting.size === 0) this.watch.rest()
  }

  close(): void {
    this.watch.close()
  }

  private spend(stream: SendingStream, octets: number): void {
    this.window -= octets
    stream.window -= octets
    this.bytes += octets
    this.untold += 2 * octets
    this.patience.earn(WORTH)
  }
}
