import { GatewayError } from '../../src/core/errors.ts'
import { type Headers, headersFromWire } from '../../src/http/headers.ts'
import type { BodyDecoder, DecoderOutput } from '../../src/http1/body-decoder.ts'
import { CloseDecoder, LengthDecoder } from '../../src/http1/body-decoder.ts'
import { foldedToken, HYPHEN, ODD } from '../../src/http/characters.ts'
import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts'
import { type FieldNames, Known, nextHash } from '../../src/http/field-names.ts'
import { INCOMPLETE } from '../../src/http1/fields.ts'
import { Input } from '../../src/http/input.ts'
import { defaultHeadLimits } from '../../src/http/limits.ts'
import { RequestHead } from '../../src/http1/request-head.ts'
import { hasNoContent } from '../../src/http/content.ts'
import { CHUNKED, ResponseHead, UNTIL_CLOSE } from '../../src/http1/response-head.ts'

/** One message as parsed by the gateway. */
export interface OwnMessage {
  /** Method and target, or the status. */
  start: string
  /** Alternating names and values of end-to-end headers. */
  headers: readonly string[]
  /** One character per byte. */
  body: string
  trailers: readonly string[]
  complete: boolean
  close: boolean
  upgrade: boolean
}

export interface OwnReading {
  messages: OwnMessage[]
  /** The code of the error that ended it, or null. */
  error: string | null
}

/** A message whose head was parsed, and how to handle what follows. */
interface Begun {
  readonly message: OwnMessage
  readonly decoder: BodyDecoder | null
}

/** Parses requests with the gateway's parsers, without a connection. */
export function readOwnRequests(parts: readonly Buffer[]): OwnReading {
  const head = new RequestHead(defaultHeadLimits)
  return read(
    parts,
    false,
    (bytes, start, end) => head.parse(bytes, start, end),
    () => {
      const { method, target, close, contentLength: length, upgrade } = head
      const message = begin(`${method} ${target}`, head.fields.raw, close, upgrade !== null)
      return { message, decoder: length === 0 ? null : decoderFor(length) }
    },
  )
}

/** Parses the responses to requests with that method with the gateway's parsers, up to the end of the connection if `closed`. */
export function readOwnResponses(parts: readonly Buffer[], method: string, closed: boolean): OwnReading {
  const head = new ResponseHead(defaultHeadLimits)
  return read(
    parts,
    closed,
    (bytes, start, end) => head.parse(bytes, start, end),
    () => {
      const { status, close } = head
      const length = hasNoContent(method, status) ? 0 : head.contentLength
      const message = begin(String(status), head.fields.raw, close || length === UNTIL_CLOSE, status === 101)
      return { message, decoder: length === 0 ? null : decoderFor(length) }
    },
  )
}

/** Whether the gateway does not forward headers with that name. */
export function isWireField(names: FieldNames, name: string): boolean {
  const bytes = Buffer.from(name, 'latin1')
  const folded = Array.from(bytes, (byte) => (foldedToken[byte] === ODD ? HYPHEN : foldedToken[byte]!))
  const hash = folded.reduce(nextHash, names.seed)
  const odd = bytes.some((byte) => foldedToken[byte] === ODD)
  const known = names.lookup(hash, bytes, 0, bytes.length, odd)
  return known !== Known.none && known !== Known.date
}

function begin(start: string, raw: string, close: boolean, upgrade: boolean): OwnMessage {
  const headers = headersFromWire(raw).entries()
  return { start, headers, body: '', trailers: [], complete: false, close, upgrade }
}

function decoderFor(length: number): BodyDecoder {
  if (length === CHUNKED) return new ChunkedDecoder(defaultHeadLimits)
  return length === UNTIL_CLOSE ? new CloseDecoder() : new LengthDecoder(length)
}

function read(
  parts: readonly Buffer[],
  closed: boolean,
  parse: (bytes: Buffer, start: number, end: number) => number,
  headRead: () => Begun,
): OwnReading {
  const messages: OwnMessage[] = []
  let decoder: BodyDecoder | null = null
  let over = false
  const complete = (trailers: Headers | null): void => {
    const message = messages.at(-1)!
    message.complete = true
    message.trailers = trailers?.entries() ?? []
    decoder = null
    over = message.close || message.upgrade
  }
  const output = {
    content: (bytes: Buffer, start: number, end: number) => {
      messages.at(-1)!.body += bytes.toString('latin1', start, end)
    },
    complete,
  }
  const input = new Input({
    consume(bytes, start, end) {
      if (over) return end
      if (decoder !== null) return decoder.decode(bytes, start, end, output)
      const stop = parse(bytes, start, end)
      if (stop === INCOMPLETE) return start
      const begun = headRead()
      messages.push(begun.message)
      decoder = begun.decoder
      if (decoder === null) complete(null)
      return stop
    },
  })
  try {
    for (const part of parts) {
      // The parser must not read beyond the given end, and the buffer of a read is only lent.
      const lent = Buffer.concat([part, Buffer.from('\r\n\r\n0\r\n\r\n')])
      input.feed(lent, part.length)
      lent.fill('!')
    }
  } catch (error) {
    if (error instanceof GatewayError) return { messages, error: error.code }
    throw error
  }
  if (closed) endOf(decoder, output)
  return { messages, error: null }
}

function endOf(decoder: BodyDecoder | null, output: DecoderOutput): void {
  decoder?.close(output)
}
