import type { Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'

/** What another service has for a client whose request it refuses. */
export interface Refusal {
  readonly status: number
  readonly headers: Headers
  readonly body: Bytes | null
}

/** Another service refuses the request, with a reply of its own for the client. */
export class RefusedElsewhere extends Error {
  private readonly refusal: Refusal

  constructor(refusal: Refusal) {
    // Where it was thrown tells nothing.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(`another service has refused the request with ${refusal.status}`)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'RefusedElsewhere'
    this.refusal = refusal
  }

  /** One for each exchange, as several may have waited for it. */
  reply(): Reply {
    const { status, headers, body } = this.refusal
    return new Reply(status, headers.clone(), body)
  }
}
