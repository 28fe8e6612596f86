import { type BodyDecoder, CloseDecoder, LengthDecoder } from './body-decoder.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { type BodySource, IncomingBody } from './incoming-body.ts'
import type { FieldLimits } from '../http/limits.ts'
import { CHUNKED, UNTIL_CLOSE } from './response-head.ts'

/**
 * The content of a response with `length` bytes, or CHUNKED, or UNTIL_CLOSE; it is streamed, so its size is not
 * limited.
 */
export function responseBody(source: BodySource, length: number, limits: FieldLimits): IncomingBody {
  return new IncomingBody(source, decoderFor(length, limits), Math.max(length, -1), Number.MAX_SAFE_INTEGER, never)
}

function decoderFor(length: number, limits: FieldLimits): BodyDecoder {
  if (length === CHUNKED) return new ChunkedDecoder(limits)
  return length === UNTIL_CLOSE ? new CloseDecoder() : new LengthDecoder(length)
}

function never(): Error {
  return new Error('a body with more bytes than can be counted')
}
