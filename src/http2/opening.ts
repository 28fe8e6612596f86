import { Bytes } from '../http/body.ts'

/** Up to here a body that came with its head is handed on as bytes, in octets. */
const WHOLE = 16_384

/** A message whose head has come, and whose content may have come with it: it is looked at before anybody gets it. */
export class Opening<Stream, Message> {
  readonly stream: Stream
  readonly message: Message
  /** Octets of content that are announced, or -1. */
  readonly length: number
  /** What has come of it; lent. */
  readonly chunks: Buffer[] = []
  /** Octets of it, with padding. */
  octets = 0

  constructor(stream: Stream, message: Message, length: number) {
    this.stream = stream
    this.message = message
    this.length = length
  }

  /** Takes some content; false where it becomes too much. */
  take(content: Buffer, octets: number): boolean {
    if (this.octets + octets > WHOLE) return false
    this.octets += octets
    if (content.length > 0) this.chunks.push(content)
    return true
  }

  /** All of it, as bytes. */
  whole(): Bytes {
    const [first] = this.chunks
    if (this.chunks.length === 1 && first !== undefined) return Bytes.fromLatin1(first.toString('latin1'))
    return Bytes.fromLatin1(this.chunks.map((chunk) => chunk.toString('latin1')).join(''))
  }

  /** How much of what has come is padding. */
  get padding(): number {
    return this.chunks.reduce((octets, { length }) => octets - length, this.octets)
  }
}
