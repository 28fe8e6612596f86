import type { Clock } from '../core/clock.ts'
import type { GatewayError } from '../core/errors.ts'
import type { GrpcStatus } from '../grpc/status.ts'
import { newSpanId } from './trace-ids.ts'

export type { GrpcStatus } from '../grpc/status.ts'

/** Attributes of an event; names begin with "sallyport." or follow conventions. */
export type EventAttributes = Readonly<Record<string, string | number | boolean>>

/** A decision made while the exchange was processed. */
export interface RecordedEvent {
  readonly name: string
  /** Monotonic milliseconds. */
  readonly time: number
  readonly attributes: EventAttributes
}

/** What happened to an exchange inside the gateway; only created where it will be read. */
export class ExchangeRecord {
  readonly events: RecordedEvent[] = []
  readonly attempts: AttemptRecord[] = []
  /** Name of a policy -> milliseconds spent in it, excluding later steps, where that is measured. */
  readonly policies = new Map<string, number>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Adds to the milliseconds of a policy. */
  spent(policy: string, milliseconds: number): void {
    this.policies.set(policy, (this.policies.get(policy) ?? 0) + milliseconds)
  }

  /** Records a decision. */
  event(name: string, attributes: EventAttributes): void {
    this.events.push({ name, time: this.clock.now(), attributes })
  }

  /** Records that the request is now being sent to an instance, with or without TLS, in that version of HTTP. */
  attempt(instance: string, scheme: 'http' | 'https' = 'http', version: '1.1' | '2' = '1.1'): AttemptRecord {
    const attempt = new AttemptRecord(instance, scheme, version, this.clock)
    this.attempts.push(attempt)
    return attempt
  }
}

/** One attempt to get the exchange answered by an instance. Times are monotonic milliseconds. */
export class AttemptRecord {
  readonly spanId = newSpanId()
  /** Host and port. */
  readonly instance: string
  readonly scheme: 'http' | 'https'
  /** The version of HTTP spoken with the instance. */
  readonly version: '1.1' | '2'
  readonly start: number
  /** Path that was sent, or "" where none was. */
  path = ''
  /** Status of the reply, or 0 while there is none. */
  status = 0
  /** Status of a gRPC call as reported by the instance; null for any other request. */
  grpcStatus: GrpcStatus | null = null
  error: GatewayError | null = null
  /** A hedge: made in parallel to another attempt that took long. */
  hedge = false
  /** Another attempt was quicker, or continued in its place. */
  givenUp = false
  /** When the reply was complete, or the attempt had failed; NaN before. */
  end = Number.NaN
  private readonly clock: Clock

  constructor(instance: string, scheme: 'http' | 'https', version: '1.1' | '2', clock: Clock) {
    this.instance = instance
    this.scheme = scheme
    this.version = version
    this.clock = clock
    this.start = clock.now()
  }

  failed(error: GatewayError): void {
    this.error = error
    this.finished()
  }

  /** The attempt is no longer waited for. */
  giveUp(): void {
    this.givenUp = true
    this.finished()
  }

  /** Nothing more comes from the instance. */
  finished(): void {
    if (Number.isNaN(this.end)) this.end = this.clock.now()
  }
}
