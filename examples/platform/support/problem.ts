import { STATUS_CODES } from 'node:http'
import type { Issue } from './schema.ts'

interface ProblemOptions {
  /** What is wrong with each field of the body or parameter of the query. */
  readonly errors?: readonly Issue[]
  readonly headers?: Readonly<Record<string, string>>
}

/** An error that becomes a problem document (RFC 9457) with its status; `detail` is shown to the client. */
export class Problem extends Error {
  readonly status: number
  readonly errors: readonly Issue[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.errors = options.errors
    this.headers = options.headers ?? {}
  }

  /** The document as it is sent (RFC 9457 section 3). */
  toJSON(): ProblemDocument {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      ...(this.errors && { errors: this.errors }),
    }
  }
}

interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly Issue[]
}

/** The 401 of every service, with the challenge that RFC 9110 section 11.6.1 asks for. */
export function unauthorized(detail: string): Problem {
  return new Problem(401, detail, { headers: { 'WWW-Authenticate': 'Bearer realm="platform"' } })
}

/** The 404 for a resource that does not exist, or that the caller may not know of. */
export function notFound(kind: string, id: string): Problem {
  return new Problem(404, `There is no ${kind} ${id}.`)
}
