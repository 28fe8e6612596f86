import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Bytes } from '../../../http/body.ts'
import type { CacheEntry, Variant } from '../store.ts'
import type { Clock } from '../../../core/clock.ts'

/** Bodies are stored in pieces of this many bytes, so that none occupies Redis or the connection for long. */
const PIECE = 65_536

/** How long a reply with a validator is kept beyond its other lifetimes, in milliseconds. */
const WORTH_ASKING = 3_600_000

/** The description of an entry in Redis, without its body. */
export interface StoredVariant extends Variant {
  readonly id: string
  /** Wall-clock time in milliseconds. */
  readonly expires: number
  readonly pieces: number
}

/** Everything but the body; `born` is in wall-clock time here. */
const headSchema = z.object({
  url: z.string(),
  status: z.number(),
  fields: z.string(),
  born: z.number(),
  lifetime: z.number(),
  staleWhileRevalidate: z.number(),
  staleIfError: z.number(),
  maxStale: z.boolean(),
  // Missing in entries written by older versions.
  guessed: z.boolean().default(true),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  date: z.number(),
  modified: z.number(),
  vary: z.string().array(),
  selecting: z.string().array(),
  language: z.string().nullable(),
  groups: z.string().array(),
  size: z.number(),
  hasBody: z.boolean(),
})

const detailsSchema = z.tuple([z.string().nullable(), z.string().array()])
const answersSchema = z.tuple([z.string().array(), z.string().array()])

/** What most replies answer: any request. */
const ANY = '[[],[]]'
const NONE: readonly string[] = []

/** Creates an id; later ids compare greater than earlier ones. */
export function makeId(wall: number): string {
  return `${Math.floor(wall).toString(36).padStart(9, '0')}-${randomUUID()}`
}

/** How many milliseconds an entry remains useful; 0 or less if it is not. */
export function usefulFor(entry: CacheEntry, now: number): number {
  const { staleWhileRevalidate, staleIfError, etag, lastModified } = entry
  const asking = etag === null && lastModified === null ? 0 : WORTH_ASKING
  return Math.ceil(entry.lifetime - (now - entry.born) + Math.max(staleWhileRevalidate, staleIfError, asking))
}

/** The requests that an entry answers, as its field name in the index. */
export function answersOf({ vary, selecting }: Variant): string {
  return JSON.stringify([vary, selecting])
}

/** The description of an entry in the index: id, end, number of pieces, Content-Language and groups. */
export function describeEntry(entry: CacheEntry, id: string, expires: number): string {
  return `${id} ${Math.floor(expires)} ${piecesOf(entry.body)} ${JSON.stringify([entry.language, entry.groups])}`
}

/** A group as written in that description. */
export function describeGroup(group: string): string {
  return JSON.stringify(group)
}

/**
 * The variants of an index that have not expired, newest first. Throws errors of JSON and zod if the data is not in the gateway's
 * format.
 */
export function readIndex(index: Readonly<Record<string, string>>, wall: number): StoredVariant[] {
  const variants: StoredVariant[] = []
  for (const [answers, said] of Object.entries(index)) {
    const [id = '', expires = '', pieces = '', ...details] = said.split(' ')
    if (Number(expires) <= wall) continue
    const [vary, selecting] = answers === ANY ? [NONE, NONE] : answersSchema.parse(JSON.parse(answers))
    const [language] = answers === ANY ? [null] : detailsSchema.parse(JSON.parse(details.join(' ')))
    variants.push({ id, expires: Number(expires), pieces: Number(pieces), vary, selecting, language })
  }
  return variants.length < 2 ? variants : variants.toSorted((a, b) => (a.id < b.id ? 1 : -1))
}

export function piecesOf(body: Bytes | null): number {
  return body === null ? 0 : Math.ceil(body.length / PIECE)
}

export function pieceOf(body: Bytes, number: number): Buffer {
  return body.toBuffer().subarray(number * PIECE, (number + 1) * PIECE)
}

export function writeHead({ body, born, ...rest }: CacheEntry, clock: Clock): string {
  return JSON.stringify({ ...rest, born: clock.wall() - (clock.now() - born), hasBody: body !== null })
}

/**
 * Assembles an entry from its head and the pieces of its body. Throws errors of JSON and zod if the data is not in the gateway's
 * format.
 */
export function readEntry(head: Buffer, pieces: readonly Buffer[], clock: Clock): CacheEntry {
  const { hasBody, born, ...rest } = headSchema.parse(JSON.parse(head.toString()))
  return { ...rest, born: clock.now() - (clock.wall() - born), body: hasBody ? Bytes.join(pieces) : null }
}
