import { z } from 'zod'
import { Bytes, cancelBody, collect } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { knownLine } from '../../http/field-lines.ts'
import { type Headers, replaceLines } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import type { Reply } from '../../http/reply.ts'
import { size } from '../../core/units.ts'
import { compileJsonEdits, type JsonEdit, jsonEdits } from './json-edits.ts'
import { parseJson } from './json-text.ts'

const typeExpected = 'expected a media type such as "application/json", without parameters'

/** Schema of changes to JSON bodies. */
export const bodyEdits = z.strictObject({
  types: z
    .array(
      z
        .string(typeExpected)
        .regex(/^[\w.+-]+\/[\w.+-]+$/, typeExpected)
        .toLowerCase(),
    )
    .min(1)
    .prefault(['application/json'])
    .describe('Media types of bodies to change; others are streamed unchanged. Default application/json.'),
  limit: size
    .prefault('1mb')
    .describe('Largest body to change; larger ones are refused, because they would pass unchanged. Default 1mb.'),
  ...jsonEdits,
})

/**
 * Headers that describe the previous content (RFC 9530, RFC 9110 section 14.3), or announce trailers, which were dropped with it; its length
 * is managed by the wire layer.
 */
const STALE = new NameSet(['Content-Digest', 'Repr-Digest', 'Digest', 'Content-MD5', 'Accept-Ranges', 'Trailer'])

/**
 * Request headers because of which the service's replies would have to be assembled from parts, or decoded, before they can be
 * changed.
 */
const PARTIAL = new NameSet(['Range', 'If-Range', 'Accept-Encoding'])
const IDENTITY = knownLine('Accept-Encoding', 'identity')

/** Changes the body of messages with certain media types. */
export class BodyEdit {
  private readonly types: ReadonlySet<string>
  private readonly limit: number
  private readonly edit: JsonEdit

  constructor({ types, limit, ...edits }: z.output<typeof bodyEdits>) {
    this.types = new Set(types)
    this.limit = limit
    this.edit = compileJsonEdits(edits)
  }

  /** Asks the service for complete replies without a content coding (RFC 9110 sections 12.5.3 and 14.2). */
  prepare(headers: Headers): void {
    replaceLines(headers, PARTIAL, IDENTITY)
  }

  /**
   * Changes the body of the request, now or when it has arrived; null if its type is not among the configured ones. Throws, or
   * rejects with, GatewayError 'unsupported-media-type', 'content-too-large' or 'bad-request'.
   */
  request(exchange: Exchange): Promise<void> | null {
    const { body, headers } = exchange
    if (body === null || !this.applies(headers)) return null
    if (isCoded(headers))
      throw new GatewayError('unsupported-media-type', 'The body must not have a content coding.', {
        headers: [['Accept-Encoding', 'identity']],
      })
    return collect(body, this.limit, exchange.client.address).then((bytes) => {
      const changed = this.change(bytes, exchange)
      if (changed === null) throw new GatewayError('bad-request', 'The body is not JSON in UTF-8.')
      exchange.body = changed
      replaceLines(headers, STALE, '')
    })
  }

  /**
   * Changes the body of a reply, now or when it has arrived; null if its type is not among the configured ones. Throws, or rejects
   * with, GatewayError 'bad-gateway' for a body that cannot be changed: the client must not see it unchanged.
   */
  reply(reply: Reply, exchange: Exchange): Promise<void> | null {
    const { body, headers } = reply
    if (reply.status === 304) {
      // It must have the same tag as the reply that the client knows (RFC 9110 section 15.4.5).
      const known = exchange.headers.combined('If-None-Match') ?? ''
      if (known.includes(`W/${headers.get('ETag')}`)) weaken(headers)
      return null
    }
    if (reply.upgrade !== null || !this.applies(headers)) return null
    if (exchange.method === 'HEAD') {
      cancelBody(body)
      reply.body = null
      outdate(headers)
      // That of the service's body, which may be in the headers too.
      headers.delete('Content-Length')
      return null
    }
    if (body === null) return null
    if (reply.status === 206 || isCoded(headers) || body.length > this.limit) {
      cancelBody(body)
      throw unusable('is partial, encoded or too large to be transformed')
    }
    return collect(body, this.limit, exchange.client.address).then(
      (bytes) => {
        const changed = this.change(bytes, exchange)
        if (changed === null) throw unusable('is not JSON in UTF-8')
        reply.body = changed
        outdate(headers)
      },
      (error: unknown) => {
        const tooLarge = error instanceof GatewayError && error.code === 'content-too-large'
        throw tooLarge ? unusable('is too large to be transformed') : error
      },
    )
  }

  private applies(headers: Headers): boolean {
    const [type = ''] = (headers.combined('Content-Type') ?? '').split(';', 1)
    return this.types.has(type.trim().toLowerCase())
  }

  /** Null if it is not a document, or is nested too deeply to be serialized. */
  private change(bytes: Bytes, exchange: Exchange): Bytes | null {
    if (bytes.length === 0) return bytes
    let text: string
    try {
      text = JSON.stringify(this.edit(parseJson(bytes.toBuffer()), exchange))
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError) return null
      throw error
    }
    return Bytes.fromText(text)
  }
}

/** A changed body is a different representation: byte ranges and strong comparison no longer apply (RFC 9110 section 8.8.1). */
function outdate(headers: Headers): void {
  replaceLines(headers, STALE, '')
  weaken(headers)
}

function weaken(headers: Headers): void {
  const tag = headers.get('ETag')
  if (tag?.startsWith('"') === true) headers.set('ETag', `W/${tag}`)
}

function isCoded(headers: Headers): boolean {
  const codings = headers.combined('Content-Encoding')
  return codings !== undefined && codings.trim().toLowerCase() !== 'identity'
}

function unusable(why: string): GatewayError {
  return new GatewayError('bad-gateway', `The reply of the service ${why}.`)
}
