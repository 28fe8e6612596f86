import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { createNegotiation } from '../http/accept-encoding.ts'
import { Bytes } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import { knownLine } from '../http/field-lines.ts'
import { Headers, headersFromWire } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'

const compress = promisify(gzip)

const negotiate = createNegotiation(['gzip'])

/** Content that is served repeatedly: with an entity tag, and compressed once, on first demand. */
export class Representation {
  private readonly content: Bytes
  private readonly tag: string
  /** All headers except ETag and Content-Encoding, as field lines. */
  private readonly fields: string
  private zipped: Promise<Bytes> | null = null

  constructor(content: Buffer, fields: readonly (readonly [name: string, value: string])[]) {
    this.content = Bytes.fromBuffer(content).detached()
    this.tag = hash('sha256', content, 'base64url').slice(0, 22)
    this.fields = Headers.of([...fields, ['Vary', 'Accept-Encoding']]).toWire()
  }

  /** The reply to a GET request, which may be a 304 (RFC 9110 section 13.1.2). */
  answer({ headers }: Exchange): Reply | Promise<Reply> {
    const known = headers.combined('If-None-Match')
    if (negotiate(headers.combined('Accept-Encoding') ?? '').coding === null)
      return this.reply(this.tag, '', known, this.content)
    const fields = knownLine('Content-Encoding', 'gzip')
    this.zipped ??= compress(this.content.toBuffer()).then((content) => Bytes.fromBuffer(content).detached())
    return this.zipped.then((content) => this.reply(`${this.tag}-gzip`, fields, known, content))
  }

  private reply(tag: string, fields: string, known: string | undefined, content: Bytes): Reply {
    const etag = knownLine('ETag', `"${tag}"`)
    if (known !== undefined && (known === '*' || known.includes(`"${tag}"`)))
      return new Reply(304, headersFromWire(this.fields + etag), null)
    return new Reply(200, headersFromWire(this.fields + etag + fields), content)
  }
}
