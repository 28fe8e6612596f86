import { z } from 'zod'
import { type Body, type BodyStream, Bytes } from '../../http/body.ts'
import { definePolicy } from '../policy.ts'
import type { Exchange } from '../../http/exchange.ts'
import { editReplies } from '../../http/handler.ts'
import { fieldLine, knownLine } from '../../http/field-lines.ts'
import { hasAnyOf, type Headers, replaceLines } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import type { Reply } from '../../http/reply.ts'
import { size } from '../../core/units.ts'
import { compileMediaTypes, essence, mediaType } from '../media-types.ts'
import { addVary } from '../vary.ts'
import { type Acceptance, createNegotiation } from '../../http/accept-encoding.ts'
import { type Coding, type CodingName, codings } from './codings.ts'
import { CompressedBody } from './compressed-body.ts'
import { compressedTag, restoreTags } from './entity-tags.ts'
import { Pieces } from './pieces.ts'

/** Bodies in memory up to this size in bytes are compressed at once: that is faster, and yields a known length. */
const AT_ONCE = 65_536

/** Headers of replies that are already encoded, are a part of a larger whole, or have a checksum of their bytes. */
const FINISHED = new NameSet([
  'Content-Encoding',
  'Content-Range',
  'Content-Digest',
  'Repr-Digest',
  'Digest',
  'Content-MD5',
])

/** Headers about the bytes sent by the service: their coding, length and tag, and that ranges are supported. */
const CHANGED = new NameSet(['Content-Encoding', 'Content-Length', 'ETag', 'Accept-Ranges'])

/** Events have to arrive one by one, and proxies further on recognize this type by name. */
const EVENT_STREAM = 'text/event-stream'

/** RFC 9110 sections 15.3.5 to 15.3.7: no content, or a part of content that may have been stored uncompressed. */
const EXEMPT = new Set([101, 204, 205, 206])

const names = ['zstd', 'br', 'gzip'] as const satisfies readonly CodingName[]

function levelOf(name: CodingName) {
  const { min, max, usual } = codings[name].levels
  return z.int().min(min).max(max).default(usual).describe(`${min} to ${max}. Default ${usual}.`)
}

const options = z.strictObject({
  encodings: z
    .array(z.enum(names))
    .min(1)
    .default([...names])
    .describe(
      "Encodings to use, in order of preference; the client's own preference goes first. Default zstd, br, gzip.",
    ),
  types: mediaType
    .array()
    .min(1)
    .default([
      'text/*',
      'application/json',
      'application/*+json',
      'application/x-ndjson',
      'application/xml',
      'application/*+xml',
      'application/javascript',
      'application/wasm',
      'image/*+xml',
      'font/otf',
      'font/ttf',
    ])
    .describe('Content types to compress; text/event-stream never is. Default text, JSON, XML, scripts, SVG, fonts.'),
  minimum: size.prefault('1kb').describe('Shorter replies are not compressed. Default 1kb.'),
  levels: z
    .strictObject({ zstd: levelOf('zstd'), br: levelOf('br'), gzip: levelOf('gzip') })
    .prefault({})
    .describe('Compression levels: higher is smaller and slower.'),
  streams: z
    .int()
    .min(1)
    .default(64)
    .describe(
      'Most replies that a thread compresses while streaming, at about 1 MB of memory each; further ones are sent uncompressed. Default 64.',
    ),
})

/** Number of streams that this thread is compressing, across all routes. */
let streaming = 0

function released(): void {
  streaming--
}

/** Compresses replies with a coding that the client accepts (RFC 9110 sections 8.4 and 12.5.3). */
export const compression = definePolicy({
  name: 'compression',
  summary: 'Compresses replies with Zstandard, Brotli or gzip for clients that accept it.',
  options,
  fields: () => ['Accept-Encoding', 'Cache-Control', 'If-None-Match', 'If-Match'],
  decidesBy: () => 'nothing',
  isShared: () => true,
  create({ encodings, types, minimum, levels, streams }, { clock }) {
    const listed = compileMediaTypes(types)
    const worthIt = (type: string): boolean => listed(type) && essence(type) !== EVENT_STREAM
    const negotiate = createNegotiation(encodings)

    function edit(reply: Reply, exchange: Exchange, known: string | undefined): void {
      const { status, headers, body } = reply
      // 1. Replies without content, or with too little of it.
      if (status === 304) return editNotModified(headers, known)
      if (EXEMPT.has(status) || (body === null && exchange.method !== 'HEAD')) return
      const length = body === null ? announcedLength(headers) : body.length
      const isShort = length >= 0 && length < minimum
      if (isShort && !accepted(exchange).refusesIdentity) return
      // 2. Replies that must not be compressed.
      const type = headers.get('Content-Type')
      if (type === undefined || !worthIt(type) || hasAnyOf(headers, FINISHED)) return
      if (forbidsTransformation(headers) || forbidsTransformation(exchange.headers)) return
      // 3. What the client accepts.
      addVary(headers, 'Accept-Encoding')
      const { coding, refusesIdentity } = accepted(exchange)
      if (coding === null) return
      // 4. The body; for HEAD, only the headers that describe it.
      if (body !== null) {
        const compressed = compress(body, coding, refusesIdentity)
        if (compressed === null) return
        reply.body = compressed
      }
      describe(headers, coding)
    }

    function accepted({ headers }: Exchange): Acceptance<CodingName> {
      return negotiate(headers.combined('Accept-Encoding') ?? '')
    }

    /** Null if compression is not worthwhile, or too much is being compressed already. */
    function compress(body: Bytes | BodyStream, name: CodingName, always: boolean): Body {
      const coding: Coding = codings[name]
      const level = levels[name]
      if (body instanceof Bytes && body.length <= AT_ONCE) {
        const compressed = coding.compress(body.toBuffer(), level)
        return always || compressed.length < body.length ? Bytes.fromBuffer(compressed) : null
      }
      if (streaming >= streams) return null
      streaming++
      const source = body instanceof Bytes ? new Pieces(body) : body
      return new CompressedBody(source, { coding, level, clock, released })
    }

    /** A 304 that updates a stored reply has to carry the same headers as the reply did (RFC 9110 section 15.4.5). */
    function editNotModified(headers: Headers, known: string | undefined): void {
      const type = headers.get('Content-Type')
      if (type !== undefined && !worthIt(type)) return
      addVary(headers, 'Accept-Encoding')
      const etag = headers.get('ETag')
      if (etag === undefined || known === undefined) return
      const compressed = compressedTag(etag)
      if (known.includes(compressed)) headers.set('ETag', compressed)
    }

    return (next) => {
      const handle = editReplies(next, edit)
      return (exchange) => handle(exchange, restoreTags(exchange.headers))
    }
  },
})

/** Content-Length of a reply without its content; -1 if unknown. */
function announcedLength(headers: Headers): number {
  return Number(headers.get('Content-Length') ?? -1)
}

/** RFC 9111 sections 5.2.1.6 and 5.2.2.6. */
function forbidsTransformation(headers: Headers): boolean {
  const directives = headers.combined('Cache-Control')
  return directives !== undefined && /(?:^|[\s,])no-transform(?:$|[\s,])/i.test(directives)
}

/** Sets Content-Encoding, and removes headers that only applied to the uncompressed content. */
function describe(headers: Headers, coding: CodingName): void {
  const etag = headers.get('ETag')
  const tag = etag === undefined ? '' : fieldLine('ETag', compressedTag(etag))
  replaceLines(headers, CHANGED, knownLine('Content-Encoding', coding) + tag)
}
