import { z } from 'zod'
import { memoize } from '../../core/memoize.ts'
import { weightOf } from '../../http/accept.ts'
import { cancelBody } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import { editReplies } from '../../http/handler.ts'
import { knownLine } from '../../http/field-lines.ts'
import { replaceLines } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import type { Reply } from '../../http/reply.ts'
import { textKindOf } from '../../http/text-kind.ts'
import { keyMessage } from '../field-name.ts'
import { definePolicy } from '../policy.ts'
import { addVary } from '../vary.ts'
import { compilePage, type Page, pageSchema, readPages } from './pages.ts'

const KEY = /^(?:[45]xx|[45]\d\d)$/
const keyExpected = 'expected a status from 400 to 599, or 4xx or 5xx for all others of these'

/** Headers that describe the replaced content, or announce trailers after it. */
const OF_CONTENT = new NameSet([
  'Content-Type',
  'Content-Encoding',
  'Content-Language',
  'Content-Location',
  'Content-Range',
  'Content-Disposition',
  'Content-MD5',
  'Content-Digest',
  'Repr-Digest',
  'Digest',
  'Accept-Ranges',
  'ETag',
  'Last-Modified',
  'Trailer',
])

/** Keyed by status, so that pages of a route add to those of all routes. */
const options = z
  .record(z.string().regex(KEY, keyExpected), pageSchema, { error: keyMessage })
  .meta({ examples: [{ 404: { file: './pages/404.html' }, '5xx': { body: '<h1>{status} {title}</h1>' } }] })

/** Shows people a custom page when an error occurs; programs still get the problem document. */
export const errorPages = definePolicy({
  name: 'error-pages',
  summary:
    'Serves your own pages instead of problem documents, by status: 404, or 4xx and 5xx for all others. Clients that ask for JSON still get JSON.',
  options,
  files: [{ path: [], read: readPages }],
  isShared: () => true,
  create(written) {
    const pages = new Map(Object.entries(written).map(([key, page]) => [key, compilePage(page)]))
    const choices = new Map(Array.from(pages.values(), (page) => [page, memoize((accept) => wants(accept, page))]))

    function edit(reply: Reply, exchange: Exchange): void {
      const { status, headers, upgrade } = reply
      if (status < 400 || exchange.grpc !== null || upgrade !== null) return
      const { error } = exchange
      const isOwn = error !== null && error.status === status
      const page = pages.get(String(status)) ?? pages.get(status < 500 ? '4xx' : '5xx')
      if (page === undefined || !(isOwn || page.services)) return
      addVary(headers, 'Accept')
      if (choices.get(page)?.(exchange.headers.combined('Accept') ?? '') !== true) return
      cancelBody(reply.body)
      replaceLines(headers, OF_CONTENT, knownLine('Content-Type', page.contentType))
      reply.body = page.content(status, isOwn ? error.title : undefined, exchange)
    }

    return (next) => editReplies(next, edit)
  },
})

/** Whether a client prefers the page over JSON: a mere wildcard does not count as a preference. */
function wants(accept: string, { mediaType }: Page): boolean {
  const page = accept === '' ? 1 : weightOf(accept, mediaType)
  const problem = accept === '' ? 1 : weightOf(accept, 'application/problem+json')
  if (textKindOf(mediaType) === 'json') return page > 0 && page >= problem
  return page > Math.max(problem, accept === '' ? 1 : weightOf(accept, 'application/json'))
}
