import type { Clock } from '../core/clock.ts'
import type { GatewayError } from '../core/errors.ts'
import type { GrpcStatus } from '../grpc/status.ts'
import { newSpanId } from './trace-ids.ts'

export type { GrpcStatus } from '../grpc/status.ts'

/** What is told of an event, by names that begin with "sallyport." or are conventional. */
export type EventAttributes = Readonly<Record<string, string | number | boolean>>

/** A decision that was made on the way. */
export interface RecordedEvent {
  readonly name: string
  /** Monotonic milliseconds. */
  readonly time: number
  readonly attributes: EventAttributes
}

/** What happened to an exchange inside the gateway; only made where somebody will read it. */
export class ExchangeRecord {
  readonly events: RecordedEvent[] = []
  readonly attempts: AttemptRecord[] = []
  /** Name of a policy -> milliseconds that it took itself, where that is measured. */
  readonly policies = new Map<string, number>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Adds to the milliseconds of a policy. */
  spent(policy: string, milliseconds: number): void {
    this.policies.set(policy, (this.policies.get(policy) ?? 0) + milliseconds)
  }

  /** Notes a decision. */
  event(name: string, attributes: EventAttributes): void {
    this.events.push({ name, time: this.clock.now(), attributes })
  }

  /** The request goes to an instance now. */
  attempt(instance: string): AttemptRecord {
    const attempt = new AttemptRecord(instance, this.clock)
    this.attempts.push(attempt)
    return attempt
  }
}

/** One attempt to get the exchange answered by an instance. Times are monotonic milliseconds. */
export class AttemptRecord {
  readonly spanId = newSpanId()
  /** Host and port. */
  readonly instance: string
  readonly start: number
  /** Path that was sent, or "" where nothing was. */
  path = ''
  /** Status of the reply, or 0 while there is none. */
  status = 0
  /** How a call of gRPC ended, as the instance says; null for all else. */
  grpcStatus: GrpcStatus | null = null
  error: GatewayError | null = null
  /** It was made beside another one, which took long. */
  hedge = false
  /** Another one was quicker, or went on in its place. */
  givenUp = false
  /** When the reply was there whole, or the attempt had failed; NaN before. */
  end = Number.NaN
  private readonly clock: Clock

  constructor(instance: string, clock: Clock) {
    this.instance = instance
    this.clock = clock
    this.start = clock.now()
  }

  failed(error: GatewayError): void {
    this.error = error
    this.finished()
  }

  /** Nobody waits for it any more. */
  giveUp(): void {
    this.givenUp = true
    this.finished()
  }

  /** Nothing more comes from the instance. */
  finished(): void {
    if (Number.isNaN(this.end)) this.end = this.clock.now()
  }
}
