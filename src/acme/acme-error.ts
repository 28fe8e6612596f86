import { parseJson } from '../core/parse-json.ts'
import { z } from 'zod'
import { retryAfter } from './retry-after.ts'

const PREFIX = 'urn:ietf:params:acme:error:'
/** Maximum number of characters and details taken from a server's message. */
const MAX_DETAIL_LENGTH = 400
const MAX_PARTS = 5

/** A problem document (RFC 7807) with the members that ACME adds (RFC 8555 section 6.7.1). */
const problem = z.object({
  type: z.string().default(''),
  detail: z.string().default(''),
  subproblems: z
    .array(
      z.object({
        detail: z.string().default(''),
        identifier: z.object({ value: z.string() }).optional(),
      }),
    )
    .default([]),
})

/** A request that an ACME server rejected, or a failed challenge; the message contains the server's reason. */
export class AcmeError extends Error {
  /** The error type, such as "rateLimited" (RFC 8555 section 6.7), or "" if the server sent none of these. */
  readonly type: string
  /** Milliseconds during which retrying is pointless; null if the server does not say. */
  readonly retryAfter: number | null

  constructor(message: string, type = '', wait: number | null = null) {
    super(message)
    this.name = 'AcmeError'
    this.type = type
    this.retryAfter = wait
  }
}

/** Creates the error for a reply; `what` describes the request. `now` is wall-clock milliseconds. */
export function errorOfResponse(
  what: string,
  { status, text, retryAfter: wait }: { status: number; text: string; retryAfter: string | undefined },
  now: number,
): AcmeError {
  const { type, detail } = readProblem(parseJson(text))
  return new AcmeError(`${what}: ${detail === '' ? `status ${status}` : detail}`, type, retryAfter(wait, now))
}

/** The type and text of a problem document; both "" for anything else. */
export function readProblem(document: unknown): { type: string; detail: string } {
  const { success, data } = problem.safeParse(document)
  if (!success) return { type: '', detail: '' }
  const type = data.type.startsWith(PREFIX) ? data.type.slice(PREFIX.length) : ''
  const parts = data.subproblems
    .slice(0, MAX_PARTS)
    .map(({ identifier, detail }) => (identifier === undefined ? detail : `${identifier.value}: ${detail}`))
  const details = [data.detail, ...parts].filter((part) => part !== '').map(printable)
  return { type, detail: details.join('; ') + (type === '' ? '' : ` (${type})`) }
}

function printable(text: string): string {
  const short = text.length > MAX_DETAIL_LENGTH ? `${text.slice(0, MAX_DETAIL_LENGTH)}…` : text
  return short.replaceAll(/\p{Cc}+/gu, ' ')
}
