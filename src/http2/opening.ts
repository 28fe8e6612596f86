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

/**
 * Those of one connection, of what is being read at the moment: peers such as nghttp2 send the heads of several streams before the content of any.
 */
export class Openings<Stream extends { readonly id: number }, Message> {
  private list: Opening<Stream, Message>[] = []

  add(opening: Opening<Stream, Message>): void {
    this.list.push(opening)
  }

  /** That of a stream; undefined where there is none. */
  of(id: number): Opening<Stream, Message> | undefined {
    const { list } = this
    // Content mostly comes in the order of the heads.
    return list[0]?.stream.id === id ? list[0] : list.find(({ stream }) => stream.id === id)
  }

  delete(opening: Opening<Stream, Message>): void {
    const at = this.list.indexOf(opening)
    if (at !== -1) this.list.splice(at, 1)
  }

  /** All of them, none of which is there any more. */
  take(): readonly Opening<Stream, Message>[] {
    const { list } = this
    if (list.length > 0) this.list = []
    return list
  }
}
