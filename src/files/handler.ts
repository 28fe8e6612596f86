import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import { type Holder, Shared } from '../core/shared.ts'
import { createNegotiation } from '../http/accept-encoding.ts'
import { Bytes } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import { knownLine } from '../http/field-lines.ts'
import type { Handler } from '../http/handler.ts'
import { hasAnyOf, headersFromWire } from '../http/headers.ts'
import { NameSet } from '../http/name-set.ts'
import { contentRange, type Part, partOf } from '../http/range.ts'
import { Reply } from '../http/reply.ts'
import { mayBePart, statusByConditions } from './conditions.ts'
import { FileBody } from './file-body.ts'
import { Folder } from './folder.ts'
import { FOLDER, type Found, type FoundFile } from './found.ts'
import { openFile } from './open-file.ts'
import type { FileCoding, FilesOptions } from './schema.ts'

/** Headers that describe the content, which a 304 does not have (RFC 9110 section 15.4.5). */
const OF_CONTENT = new NameSet(['Content-Type', 'Content-Encoding'])
/** Headers that may ask for less than the whole file. */
const CONDITIONS = new NameSet(['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since', 'Range'])
/** Paths of applications rather than files: the last name has no extension. */
const NO_EXTENSION = /\/[^/.]*$/

export interface FilesRoute {
  readonly options: FilesOptions
  /** Owns the cached state of the folder; configurations that serve it in the same way share it. */
  readonly holder: Holder
  /** Changes the path of the request; null to leave it unchanged. */
  readonly rewrite: ((exchange: Exchange) => string) | null
  readonly clock: Pick<Clock, 'wall'>
}

/** The handler of a route that serves a folder of files. */
export function createFiles(route: FilesRoute): Handler {
  const files = new Files(route)
  return (exchange) => files.answer(exchange)
}

/** The folders of a thread, by how they are served. */
const folders = new Shared<Folder>()

class Files {
  private readonly folder: Folder
  private readonly route: FilesRoute
  private readonly negotiate: ReturnType<typeof createNegotiation<FileCoding>>

  constructor(route: FilesRoute) {
    this.route = route
    const { options, holder } = route
    this.folder = folders.get(holder, JSON.stringify(options), () => new Folder(options))
    this.negotiate = createNegotiation(route.options.precompressed)
  }

  answer(exchange: Exchange): Reply | Promise<Reply> {
    const { method } = exchange
    if (method !== 'GET' && method !== 'HEAD')
      throw new GatewayError('method-not-allowed', 'Files can only be read with GET and HEAD.', {
        headers: [['Allow', 'GET, HEAD']],
      })
    const { rewrite } = this.route
    const path = rewrite === null ? exchange.path : rewrite(exchange)
    // A prefix that was removed may have been the whole path.
    if (path === '/' && !asksForFolder(exchange)) return toFolder(exchange)
    return this.at(path, exchange)
  }

  private at(path: string, exchange: Exchange): Reply | Promise<Reply> {
    const found = this.folder.find(path, exchange.start)
    return found instanceof Promise ? this.whenFound(found, path, exchange) : this.show(found, path, exchange)
  }

  private async whenFound(
    finding: Promise<Found | typeof FOLDER | null>,
    path: string,
    exchange: Exchange,
  ): Promise<Reply> {
    const found = await finding
    // A rewrite or a policy may have removed the slash that the client has sent: the same redirect would follow for ever.
    if (found === FOLDER) return asksForFolder(exchange) ? this.at(`${path}/`, exchange) : toFolder(exchange)
    if (found !== null) return this.show(found, path, exchange)
    const { fallback } = this.route.options
    const isFallback = path === fallback || path === `${fallback}/`
    if (fallback === undefined || isFallback || !NO_EXTENSION.test(path))
      throw new GatewayError('not-found', 'There is no such file.')
    return this.at(fallback, exchange)
  }

  private show(found: Found, path: string, exchange: Exchange): Reply | Promise<Reply> {
    const reply = this.reply(found, exchange)
    return reply instanceof Promise ? reply.then((opened) => opened ?? this.showAgain(path, exchange)) : reply
  }

  /** Another file has just replaced it. */
  private async showAgain(path: string, exchange: Exchange): Promise<Reply> {
    this.folder.forget(path)
    const found = await this.folder.find(path, exchange.start)
    const reply = found === null || found === FOLDER ? null : await this.reply(found, exchange)
    if (reply === null) throw new GatewayError('not-found', 'There is no such file.')
    return reply
  }

  private reply(found: Found, exchange: Exchange): Reply | Promise<Reply | null> {
    const { headers } = exchange
    const file = found.coded.length === 0 ? found.file : this.choose(found, headers.combined('Accept-Encoding'))
    // Most requests ask for the whole file, whatever headers they have.
    if (!hasAnyOf(headers, CONDITIONS)) return withContent(200, file.fields, file, { start: 0, end: file.size })
    return replyWith(file, exchange, this.route.clock.wall())
  }

  private choose({ file, coded }: Found, accepted: string | undefined): FoundFile {
    if (accepted === undefined) return file
    const { coding } = this.negotiate(accepted)
    return coded.find((each) => each.coding === coding) ?? file
  }
}

/** Whether the client's path ends in a slash. */
function asksForFolder(exchange: Exchange): boolean {
  return askedOf(exchange).path.endsWith('/')
}

/**
 * Relative links of a folder's files resolve below it only if its path ends in a slash. The redirect itself is relative, as only the client
 * knows which prefix proxies have removed.
 */
function toFolder(exchange: Exchange): Reply {
  const { path, query } = askedOf(exchange)
  const name = path.slice(path.lastIndexOf('/') + 1)
  return new Reply(308, headersFromWire(knownLine('Location', `./${name}/${query}`)), null)
}

function askedOf(exchange: Exchange): Pick<Exchange, 'path' | 'query'> {
  return exchange.asked ?? exchange
}

/** Null if the file has changed. */
function replyWith(file: FoundFile, exchange: Exchange, wall: number): Reply | Promise<Reply | null> {
  const { headers, method } = exchange
  const { fields, size } = file
  const status = statusByConditions(headers, file, wall)
  if (status === 412)
    throw new GatewayError('precondition-failed', 'The file does not meet the condition of the request.')
  if (status === 304) return new Reply(304, headersFromWire(OF_CONTENT.without(fields)), null)
  const range = method === 'GET' ? headers.single('Range') : undefined
  const part = typeof range === 'string' && mayBePart(headers, file, wall) ? partOf(range, size) : null
  if (part === null) return withContent(200, fields, file, { start: 0, end: size })
  const line = knownLine('Content-Range', contentRange(part, size))
  if (part.start >= part.end) return new Reply(416, headersFromWire(OF_CONTENT.without(fields) + line), null)
  return withContent(206, fields + line, file, part)
}

function withContent(status: number, fields: string, file: FoundFile, part: Part): Reply | Promise<Reply | null> {
  const { content, size } = file
  const { start, end } = part
  if (content === null)
    return openFile(file).then((descriptor) =>
      descriptor === null ? null : new Reply(status, headersFromWire(fields), new FileBody(descriptor, start, end)),
    )
  const whole = end - start === size
  const body = whole ? content : Bytes.fromBuffer(content.toBuffer().subarray(start, end))
  return new Reply(status, headersFromWire(fields), body)
}
