import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorKind, errorKinds, GatewayError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { problemText } from '../http/problem.ts'
import { redactTarget } from '../telemetry/redact.ts'

/** Replies to an error with a problem document (RFC 9457); internal errors are logged. */
export function answerProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const error = problemOf(thrown)
  if (error.fault === 'gateway') log.error({ url: redactTarget(request.url), error }, 'An admin request failed')
  for (const [name, value] of error.headers) void reply.header(name, value)
  // Fastify would serialize a string of this type as JSON again.
  const document = Buffer.from(problemText(error, request.id))
  return reply.code(error.status).type('application/problem+json').serializer(asItIs).send(document)
}

function asItIs(document: unknown): string {
  return String(document)
}

/** Errors of the server framework have a status and a message that may be shown. */
function problemOf(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return internal(thrown)
  const kind = kindOf(thrown.statusCode)
  return kind === undefined ? internal(thrown) : new GatewayError(kind, thrown.message, { cause: thrown })
}

function internal(cause: unknown): GatewayError {
  return new GatewayError('internal-error', undefined, { cause })
}

function kindOf(status: unknown): ErrorKind | undefined {
  return errorKinds().find((kind) => kind.status === status && kind.fault === 'client')
}
