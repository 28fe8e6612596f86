import { type Body, type BodyStream, isStream } from './body.ts'
import { GatewayError } from '../core/errors.ts'
import { PassingBody } from './passing-body.ts'

/** The error for a request body that has, or announces, more than `limit` bytes. */
export function tooLarge(limit: number): GatewayError {
  return new GatewayError('content-too-large', `The request body is larger than ${limit} bytes.`)
}

/**
 * The request body, which fails with GatewayError 'content-too-large' once more than `limit` bytes have arrived. Throws
 * the same at once where the length is known in advance.
 */
export function limitBody(body: Body, limit: number): Body {
  if (body === null) return null
  if (body.length > limit) throw tooLarge(limit)
  return isStream(body) && body.length < 0 ? new LimitedBody(body, limit) : body
}

/** A body of unknown length, counted as it passes. */
class LimitedBody extends PassingBody {
  private readonly limit: number
  private received = 0

  constructor(source: BodyStream, limit: number) {
    super(source)
    this.limit = limit
  }

  override write(chunk: Buffer): boolean {
    this.received += chunk.length
    if (this.received <= this.limit) return super.write(chunk)
    this.cancel()
    this.fail(tooLarge(this.limit))
    return false
  }
}
