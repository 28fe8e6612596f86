import type { BodyStream } from '../core/body.ts'
import type { Headers } from '../core/headers.ts'
import { PassingBody } from '../core/passing-body.ts'

/** A body whose trailers, if there are any, somebody looks at and may change before they go on. */
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
