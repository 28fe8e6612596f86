import { STATUS_CODES } from 'node:http'
import { lookup } from 'mrmime'
import { z } from 'zod'
import { isFields } from '../../core/value.ts'
import { Bytes } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import { escapeFor, flawOfPlace, textKindOf } from '../../http/text-kind.ts'
import type { OpenFile } from '../policy.ts'

/** Most bytes in the file of a page. */
const MAX_SIZE = 256 * 1024

const pageExpected = 'expected { file } or { body, type }'
const typeExpected = 'expected the media type of plain text, JSON, HTML or XML, such as "text/html"'

/** Placeholders of a page: the status and its title, and ids that lead to the request in the log. */
const PLACEHOLDER = /\{(status|title|correlation\.id|trace\.id)\}/g

/** Schema of a page. If it names a file, `body` has the file's contents after the configuration has been loaded. */
export const pageSchema = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .optional()
      .describe('File with the page, at most 256kb. Relative to the configuration, and read with it.')
      .meta({ examples: ['./pages/error.html'] }),
    body: z
      .string()
      .optional()
      .describe(
        'The page itself, instead of a file. In both, {status}, {title}, {correlation.id} and {trace.id} are filled in, escaped for the type.',
      )
      .meta({ examples: ['<h1>{status} {title}</h1>'] }),
    type: z
      .string()
      .refine((type) => textKindOf(type) !== null, typeExpected)
      .optional()
      .describe('Media type: plain text, JSON, HTML or XML. Default by the file extension, else text/html.')
      .meta({ examples: ['text/html'] }),
    services: z.boolean().default(false).describe('Also replace replies of services with that status. Default false.'),
  })
  .superRefine((page, context) => {
    const { body } = page
    if (body === undefined) {
      // Problems with the file itself were reported when it was read.
      if (page.file === undefined) context.addIssue({ code: 'custom', message: pageExpected })
      return
    }
    const type = mediaTypeOf(page)
    const kind = textKindOf(type)
    if (kind === null)
      return context.addIssue({
        code: 'custom',
        path: ['file'],
        message: `is ${type} by its name; add type: ${typeExpected}`,
      })
    for (const match of body.matchAll(PLACEHOLDER)) {
      // Only values that a client may have sent could break the syntax around them.
      const flaw = match[1] === 'correlation.id' ? flawOfPlace(kind, body.slice(0, match.index)) : null
      if (flaw !== null) context.addIssue({ code: 'custom', message: `has ${match[0]} ${flaw}` })
    }
  })

export type PageOptions = z.output<typeof pageSchema>

/** Adds the contents of files beside their names. Rejects with an Error if a file cannot be read. */
export async function readPages(written: unknown, open: OpenFile): Promise<unknown> {
  if (!isFields(written)) return written
  const read: Record<string, unknown> = {}
  for (const [name, page] of Object.entries(written))
    read[name] = isFields(page) ? await readPage(name, page, open) : page
  return read
}

async function readPage(name: string, page: Readonly<Record<string, unknown>>, open: OpenFile): Promise<unknown> {
  const { file } = page
  if (typeof file !== 'string' || file === '') return page
  if (page['body'] !== undefined) throw new Error(`${name} has both a file and a body: remove one of them`)
  const bytes = await open(file)
  if (bytes === null) throw new Error(`${JSON.stringify(file)} cannot be read: there is no such file`)
  if (bytes.length > MAX_SIZE)
    throw new Error(`${JSON.stringify(file)} cannot be read: it is larger than ${MAX_SIZE} bytes`)
  return { ...page, body: bytes.toString('utf8') }
}

/** A compiled page. */
export interface Page {
  /** Without parameters. */
  readonly mediaType: string
  readonly contentType: string
  /** Whether it also replaces error replies of services. */
  readonly services: boolean
  /** Its content for an error. */
  readonly content: (status: number, title: string | undefined, exchange: Exchange) => Bytes
}

/** Compiles a page when the configuration loads. */
export function compilePage(page: PageOptions): Page {
  const type = mediaTypeOf(page)
  const [mediaType = ''] = type.split(';', 1)
  const text = page.body ?? ''
  const kind = textKindOf(type) ?? 'plain'
  const escape = escapeFor[kind]
  const contentType = type.includes(';') || kind === 'json' ? type : `${type}; charset=utf-8`
  const same = Bytes.fromText(text).detached()
  const says = text.search(PLACEHOLDER) !== -1
  return {
    mediaType: mediaType.trim(),
    contentType,
    services: page.services,
    content(status, title, { correlationId, trace }) {
      if (!says) return same
      const values: Readonly<Record<string, string>> = {
        status: String(status),
        title: title ?? STATUS_CODES[status] ?? 'Error',
        'correlation.id': correlationId,
        'trace.id': trace.traceId,
      }
      return Bytes.fromText(text.replaceAll(PLACEHOLDER, (_, name: string) => escape(values[name] ?? '')))
    },
  }
}

function mediaTypeOf({ file, type }: Pick<PageOptions, 'file' | 'type'>): string {
  if (type !== undefined) return type
  return file === undefined ? 'text/html' : (lookup(file) ?? 'application/octet-stream')
}
