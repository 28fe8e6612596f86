import { Bytes } from '../http/body.ts'
import type { ServerExchange } from '../http/server-exchange.ts'

/** Up to here a body that came with its head is handed on as bytes, in octets. */
const WHOLE = 16_384

/** A request whose head has come, and whose content may have come with it: it is looked at before anybody is asked. */
export class Opening<Stream> {
  readonly stream: Stream
  readonly exchange: ServerExchange
  /** Octets of content that are announced, or -1. */
  readonly length: number
  /** What has come of it; lent. */
  readonly chunks: Buffer[] = []
  /** Octets of it, with padding. */
  octets = 0

  constructor(stream: Stream, exchange: ServerExchange, length: number) {
    this.stream = stream
    this.exchange = exchange
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
