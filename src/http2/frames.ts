import { ConnectionError, ErrorCode } from './errors.ts'

/** RFC 9113 section 6. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  /** RFC 9218 section 7.1. */
  priorityUpdate: 16,
} as const

export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** The connection preface of a client (RFC 9113 section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export const HEADER_SIZE = 9
/** Maximum payload of a frame in bytes, unless a side announces more (section 6.5.2). */
export const FRAME_SIZE = 16_384
/** Size of a window in bytes: initial (section 6.9.2), and maximum (section 6.9.1). */
export const WINDOW = 65_535
export const MAX_WINDOW = 2 ** 31 - 1

/** The header of a frame, one character per byte (section 4.1). */
export function frameHeader(length: number, type: number, flags: number, stream: number): string {
  return String.fromCharCode(
    length >> 16,
    (length >> 8) & 0xff,
    length & 0xff,
    type,
    flags,
    stream >>> 24,
    (stream >> 16) & 0xff,
    (stream >> 8) & 0xff,
    stream & 0xff,
  )
}

function int32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff)
}

/** Section 6.4. */
export function rstStreamFrame(stream: number, code: ErrorCode): string {
  return frameHeader(4, FrameType.rstStream, 0, stream) + int32(code)
}

/** Section 6.5. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): string {
  let content = ''
  for (const [id, value] of settings) content += String.fromCharCode(id >> 8, id & 0xff) + int32(value)
  return frameHeader(content.length, FrameType.settings, 0, 0) + content
}

export const SETTINGS_ACK = frameHeader(0, FrameType.settings, Flag.ack, 0)

/** Section 6.7; `content` is 8 bytes, one character each. */
export function pingFrame(content: string, ack: boolean): string {
  return frameHeader(8, FrameType.ping, ack ? Flag.ack : 0, 0) + content
}

/** Section 6.8. The text helps to debug the peer. */
export function goawayFrame(lastStream: number, code: ErrorCode, text: string): string {
  return frameHeader(8 + text.length, FrameType.goaway, 0, 0) + int32(lastStream) + int32(code) + text
}

/** Section 6.9. */
export function windowUpdateFrame(stream: number, bytes: number): string {
  return frameHeader(4, FrameType.windowUpdate, 0, stream) + int32(bytes)
}

/** A field section as a HEADERS frame, followed by as many CONTINUATION frames as needed (sections 6.2 and 6.10). */
export function headersFrames(stream: number, section: string, endStream: boolean): string {
  const flags = endStream ? Flag.endStream : 0
  const { length } = section
  if (length <= FRAME_SIZE) return frameHeader(length, FrameType.headers, flags | Flag.endHeaders, stream) + section
  let frames = frameHeader(FRAME_SIZE, FrameType.headers, flags, stream) + section.slice(0, FRAME_SIZE)
  for (let at = FRAME_SIZE; at < length; at += FRAME_SIZE) {
    const part = section.slice(at, at + FRAME_SIZE)
    const last = at + FRAME_SIZE >= length ? Flag.endHeaders : 0
    frames += frameHeader(part.length, FrameType.continuation, last, stream) + part
  }
  return frames
}

/** The error for a malformed or misplaced frame. */
export function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.protocolError, message)
}

export function frameSizeError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.frameSizeError, message)
}
