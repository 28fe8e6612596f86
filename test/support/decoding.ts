import type { BodyDecoder, DecoderOutput } from '../../src/http1/body-decoder.ts'
import type { Headers } from '../../src/http/headers.ts'

/** The output of a decoder. */
export class Decoded implements DecoderOutput {
  /** One character per byte. */
  text = ''
  /** The number of pieces of content. */
  parts = 0
  completed = 0
  trailers: Headers | null = null

  content(bytes: Buffer, start: number, end: number): void {
    this.text += bytes.toString('latin1', start, end)
    this.parts++
  }

  complete(trailers: Headers | null): void {
    this.completed++
    this.trailers = trailers
  }
}

/** Decodes parts of a text, one character per byte; returns the output and how many bytes belonged to the body. */
export function decodeParts(decoder: BodyDecoder, parts: readonly string[]): Decoded & { used: number } {
  const output = Object.assign(new Decoded(), { used: 0 })
  for (const part of parts) {
    if (output.completed > 0) break
    const bytes = Buffer.from(part, 'latin1')
    output.used += decoder.decode(bytes, 0, bytes.length, output)
    // The buffer of a read is only lent.
    bytes.fill('!')
  }
  return output
}
