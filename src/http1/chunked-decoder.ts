import { headersFromWire } from '../http/headers.ts'
import type { BodyDecoder, DecoderOutput } from './body-decoder.ts'
import { CR, hexValue, LF, SEMICOLON } from '../http/characters.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { FieldSection, INCOMPLETE } from './fields.ts'
import type { FieldLimits } from '../http/limits.ts'
import { namesWithClaim } from '../http/field-names.ts'

const Step = { size: 0, extension: 1, sizeLf: 2, data: 3, dataCr: 4, dataLf: 5, trailer: 6, done: 7 } as const
type State = (typeof Step)[keyof typeof Step]

/**
 * Decodes the chunked coding (RFC 9112 section 7.1) strictly: a size is 1 to 13 hexadecimal digits, each line ends with
 * CR LF, and only extensions are allowed between size and CR LF; they are dropped (and limited in total). Small chunks
 * that were read together are passed on together, so that many tiny chunks cost no more than a few large ones.
 */
export class ChunkedDecoder implements BodyDecoder {
  private state: State = Step.size
  private remaining = 0
  private digits = 0
  /** Extensions of the current chunk, and the total length of all extensions of the body in bytes. */
  private extension = ''
  private extensionBytes = 0
  private trailer: Buffer | null = null
  private readonly limits: FieldLimits

  constructor(limits: FieldLimits) {
    this.limits = limits
  }

  decode(bytes: Buffer, start: number, end: number, output: DecoderOutput): number {
    let at = start
    let readyStart = 0
    let readyEnd = 0
    while (at < end && this.state !== Step.trailer && this.state !== Step.done) {
      if (this.state !== Step.data) {
        // `at` is below `end`.
        this.line(bytes[at++]!)
        continue
      }
      const stop = Math.min(end, at + this.remaining)
      this.remaining -= stop - at
      if (this.remaining === 0) this.state = Step.dataCr
      if (readyEnd === readyStart) {
        readyStart = at
        readyEnd = stop
      } else if (stop - at <= MAX_MOVED || readyEnd - readyStart <= MAX_MOVED) {
        bytes.copyWithin(readyEnd, at, stop)
        readyEnd += stop - at
      } else {
        output.content(bytes, readyStart, readyEnd)
        readyStart = at
        readyEnd = stop
      }
      at = stop
    }
    if (readyEnd > readyStart) output.content(bytes, readyStart, readyEnd)
    return this.state === Step.trailer ? this.trailers(bytes, at, end, output) : at
  }

  close(): boolean {
    return false
  }

  /** Processes one byte of anything but chunk data and trailers. */
  private line(byte: number): void {
    switch (this.state) {
      case Step.size:
        return this.sizeByte(byte)
      case Step.extension:
        return this.extensionByte(byte)
      case Step.sizeLf:
        if (byte !== LF) throw new MalformedMessage('A chunk size is not followed by CR LF.')
        this.digits = 0
        this.state = this.remaining === 0 ? Step.trailer : Step.data
        return
      case Step.dataCr:
        if (byte !== CR) throw new MalformedMessage('Chunk data is not followed by CR LF.')
        this.state = Step.dataLf
        return
      case Step.dataLf:
        if (byte !== LF) throw new MalformedMessage('Chunk data is not followed by CR LF.')
        this.state = Step.size
        return
      case Step.data:
      case Step.trailer:
      case Step.done:
    }
  }

  private sizeByte(byte: number): void {
    // The table has an entry for every byte.
    const value = hexValue[byte]!
    if (value !== 255) {
      if (++this.digits > MAXIMUM_DIGITS) throw new MalformedMessage('A chunk size has too many digits.')
      this.remaining = this.remaining * 16 + value
      return
    }
    if (this.digits === 0) throw new MalformedMessage('A chunk size is not a hexadecimal number.')
    if (byte === CR) this.state = Step.sizeLf
    else if (byte === SEMICOLON) {
      this.extension = ';'
      this.state = Step.extension
    } else throw new MalformedMessage('A chunk size is followed by something other than CR LF or an extension.')
  }

  private extensionByte(byte: number): void {
    if (byte !== CR) {
      if (++this.extensionBytes > this.limits.head)
        throw new MalformedMessage('The chunk extensions of the body are too long.')
      this.extension += String.fromCharCode(byte)
      return
    }
    if (!EXTENSIONS.test(this.extension)) throw new MalformedMessage('A chunk extension is malformed.')
    this.state = Step.sizeLf
  }

  /** RFC 9112 section 7.1.2. Fields for framing, routing or authentication are dropped (RFC 9110 section 6.5.1). */
  private trailers(bytes: Buffer, start: number, end: number, output: DecoderOutput): number {
    const before = this.trailer === null ? 0 : this.trailer.length
    if (
      this.trailer !== null &&
      before > 0 &&
      before + end - start <= this.limits.head &&
      bytes.indexOf(LF, start) === -1
    ) {
      this.trailer = Buffer.concat([this.trailer, bytes.subarray(start, end)])
      return end
    }
    const section =
      this.trailer === null ? bytes.subarray(start, end) : Buffer.concat([this.trailer, bytes.subarray(start, end)])
    const { headers, strictNames, clientHeader = null } = this.limits
    const reader = new FieldSection(namesWithClaim(clientHeader).trailer, headers, strictNames)
    const stop = reader.parse(section, 0, section.length)
    if ((stop === INCOMPLETE ? section.length : stop) > this.limits.head)
      throw new MalformedMessage('The trailer section is too long.')
    if (stop === INCOMPLETE) {
      this.trailer = Buffer.from(section)
      return end
    }
    this.state = Step.done
    const { raw } = reader.fields
    output.complete(raw === '' ? null : headersFromWire(raw))
    return start + stop - before
  }
}

const MAXIMUM_DIGITS = 13
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const QUOTED = String.raw`"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"`
/**
 * RFC 9112 section 7.1.1, without the optional whitespace of old senders, which has been used for request smuggling.
 */
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)+$`)
/** Up to this size, in bytes, moving chunks together is cheaper than passing them on separately. */
const MAX_MOVED = 2048
