import type { Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'

/** The reply of another service to a client whose request it refuses. */
export interface Refusal {
  readonly status: number
  readonly headers: Headers
  readonly body: Bytes | null
}

/** Thrown if another service refuses the request with its own reply for the client. */
export class RefusedElsewhere extends Error {
  private readonly refusal: Refusal

  constructor(refusal: Refusal) {
    // The stack trace is of no use here.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(`another service has refused the request with ${refusal.status}`)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'RefusedElsewhere'
    this.refusal = refusal
  }

  /** A new reply for each exchange, as several may have waited for this error. */
  reply(): Reply {
    const { status, headers, body } = this.refusal
    return new Reply(status, headers.clone(), body)
  }
}
