import { tooLarge } from '../http/limited-body.ts'
import { LengthDecoder } from './body-decoder.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { type BodySource, IncomingBody } from './incoming-body.ts'
import type { ServerOptions } from '../http/server-handler.ts'

/** The body of a request whose head announced `length` bytes, or -1 for chunked content. */
export function requestBody(source: BodySource, length: number, options: ServerOptions): IncomingBody {
  const decoder = length === -1 ? new ChunkedDecoder(options) : new LengthDecoder(length)
  return new IncomingBody(source, decoder, length, options.body, () => tooLarge(options.body))
}
