import type { BodyStream } from '../http/body.ts'
import type { Headers } from '../http/headers.ts'
import { PassingBody } from '../http/passing-body.ts'

/** A body whose trailers, if any, are passed to a callback that may change them before they are forwarded. */
export class WatchedTrailers extends PassingBody {
  private readonly look: (trailers: Headers) => void

  constructor(source: BodyStream, look: (trailers: Headers) => void) {
    super(source)
    this.look = look
  }

  override end(trailers: Headers | null): void {
    if (trailers !== null) this.look(trailers)
    super.end(trailers)
  }
}
