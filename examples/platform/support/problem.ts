import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { text, whole } from './fields.ts'

/** A problem document (RFC 9457); `errors` says what is wrong where, by JSON pointers (RFC 6901). */
export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: text(),
    status: whole(400, 599),
    detail: text(1000),
    errors: z.object({ pointer: text(), detail: text() }).array().optional(),
  })
  .meta({
    id: 'Problem',
    examples: [{ type: 'about:blank', title: 'Not Found', status: 404, detail: 'There is no product jam.' }],
  })

type Issues = z.infer<typeof problem>['errors']

interface ProblemOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** What is wrong with the parts of the body or the query. */
  readonly errors?: Issues
}

/** An error that becomes a problem document; `detail` and `errors` are shown to the client. */
export class Problem extends Error {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly errors: Issues | undefined

  constructor(statusCode: number, detail: string, { headers = {}, errors }: ProblemOptions = {}) {
    super(detail)
    this.name = 'Problem'
    this.statusCode = statusCode
    this.headers = headers
    this.errors = errors
  }
}

/** The 401 of every service, with the challenge that RFC 9110 section 11.6.1 asks for. */
export function unauthorized(detail: string): Problem {
  return new Problem(401, detail, { headers: { 'WWW-Authenticate': 'Bearer realm="platform"' } })
}

/** The 404 for a resource that does not exist, or that the caller may not know of. */
export function notFound(kind: string, id: string): Problem {
  return new Problem(404, `There is no ${kind} ${id}.`)
}

/** Answers whatever was thrown with a problem document; what the service did wrong is logged, and no client learns of it. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { statusCode: status, message: detail, headers, errors } = problemOf(error)
  if (status === 500) request.log.error(error)
  const document = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, errors }
  void reply
    .code(status)
    .headers({ 'Cache-Control': 'no-store', ...headers })
    .type('application/problem+json')
    .serializer((value) => JSON.stringify(value))
    .send(document)
}

/** What Fastify itself refuses has a status, and a message that is meant for the client. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500)
    return new Problem(error.statusCode, `${error.message}.`)
  return new Problem(500, 'The service made a mistake.')
}
