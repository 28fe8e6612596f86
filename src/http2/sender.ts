import type { Bytes } from '../http/body.ts'
import { ConnectionError, ErrorCode } from './errors.ts'
import { Flag, FRAME_SIZE, frameHeader, FrameType, headersFrames, MAX_WINDOW, protocolError, WINDOW } from './frames.ts'
import type { Output } from './output.ts'
import type { WorkBudget } from './work-budget.ts'

/** Sets the table's size to 0 (RFC 7541 section 6.3). */
const NO_TABLE = '\x20'

/** The sending side of a stream as the connection sees it. */
export interface SendingStream {
  readonly id: number
  /** Bytes that may be sent; below 0 where the peer has reduced its windows. */
  window: number
  /** 0 to 7, the most urgent first. */
  readonly urgency: number
  /** Data is waiting to be written. */
  readonly hasMore: boolean
  /** Continues writing, as far as possible. */
  advance(): void
}

/** Watches how the peer takes what waits for it. */
export interface TakingWatch {
  /** Data is waiting that the connection cannot take yet. */
  wait(): void
  /** No more data is waiting. */
  rest(): void
  /** The connection is closed. */
  close(): void
}

const UNWATCHED: TakingWatch = { wait: () => {}, rest: () => {}, close: () => {} }

export interface SenderOptions {
  readonly output: Output
  readonly workBudget: WorkBudget
  /** Creates the watch of the peer; omitted where each stream watches for itself. */
  readonly watch?: (sender: Sender) => TakingWatch
}

/** Credit for a DATA frame: the peer may acknowledge each one twice. */
const WORTH = 2
/** Smallest window update, in bytes, that a peer may send at no cost. */
const MIN_REPORT = 1024

/** Sends on one connection: what its peer is ready to take goes to the most urgent streams first, in turns. */
export class Sender {
  readonly output: Output
  /** Bytes of content sent. */
  bytes = 0
  /** What was sent last is still in use. */
  lending = false
  private readonly workBudget: WorkBudget
  private readonly watch: TakingWatch
  /** Streams whose messages wait for the connection. */
  private readonly waiting = new Set<SendingStream>()
  private window = WINDOW
  /** Bytes that the peer may still acknowledge by window updates: each twice, for its stream and for the connection. */
  private unreported = 0
  /** Prefix of the next field section. */
  private before = ''
  private emptied = false

  constructor({ output, workBudget, watch }: SenderOptions) {
    this.output = output
    this.workBudget = workBudget
    this.watch = watch?.(this) ?? UNWATCHED
  }

  /** Whether the stream waits for the peer to take what is pending. */
  waitsFor(stream: SendingStream): boolean {
    return this.waiting.has(stream)
  }

  /** Writes a field section as frames of a stream. */
  putFields(id: number, section: string, endStream: boolean): void {
    this.output.put(this.fields(id, section, endStream))
  }

  /**
   * The peer wants a smaller table of header fields: announces once an empty one, as none is used (RFC 7541 section
   * 4.2).
   */
  emptyTable(): void {
    if (!this.emptied) this.before = NO_TABLE
    this.emptied = true
  }

  private fields(id: number, section: string, endStream: boolean): string {
    if (this.before === '') return headersFrames(id, section, endStream)
    const whole = this.before + section
    this.before = ''
    return headersFrames(id, whole, endStream)
  }

  /** Sends a message in one go; false, with nothing sent, where windows or the connection do not allow that now. */
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

  /**
   * Sends as much of the content as may be sent now; returns the number of bytes. Where `lending` is set after that,
   * `released` will be called.
   */
  sendContent(stream: SendingStream, content: Buffer, last: boolean, released: (error?: Error | null) => void): number {
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

  /** Ends a stream whose content has been sent. */
  endStream(id: number): void {
    this.output.put(frameHeader(0, FrameType.data, Flag.endStream, id))
  }

  /** The message of a stream waits for a window, or for the connection. */
  waits(stream: SendingStream): void {
    // A stream that is held back by its own window alone continues once that is widened.
    if (stream.window <= 0 && !this.output.blocked) return
    this.waiting.add(stream)
    this.watch.wait()
  }

  /** Whether a WINDOW_UPDATE merely acknowledges what was sent, and not in tiny pieces. */
  isReport(bytes: number): boolean {
    if (bytes < MIN_REPORT || bytes > this.unreported) return false
    this.unreported -= bytes
    return true
  }

  /** The peer widens the window of the connection. Throws ConnectionError for an invalid increment. */
  widen(bytes: number): void {
    if (bytes === 0) throw protocolError('WINDOW_UPDATE has an increment of 0.')
    this.window += bytes
    if (this.window > MAX_WINDOW) throw new ConnectionError(ErrorCode.flowControlError, 'The window is too large.')
  }

  /** The same for one stream; false for an invalid increment. */
  widenStream(stream: SendingStream, bytes: number): boolean {
    stream.window += bytes
    if (stream.window > MAX_WINDOW) return false
    if (stream.hasMore && stream.window > 0) this.waiting.add(stream)
    return true
  }

  /**
   * The peer has changed the window of every stream by that much (RFC 9113 section 6.9.2). Throws ConnectionError where
   * one becomes too large.
   */
  widenAll(streams: Iterable<SendingStream>, bytes: number): void {
    for (const stream of streams)
      if (!this.widenStream(stream, bytes))
        throw new ConnectionError(ErrorCode.flowControlError, 'The window of a stream is too large.')
    this.pump()
  }

  /** A stream sends nothing more. */
  forget(stream: SendingStream): void {
    if (this.waiting.delete(stream) && this.waiting.size === 0) this.watch.rest()
  }

  /** Writes what is waiting, as far as the peer takes it. */
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

  private spend(stream: SendingStream, bytes: number): void {
    this.window -= bytes
    stream.window -= bytes
    this.bytes += bytes
    this.unreported += 2 * bytes
    this.workBudget.earn(WORTH)
  }
}
