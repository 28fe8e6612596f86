import type { BodySink, BodyStream } from '../http/body.ts'
import type { Clock } from '../core/clock.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { GrpcCall } from '../grpc/call.ts'
import { type GrpcStatus, parseGrpcStatus } from '../grpc/status.ts'
import { formatTimeout } from '../grpc/timeout.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import type { ExchangeNotes } from '../http/exchange.ts'
import { knownLine } from '../http/field-lines.ts'
import { callErrorTrailers, GRPC_STATUS } from '../http/grpc-error.ts'
import type { Headers } from '../http/headers.ts'
import { PassingBody } from '../http/passing-body.ts'

/** The error of a call that exceeded the deadline set by its client. */
export function deadlineExceeded(): GatewayError {
  return new GatewayError('deadline-exceeded', 'The deadline of the call has passed.')
}

/** The header line that tells an instance how much time a call has left; "" if it has no deadline. */
export function timeoutLine({ deadline }: GrpcCall, clock: Clock): string {
  return deadline === Number.POSITIVE_INFINITY ? '' : knownLine('grpc-timeout', formatTimeout(deadline - clock.now()))
}

/** The gRPC status in a reply's headers or trailers; null if there is none. */
export function statusIn(fields: Headers): GrpcStatus | null {
  const statusValue = fields.get(GRPC_STATUS)
  return statusValue === undefined ? null : parseGrpcStatus(statusValue)
}

/**
 * The messages of a gRPC reply, and the trailers that carry its status. If the reply cannot be completed, because the service ends early or
 * the call's deadline passes, that is reported in trailers as well.
 */
export class CallReply extends PassingBody implements Timed {
  deadline: number
  watchIndex = -1
  private readonly call: GrpcCall
  private readonly exchange: ExchangeNotes
  private readonly deadlines: Deadlines
  /** Called once when nothing more will arrive, with the status if known. */
  private readonly ended: (status: GrpcStatus | null) => void
  private readonly from: BodyStream
  private taker: BodySink | null = null
  /** Whether the sink holds a chunk that is only lent. */
  private lent = false
  private over = false

  constructor(
    source: BodyStream,
    call: GrpcCall,
    exchange: ExchangeNotes,
    deadlines: Deadlines,
    ended: (status: GrpcStatus | null) => void,
  ) {
    super(source)
    this.from = source
    this.call = call
    this.exchange = exchange
    this.deadlines = deadlines
    this.ended = ended
    this.deadline = deadlines.in(call.deadline - deadlines.clock.now())
    if (this.deadline < Number.POSITIVE_INFINITY) deadlines.watch(this)
  }

  override pipe(sink: BodySink): void {
    this.taker = sink
    super.pipe(sink)
  }

  override write(chunk: Buffer): boolean {
    if (this.over) return false
    const goesOn = super.write(chunk)
    this.lent = !goesOn
    return goesOn
  }

  override resume(): void {
    this.lent = false
    if (!this.over) super.resume()
  }

  override end(trailers: Headers | null): void {
    if (this.over) return
    const status = trailers === null ? null : statusIn(trailers)
    this.call.status = status
    this.finish(status)
    super.end(trailers)
  }

  override fail(error: Error): void {
    if (this.over) return
    this.finish(null)
    this.report(asGatewayError(error))
  }

  override cancel(): void {
    if (!this.over) this.finish(null)
    super.cancel()
  }

  onDeadline(): void {
    if (this.over) return
    this.finish(null)
    this.from.cancel()
    this.report(deadlineExceeded())
  }

  private finish(status: GrpcStatus | null): void {
    this.over = true
    this.deadlines.forget(this)
    this.ended(status)
  }

  /** Reports the error in trailers, unless a lent chunk comes before them or bytes were announced by Content-Length. */
  private report(error: GatewayError): void {
    const { taker, exchange, call } = this
    exchange.error ??= error
    if (this.lent || this.length >= 0) {
      callErrorTrailers(error, call)
      return taker?.fail(error)
    }
    taker?.end(callErrorTrailers(error, call))
  }
}
