import { Input, type InputConsumer } from '../http/input.ts'
import { ConnectionError, ErrorCode } from './errors.ts'
import { Flag, FRAME_SIZE, FrameType, frameSizeError, HEADER_SIZE, PREFACE, protocolError } from './frames.ts'

// Bytes are read by index below an end that has been checked: each "!" asserts that, and costs nothing.

/** Receives the frames of streams. What its methods throw ends the connection. */
export interface StreamFrames {
  /** A piece of a stream's content; it is lent. `bytes` is what it uses of the window, padding included. */
  data(stream: number, content: Buffer, bytes: number): void
  /** The end of a DATA frame with `length` bytes of content. */
  dataEnd(stream: number, length: number, endStream: boolean): void
  /** The complete field section of a stream; lent. */
  fieldSection(stream: number, bytes: Buffer, start: number, end: number, endStream: boolean): void
  reset(stream: number, code: number): void
  goaway(lastStream: number, code: number): void
  windowUpdate(stream: number, bytes: number): void
  /** RFC 9218 section 7.1; `stream` is the prioritized stream. */
  priorityUpdate(stream: number, value: string): void
}

/** Receives the other frames. */
export interface ControlFrames {
  setting(id: number, value: number): void
  /** All settings of a frame have been passed to `setting`. */
  settings(): void
  settingsAcknowledged(): void
  /** `content` is 8 bytes, one character each. */
  ping(content: string): void
  pingAcknowledged(content: string): void
  /** A frame that has no meaning here. */
  ignored(type: number): void
}

export interface ReaderOptions {
  /** Receives the frames that do not belong to a stream. */
  readonly control: ControlFrames
  /** A client begins with its preface (RFC 9113 section 3.4). */
  readonly peer: 'client' | 'server'
  /** Maximum size of a field section in bytes. */
  readonly mostFields: () => number
  /** Called once with the first error. */
  readonly failed: (error: unknown) => void
}

/** Limit of CONTINUATION frames per field section: each may be as long as the whole section. */
const CONTINUATIONS = 8

/**
 * Reads the frames of one connection (RFC 9113 section 4). Content is passed on as it arrives, all other frames once
 * they are complete, so at most one frame is buffered. Never throws: errors are reported to `failed`.
 */
export class FrameReader implements InputConsumer {
  private readonly handler: StreamFrames
  private readonly control: ControlFrames
  private readonly failed: (error: unknown) => void
  private readonly input: Input
  /** Maximum size of a field section in bytes. */
  private readonly mostFields: () => number
  private prefaced: boolean
  private begun = false
  private broken = false
  /** The stream whose content is being read, how much of it is still to come, and how much padding after it. */
  private stream = 0
  private content = 0
  private padding = 0
  private contentLength = 0
  private endStream = false
  private inData = false
  /** The field section that has to be continued. */
  private section: Buffer | null = null
  private sectionStream = 0
  private sectionEnds = false
  private continuations = 0

  constructor(handler: StreamFrames, { control, peer, mostFields, failed }: ReaderOptions) {
    this.handler = handler
    this.control = control
    this.mostFields = mostFields
    this.failed = failed
    this.prefaced = peer === 'server'
    this.input = new Input(this)
  }

  /** Whether a frame has been received. */
  get hasReceived(): boolean {
    return this.begun
  }

  /** Whether the field section of a message is incomplete. */
  get inFields(): boolean {
    return !this.begun || this.section !== null || (this.input.length > 0 && !this.inData)
  }

  /** Takes bytes; they are only lent. */
  read(bytes: Buffer, end: number): void {
    if (!this.broken) this.input.feed(bytes, end)
  }

  consume(bytes: Buffer, start: number, end: number): number {
    if (this.broken) return end
    try {
      if (!this.prefaced) return this.preface(bytes, start, end)
      return this.inData ? this.readData(bytes, start, end) : this.readFrame(bytes, start, end)
    } catch (error) {
      this.broken = true
      this.failed(error)
      return end
    }
  }

  /** Stops reading. */
  stop(): void {
    this.broken = true
  }

  private preface(bytes: Buffer, start: number, end: number): number {
    const present = Math.min(end - start, PREFACE.length)
    if (bytes.toString('latin1', start, start + present) !== PREFACE.slice(0, present))
      throw protocolError('The connection does not begin with the HTTP/2 preface.')
    if (present < PREFACE.length) return start
    this.prefaced = true
    return start + present
  }

  private readFrame(bytes: Buffer, start: number, end: number): number {
    if (end - start < HEADER_SIZE) return start
    const length = (bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!
    const type = bytes[start + 3]!
    const flags = bytes[start + 4]!
    const stream = bytes.readInt32BE(start + 5) & 0x7fffffff
    if (length > FRAME_SIZE) throw frameSizeError(`A frame has ${length} bytes; at most ${FRAME_SIZE} are allowed.`)
    if (!this.begun && (type !== FrameType.settings || (flags & Flag.ack) !== 0))
      throw protocolError('The first frame is not SETTINGS.')
    if (this.section !== null && (type !== FrameType.continuation || stream !== this.sectionStream))
      throw protocolError('A field section is interrupted by another frame.')
    const at = start + HEADER_SIZE
    if (type === FrameType.data) return this.beginData(bytes, at, end, { length, flags, stream })
    if (end - at < length) return start
    this.begun = true
    this.frame(type, flags, stream, bytes, at, at + length)
    return at + length
  }

  private frame(type: number, flags: number, stream: number, bytes: Buffer, at: number, end: number): void {
    switch (type) {
      case FrameType.headers:
        return this.headers(flags, stream, bytes, at, end)
      case FrameType.continuation:
        return this.continuation(flags, bytes, at, end)
      case FrameType.priority:
        return this.priority(stream, bytes, at, end)
      case FrameType.rstStream:
        if (stream === 0) throw protocolError('RST_STREAM is on stream 0.')
        if (end - at !== 4) throw frameSizeError('RST_STREAM does not have 4 bytes.')
        return this.handler.reset(stream, bytes.readUInt32BE(at))
      case FrameType.settings:
        return this.settings(flags, stream, bytes, at, end)
      case FrameType.pushPromise:
        throw protocolError('PUSH_PROMISE is not allowed: clients do not push, and the gateway has disabled it.')
      case FrameType.ping:
        return this.ping(flags, stream, bytes, at, end)
      case FrameType.goaway:
        if (stream !== 0) throw protocolError('GOAWAY is not on stream 0.')
        if (end - at < 8) throw frameSizeError('GOAWAY has fewer than 8 bytes.')
        return this.handler.goaway(bytes.readUInt32BE(at) & 0x7fffffff, bytes.readUInt32BE(at + 4))
      case FrameType.windowUpdate:
        if (end - at !== 4) throw frameSizeError('WINDOW_UPDATE does not have 4 bytes.')
        return this.handler.windowUpdate(stream, bytes.readUInt32BE(at) & 0x7fffffff)
      case FrameType.priorityUpdate:
        return this.priorityUpdate(stream, bytes, at, end)
      default:
        // Unknown types are ignored (section 5.5).
        this.control.ignored(type)
    }
  }

  private beginData(
    bytes: Buffer,
    start: number,
    end: number,
    frame: { length: number; flags: number; stream: number },
  ): number {
    const { length, flags, stream } = frame
    if (stream === 0) throw protocolError('DATA is on stream 0.')
    const padded = (flags & Flag.padded) !== 0
    if (padded && length === 0) throw frameSizeError('DATA is padded, but has no pad length.')
    if (padded && start >= end) return start - HEADER_SIZE
    const padding = padded ? bytes[start]! : 0
    if (padded && padding >= length) throw protocolError('The padding of DATA is longer than the frame.')
    this.stream = stream
    this.padding = padding
    this.contentLength = this.content = length - padding - (padded ? 1 : 0)
    this.endStream = (flags & Flag.endStream) !== 0
    this.inData = true
    if (padded) this.handler.data(stream, bytes.subarray(0, 0), 1)
    return this.readData(bytes, padded ? start + 1 : start, end)
  }

  /** Content is passed on as it arrives. */
  private readData(bytes: Buffer, start: number, end: number): number {
    const { stream } = this
    let at = start
    if (this.content > 0 && at < end) {
      const stop = Math.min(end, at + this.content)
      this.content -= stop - at
      this.handler.data(stream, bytes.subarray(at, stop), stop - at)
      at = stop
    }
    if (this.content === 0 && this.padding > 0 && at < end) {
      const stop = Math.min(end, at + this.padding)
      this.padding -= stop - at
      this.handler.data(stream, bytes.subarray(0, 0), stop - at)
      at = stop
    }
    if (this.content > 0 || this.padding > 0) return at
    this.inData = false
    this.handler.dataEnd(stream, this.contentLength, this.endStream)
    return at
  }

  private headers(flags: number, stream: number, bytes: Buffer, start: number, stop: number): void {
    if (stream === 0) throw protocolError('HEADERS is on stream 0.')
    let at = start
    let end = stop
    if ((flags & Flag.padded) !== 0) {
      if (at >= end) throw frameSizeError('HEADERS is padded, but has no pad length.')
      end -= bytes[at]!
      at++
    }
    if ((flags & Flag.priority) !== 0) {
      if (stop - at < 5) throw frameSizeError('HEADERS is too short for its priority.')
      if (end - at < 5) throw protocolError(PADDED)
      if ((bytes.readUInt32BE(at) & 0x7fffffff) === stream) throw protocolError('A stream depends on itself.')
      at += 5
    }
    if (end < at) throw protocolError(PADDED)
    const ends = (flags & Flag.endStream) !== 0
    if ((flags & Flag.endHeaders) !== 0) return this.handler.fieldSection(stream, bytes, at, end, ends)
    this.section = Buffer.from(bytes.subarray(at, end))
    this.sectionStream = stream
    this.sectionEnds = ends
    this.continuations = 0
  }

  private continuation(flags: number, bytes: Buffer, at: number, end: number): void {
    const { section } = this
    if (section === null) throw protocolError('CONTINUATION does not follow HEADERS.')
    if (++this.continuations > CONTINUATIONS || section.length + end - at > this.mostFields())
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'A field section is too long.')
    const whole = Buffer.concat([section, bytes.subarray(at, end)])
    this.section = whole
    if ((flags & Flag.endHeaders) === 0) return
    this.section = null
    this.handler.fieldSection(this.sectionStream, whole, 0, whole.length, this.sectionEnds)
  }

  /** RFC 9113 section 6.3: dependencies are obsolete, but the format is still enforced. */
  private priority(stream: number, bytes: Buffer, at: number, end: number): void {
    if (stream === 0) throw protocolError('PRIORITY is on stream 0.')
    if (end - at !== 5) throw frameSizeError('PRIORITY does not have 5 bytes.')
    if ((bytes.readUInt32BE(at) & 0x7fffffff) === stream) throw protocolError('A stream depends on itself.')
    this.control.ignored(FrameType.priority)
  }

  private settings(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    if (stream !== 0) throw protocolError('SETTINGS is not on stream 0.')
    const length = end - start
    if ((flags & Flag.ack) !== 0) {
      if (length !== 0) throw frameSizeError('An acknowledgement of SETTINGS has content.')
      return this.control.settingsAcknowledged()
    }
    if (length % 6 !== 0) throw frameSizeError('The length of SETTINGS is not a multiple of 6 bytes.')
    for (let at = start; at < end; at += 6) this.control.setting(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2))
    this.control.settings()
  }

  private ping(flags: number, stream: number, bytes: Buffer, at: number, end: number): void {
    if (stream !== 0) throw protocolError('PING is not on stream 0.')
    if (end - at !== 8) throw frameSizeError('PING does not have 8 bytes.')
    const content = bytes.toString('latin1', at, end)
    if ((flags & Flag.ack) === 0) this.control.ping(content)
    else this.control.pingAcknowledged(content)
  }

  private priorityUpdate(stream: number, bytes: Buffer, at: number, end: number): void {
    if (stream !== 0) throw protocolError('PRIORITY_UPDATE is not on stream 0.')
    if (end - at < 4) throw frameSizeError('PRIORITY_UPDATE has fewer than 4 bytes.')
    this.handler.priorityUpdate(bytes.readUInt32BE(at) & 0x7fffffff, bytes.toString('latin1', at + 4, end))
  }
}

const PADDED = 'The padding of HEADERS is longer than the frame.'
