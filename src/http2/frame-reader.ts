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
  get heard(): boolean {
    return this.begun
  }

  /** Whether something is incomplete: a frame, or a field section. */
  get midway(): boolean {
    return !this.begun || this.inData || this.section !== null || this.input.length > 0
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
      throw protocolError('The connection does not begin as one of HTTP/2.')
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
    if (length > FRAME_SIZE) throw frameSizeError(`A frame has ${length} bytes, of ${FRAME_SIZE} at most.`)
    if (!this.begun && (type !== FrameType.settings || (flags & Flag.ack) !== 0))
      throw protocolError('The first frame is not SETTINGS.')
    if (this.section !== null && (type !== FrameType.continuation || stream !== this.sectionStream))
      throw protocolError('A field section is not continued.')
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
        if (stream === 0) throw protocolError('RST_STREAM is of no stream.')
        if (end - at !== 4) throw frameSizeError('RST_STREAM has not 4 bytes.')
        return this.handler.reset(stream, bytes.readUInt32BE(at))
      case FrameType.settings:
        return this.settings(flags, stream, bytes, at, end)
      case FrameType.pushPromise:
        throw protocolError('PUSH_PROMISE is of nobody: a client does not push, and this one has asked for none.')
      case FrameType.ping:
        return this.ping(flags, stream, bytes, at, end)
      case FrameType.goaway:
        if (stream !== 0) throw protocolError('GOAWAY is of a stream.')
        if (end - at < 8) throw frameSizeError('GOAWAY has less than 8 bytes.')
        return this.handler.goaway(bytes.readUInt32BE(at) & 0x7fffffff, bytes.readUInt32BE(at + 4))
      case FrameType.windowUpdate:
        if (end - at !== 4) throw frameSizeError('WINDOW_UPDATE has not 4 bytes.')
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
    if (stream === 0) throw protocolError('DATA is of no stream.')
    const padded = (flags & Flag.padded) !== 0
    if (padded && length === 0) throw frameSizeError('DATA is padded and has no room for the length of that.')
    if (padded && start >= end) return start - HEADER_SIZE
    const padding = padded ? bytes[start]! : 0
    if (padded && padding >= length) throw protocolError('DATA is padded beyond its end.')
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
    if (stream === 0) throw protocolError('HEADERS is of no stream.')
    let at = start
    let end = stop
    if ((flags & Flag.padded) !== 0) {
      if (at >= end) throw frameSizeError('HEADERS is padded and has no room for the length of that.')
      end -= bytes[at]!
      at++
    }
    if ((flags & Flag.priority) !== 0) {
      if (stop - at < 5) throw frameSizeError('HEADERS has no room for a priority.')
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
    if (section === null) throw protocolError('CONTINUATION continues nothing.')
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
    if (stream === 0) throw protocolError('PRIORITY is of no stream.')
    if (end - at !== 5) throw frameSizeError('PRIORITY has not 5 bytes.')
    if ((bytes.readUInt32BE(at) & 0x7fffffff) === stream) throw protocolError('A stream depends on itself.')
    this.control.ignored(FrameType.priority)
  }

  private settings(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    if (stream !== 0) throw protocolError('SETTINGS is of a stream.')
    const length = end - start
    if ((flags & Flag.ack) !== 0) {
      if (length !== 0) throw frameSizeError('An acknowledgement of SETTINGS has content.')
      return this.control.settingsAcknowledged()
    }
    if (length % 6 !== 0) throw frameSizeError('SETTINGS has not 6 bytes for each setting.')
    for (let at = start; at < end; at += 6) this.control.setting(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2))
    this.control.settings()
  }

  private ping(flags: number, stream: number, bytes: Buffer, at: number, end: number): void {
    if (stream !== 0) throw protocolError('PING is of a stream.')
    if (end - at !== 8) throw frameSizeError('PING has not 8 bytes.')
    const content = bytes.toString('latin1', at, end)
    if ((flags & Flag.ack) === 0) this.control.ping(content)
    else this.control.pingAcknowledged(content)
  }

  private priorityUpdate(stream: number, bytes: Buffer, at: number, end: number): void {
    if (stream !== 0) throw protocolError('PRIORITY_UPDATE is of a stream.')
    if (end - at < 4) throw frameSizeError('PRIORITY_UPDATE has less than 4 bytes.')
    this.handler.priorityUpdate(bytes.readUInt32BE(at) & 0x7fffffff, bytes.toString('latin1', at + 4, end))
  }
}

const PADDED = 'HEADERS is padded beyond its end.'
