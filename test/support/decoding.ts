import type { BodyDecoder, DecoderOutput } from '../../src/http1/body-decoder.ts'
import type { Headers } from '../../src/http/headers.ts'

/** What a decoder found. */
export class Decoded implements DecoderOutput {
  /** One character an octet. */
  text = ''
  /** How often content was handed on. */
  parts = 0
  completed = 0
  trailers: Headers | null = null

  content(octets: Buffer, start: number, end: number): void {
    this.text += octets.toString('latin1', start, end)
    this.parts++
  }

  complete(trailers: Headers | null): void {
    this.completed++
    this.trailers = trailers
  }
}

/** Decodes parts of a text, one character an octet; says what was found and how many octets belonged to the body. */
export function decodeParts(decoder: BodyDecoder, parts: readonly string[]): Decoded & { used: number } {
  const output = Object.assign(new Decoded(), { used: 0 })
  for (const part of parts) {
    if (output.completed > 0) break
    const octets = Buffer.from(part, 'latin1')
    output.used += decoder.decode(octets, 0, octets.length, output)
    // What is read is only lent.
    octets.fill('!')
  }
  return output
}
