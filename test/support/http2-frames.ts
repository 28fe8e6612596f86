/** The types of frames (RFC 9113 section 6, RFC 9218 section 7.1). */
export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
  priorityUpdate: 16,
} as const

export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8
export const PRIORITY = 32

/** Error codes (RFC 9113 section 7). */
export const Code = {
  none: 0,
  protocol: 1,
  internal: 2,
  flow: 3,
  closed: 5,
  size: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const

/** One frame that was read. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Any frame; its length is that of the payload unless `length` says otherwise. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = '',
  length = payload.length,
): Buffer {
  const content = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, content])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function settings(values: Readonly<Record<number, number>> = {}): Buffer {
  const entries = Object.entries(values).map(([id, value]) => Buffer.from([0, Number(id), ...int32(value)]))
  return frame(Type.settings, 0, 0, Buffer.concat(entries))
}

export const SETTINGS_ACK = frame(Type.settings, ACK, 0)

/** `content` has 8 characters. */
export function ping(content = 'are you?', flags = 0): Buffer {
  return frame(Type.ping, flags, 0, content)
}

export function data(stream: number, content: Uint8Array | string, end = false): Buffer {
  return frame(Type.data, end ? END_STREAM : 0, stream, content)
}

export function reset(stream: number, code: number = Code.cancel): Buffer {
  return frame(Type.reset, 0, stream, int32(code))
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  return frame(Type.window, 0, stream, int32(bytes))
}

export type Fields = readonly (readonly [name: string, value: string])[]

/** Literals without indexing and without Huffman coding (RFC 7541 section 6.2.2). */
export function encode(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

/** A string literal (RFC 7541 section 5.2). */
export function text(value: string): Buffer {
  return Buffer.concat([Buffer.from(integer(value.length, 7)), Buffer.from(value, 'latin1')])
}

/** RFC 7541 section 5.1, with a prefix of that many bits, and the flags before them. */
export function integer(value: number, bits: number, flags = 0): number[] {
  const most = 2 ** bits - 1
  if (value < most) return [flags | value]
  const bytes = [flags | most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

/** The pseudo-header fields of a request, then the others. */
export function request(method: string, path: string, more: Fields = [], authority = 'a.example'): Fields {
  return [[':method', method], [':scheme', 'https'], [':authority', authority], [':path', path], ...more]
}

/** A field section in one HEADERS frame. */
export function headers(stream: number, fields: Fields | Buffer, end = false): Buffer {
  const section = Buffer.isBuffer(fields) ? fields : encode(fields)
  return frame(Type.headers, END_HEADERS | (end ? END_STREAM : 0), stream, section)
}

/** A field section split into that many frames. */
export function inFrames(stream: number, section: Buffer, parts: number, end = true): Buffer {
  const size = Math.ceil(section.length / parts)
  const frames = Array.from({ length: parts }, (_, i) => {
    const type = i === 0 ? Type.headers : Type.continuation
    const flags = (i === 0 && end ? END_STREAM : 0) | (i === parts - 1 ? END_HEADERS : 0)
    return frame(type, flags, stream, section.subarray(i * size, (i + 1) * size))
  })
  return Buffer.concat(frames)
}

/** A complete GET. */
export function get(stream: number, path = '/', more: Fields = []): Buffer {
  return headers(stream, request('GET', path, more), true)
}

/** The head of a POST. */
export function post(stream: number, path = '/', more: Fields = []): Buffer {
  return headers(stream, request('POST', path, more))
}

/** Splits bytes into frames as they arrive. */
export class FrameParser {
  readonly frames: Frame[] = []
  private rest: Buffer = Buffer.alloc(0)

  push(bytes: Buffer): void {
    let rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    while (rest.length >= 9) {
      const end = 9 + rest.readUIntBE(0, 3)
      if (rest.length < end) break
      const [type = 0, flags = 0] = rest.subarray(3, 5)
      this.frames.push({ type, flags, stream: rest.readUInt32BE(5), payload: rest.subarray(9, end) })
      rest = rest.subarray(end)
    }
    this.rest = rest
  }
}
