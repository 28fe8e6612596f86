import { z } from 'zod'
import { changedFor } from '../change-request.ts'
import { definePolicy } from '../policy.ts'
import { readsRoute } from '../template.ts'
import type { Exchange, RouteInfo } from '../../http/exchange.ts'
import type { Reply } from '../../http/reply.ts'
import { compileHeaderEdits, editedFields, headerEdits } from '../header-edits.ts'
import { BodyEdit, bodyEdits } from './body.ts'
import { compilePathEdit, pathEdit } from './path.ts'
import { compileQueryEdits, queryEdits } from './query.ts'

/** 206 and 304 only make sense in combination with the request that they answer. */
const status = z
  .int()
  .min(200)
  .max(599)
  .refine((code) => code !== 206 && code !== 304, 'expected a status other than 206 and 304')

const statusKey = z
  .string()
  .regex(/^[2-5]\d\d$/, 'expected a status, 200 to 599')
  .refine((code) => code !== '206' && code !== '304', 'expected a status other than 206 and 304')

const requestEdits = z.strictObject({
  headers: headerEdits.optional().describe('Changes to the headers for the service.'),
  query: queryEdits.optional().describe('Changes to the query.'),
  path: pathEdit
    .optional()
    .describe('New path: a template, or { match, to }. The rewrite of the route is applied afterwards.')
    .meta({ examples: ['/v2{path}', { match: '/users/([0-9]+)', to: '/accounts/$1' }] }),
  body: bodyEdits.optional().describe('Changes to JSON bodies.'),
})

const replyEdits = z.strictObject({
  status: z
    .record(statusKey, status)
    .default({})
    .describe('Statuses of the service and the statuses to send instead.')
    .meta({ examples: [{ 404: 410 }] }),
  headers: headerEdits.optional().describe('Changes to the headers for the client.'),
  body: bodyEdits.optional().describe('Changes to JSON bodies.'),
})

/** Headers read if the body of the request or the reply is changed. */
const FIELDS_READ = ['Content-Type', 'Content-Encoding', 'Accept-Encoding', 'If-Range']

/** Changes requests before the service sees them, and its replies. */
export const transform = definePolicy({
  name: 'transform',
  summary: 'Changes path, query, headers and JSON body of requests, and status, headers and JSON body of replies.',
  changesRequests: true,
  options: z.strictObject({
    request: requestEdits.prefault({}).describe('Changes to the request. Templates see the original request.'),
    response: replyEdits
      .prefault({})
      .describe("Changes to replies of the service; the gateway's own error replies are unchanged."),
  }),
  document: ({ request }) => ({ moves: request.path !== undefined }),
  fields: ({ request }) => [...FIELDS_READ, ...(request.headers === undefined ? [] : editedFields(request.headers))],
  decidesBy: () => 'nothing',
  isShared: (options) => !readsRoute(options),
  create({ request, response }, _, route) {
    const editRequest = compileRequest(request, route)
    const editReply = compileReply(response, route)
    const replyBody = response.body === undefined ? null : new BodyEdit(response.body)
    const requestBody = request.body === undefined ? null : new BodyEdit(request.body)

    function finish(reply: Reply, exchange: Exchange): Reply | Promise<Reply> {
      const changed = exchange.error === null ? (replyBody?.reply(reply, exchange) ?? null) : null
      if (changed === null) return editReply(reply, exchange)
      return changed.then(() => editReply(reply, exchange))
    }

    return (next) => {
      const handle = changedFor(next, (exchange) => {
        editRequest(exchange)
        replyBody?.prepare(exchange.headers)
      })

      function pass(exchange: Exchange): Reply | Promise<Reply> {
        const reply = handle(exchange)
        return reply instanceof Promise ? reply.then((settled) => finish(settled, exchange)) : finish(reply, exchange)
      }

      return (exchange) => {
        const changed = requestBody?.request(exchange) ?? null
        return changed === null ? pass(exchange) : changed.then(() => pass(exchange))
      }
    }
  },
})

/** Everything but the body. All templates are evaluated before anything is changed. */
function compileRequest(
  { headers, query, path }: z.output<typeof requestEdits>,
  route: RouteInfo,
): (exchange: Exchange) => void {
  const editHeaders = headers === undefined ? null : compileHeaderEdits(headers, route, 'service')
  const newQuery = query === undefined ? null : compileQueryEdits(query)
  const newPath = path === undefined ? null : compilePathEdit(path)
  return (exchange) => {
    const target = [newPath?.(exchange) ?? exchange.path, newQuery?.(exchange) ?? exchange.query] as const
    editHeaders?.(exchange.headers, exchange)
    ;[exchange.path, exchange.query] = target
  }
}

function compileReply({ status: statuses, headers }: z.output<typeof replyEdits>, route: RouteInfo) {
  const editHeaders = headers === undefined ? null : compileHeaderEdits(headers, route, 'client')
  const mapped = new Map(Object.entries(statuses).map(([from, to]) => [Number(from), to]))
  return (reply: Reply, exchange: Exchange): Reply => {
    if (exchange.error !== null) return reply
    reply.status = mapped.get(reply.status) ?? reply.status
    editHeaders?.(reply.headers, exchange)
    return reply
  }
}
