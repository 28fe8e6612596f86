import type { Clock } from '../core/clock.ts'
import { type GatewayError, rootCause } from '../core/errors.ts'
import type { EndedExchange, FailedAttempt } from '../http/exchange.ts'
import type { EventAttributes, ExchangeRecord } from '../http/record.ts'
import { defineTopic } from '../core/threads.ts'
import { callStatus } from './call-status.ts'
import { redactQuery } from './redact.ts'

/** A finished exchange, without secrets. */
export interface RecentRequest {
  /** When it began, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number
  /** When it ended, in monotonic milliseconds, which all threads share. */
  readonly end: number
  /** In milliseconds. */
  readonly duration: number
  /** The HTTP version that the client used. */
  readonly protocol: string
  readonly method: string
  /** Host and port as the client named them, or "". */
  readonly host: string
  readonly path: string
  /** "?…" with the values of apparent secrets removed, or "". */
  readonly query: string
  readonly status: number
  /** Bytes of the body that were sent. */
  readonly bytes: number
  /** Id of the route, "" for none. */
  readonly route: string
  readonly service: string | null
  readonly instance: string | null
  /** The number of attempts to get a reply from an instance. */
  readonly attempts: number
  /** The reason for the retry, or null. */
  readonly retried: string | null
  /** Milliseconds that services took, up to the head of each reply. */
  readonly serviceTime: number
  /** IP address of the client. */
  readonly client: string
  /** Id of the consumer, or null if anonymous. */
  readonly consumer: string | null
  /** The tier that determines the consumer's limits, or null if anonymous. */
  readonly tier: string | null
  /** Id of the API key that was used, or null. */
  readonly apiKey: string | null
  readonly correlationId: string
  readonly traceId: string
  /** Code of the error in the reply, or null. */
  readonly error: string | null
  /** The name of a gRPC call's status; null for other exchanges. */
  readonly grpcStatus: string | null
}

/** An attempt to get a reply from an instance. */
export interface RecentAttempt {
  /** Host and port. */
  readonly instance: string
  /** Where the attempt failed: "connect", "reply" or "body"; null if it did not fail or this was not recorded. */
  readonly phase: string | null
  /** The reason for the failure, in one word; null if it did not fail, or got a reply. */
  readonly reason: string | null
  /** Status of the reply; null if there is none. */
  readonly status: number | null
  /** In milliseconds; null if this was not recorded. */
  readonly took: number | null
  /** Description of the error; null if there was none. */
  readonly error: string | null
}

/** Everything that is known of a recent request. */
export interface RecentDetails extends RecentRequest {
  /** Milliseconds that were spent waiting for the client's body. */
  readonly clientTime: number
  /** Milliseconds from the beginning of a streamed reply, or of a tunnel, to its end; 0 for any other reply. */
  readonly sendTime: number
  /** The client's User-Agent, truncated if it is long; null if there is none. */
  readonly userAgent: string | null
  /** The client disconnected before it had its reply. */
  readonly aborted: boolean
  /** The error detail in the reply and its underlying cause; null if there is none. */
  readonly detail: string | null
  readonly cause: string | null
  /** Age in seconds of the stored reply that the cache answered with; null for any other reply. */
  readonly storedAge: number | null
  /** The failed attempts, only the first ones if there were many; all attempts if decisions were recorded. */
  readonly tried: readonly RecentAttempt[]
  /** The decisions on the way, in order; null if they were not recorded. */
  readonly events: readonly { readonly name: string; readonly attributes: EventAttributes }[] | null
  /** Further members of its access log line. */
  readonly fields: Readonly<Record<string, string>>
}

/** What a worker remembers of the requests with one correlation id. */
export interface RecentAnswer {
  /** Number of the worker. */
  readonly worker: number
  /** How many requests it remembers now, and how many it can. */
  readonly remembered: number
  readonly capacity: number
  /** When the oldest of them ended, in milliseconds since 1970; null if there are none. */
  readonly since: number | null
  /** Newest first. */
  readonly found: readonly RecentDetails[]
}

/** Asks each worker for everything it knows of the requests with that correlation id. */
export const recentDetailsTopic = defineTopic<string, RecentAnswer>('recent-details')

/** Maximum number of requests returned for one correlation id, because clients may reuse one again and again. */
const MAX_DETAILS = 20

/** Selects recent requests. */
export interface RecentFilter {
  /** A status such as "404", or a class such as "4xx"; null for all. */
  readonly status: string | null
  /** Id of a route; null for all. */
  readonly route: string | null
  /** A correlation id; null for all. */
  readonly correlationId: string | null
  /** Name of a service; all by default. */
  readonly service?: string | null
  /** Id of a consumer or of an API key; all by default. */
  readonly consumer?: string | null
  /** Minimum duration in milliseconds; all by default. */
  readonly slower?: number | null
  /** Only requests that ended after that time, in monotonic milliseconds; all by default. */
  readonly after?: number | null
  /** Maximum number of requests. */
  readonly limit: number
}

/** Asks each thread for its recent requests, newest first. */
export const recentRequestsTopic = defineTopic<RecentFilter, RecentRequest[]>('recent-requests')

/** Maximum number of characters of a path, a query and a User-Agent. */
const LENGTH = 1024

/** What is kept of an exchange until its slot is reused: references to strings that exist anyway. */
class Slot {
  protocol = ''
  method = ''
  host = ''
  path = ''
  query = ''
  route = ''
  service: string | null = null
  instance: string | null = null
  retried: string | null = null
  client = ''
  consumer: string | null = null
  tier: string | null = null
  apiKey: string | null = null
  correlationId = ''
  traceId = ''
  error: string | null = null
  grpcStatus: string | null = null
}

/** What only the details include; references as well. */
class More {
  failures: readonly FailedAttempt[] | null = null
  failure: GatewayError | null = null
  record: ExchangeRecord | null = null
  fields: Readonly<Record<string, string>> | null = null
  userAgent: string | undefined = undefined
  aborted = false
  storedAge: number | null = null
}

/** The place of one exchange in the ring. */
class Place {
  readonly slot = new Slot()
  readonly more = new More()
}

/** The most recently finished exchanges of one thread: a ring that is updated in place, and read and redacted only on request. */
export class RecentRequests {
  private readonly clock: Clock
  private places: readonly Place[]
  private starts: Float64Array
  private ends: Float64Array
  private bytes: Float64Array
  private clientTimes: Float64Array
  private sendTimes: Float64Array
  private statuses: Uint16Array
  private attempts: Uint16Array
  private serviceTimes: Float64Array
  private next = 0
  private filled = 0

  /** Remembers that many exchanges; at least 1. */
  constructor(size: number, clock: Clock) {
    this.clock = clock
    this.places = Array.from({ length: size }, () => new Place())
    this.starts = new Float64Array(size)
    this.ends = new Float64Array(size)
    this.bytes = new Float64Array(size)
    this.clientTimes = new Float64Array(size)
    this.sendTimes = new Float64Array(size)
    this.statuses = new Uint16Array(size)
    this.attempts = new Uint16Array(size)
    this.serviceTimes = new Float64Array(size)
  }

  /** Changes the number of exchanges to remember; at least 1. The newest of the current ones stay. */
  resize(size: number): void {
    const before = this.places.length
    if (size === before) return
    const count = Math.min(this.filled, size)
    const first = (this.next - count + before) % before
    const { places } = this
    this.places = Array.from(
      { length: size },
      (_, i) => (i < count ? places[(first + i) % before] : undefined) ?? new Place(),
    )
    this.starts = unrolled(this.starts, first, count, new Float64Array(size))
    this.ends = unrolled(this.ends, first, count, new Float64Array(size))
    this.bytes = unrolled(this.bytes, first, count, new Float64Array(size))
    this.clientTimes = unrolled(this.clientTimes, first, count, new Float64Array(size))
    this.sendTimes = unrolled(this.sendTimes, first, count, new Float64Array(size))
    this.statuses = unrolled(this.statuses, first, count, new Uint16Array(size))
    this.attempts = unrolled(this.attempts, first, count, new Uint16Array(size))
    this.serviceTimes = unrolled(this.serviceTimes, first, count, new Float64Array(size))
    this.filled = count
    this.next = count % size
  }

  /** Adds a finished exchange, replacing the oldest one. */
  add(exchange: EndedExchange, status: number, bytes: number, end: number): void {
    const at = this.next
    const place = this.places[at]
    if (place === undefined) return
    const { slot, more } = place
    const { route, consumer, error } = exchange
    slot.protocol = exchange.protocol
    slot.method = exchange.method
    slot.host = exchange.host
    slot.path = exchange.path
    slot.query = exchange.query
    slot.route = route.id
    slot.service = route.service
    slot.instance = exchange.instance
    slot.retried = exchange.retried
    slot.client = exchange.client.address
    slot.consumer = consumer === null ? null : consumer.id
    slot.tier = consumer === null ? null : consumer.tier
    slot.apiKey = consumer === null ? null : consumer.key
    slot.correlationId = exchange.correlationId
    slot.traceId = exchange.trace.traceId
    slot.error = error === null ? null : error.code
    slot.grpcStatus = exchange.grpc === null ? null : callStatus(exchange)
    more.failures = exchange.failures
    more.failure = error
    more.record = exchange.record
    more.fields = exchange.logFields
    more.userAgent = exchange.headers.get('User-Agent')
    more.aborted = exchange.aborted
    more.storedAge = exchange.storedAge
    this.clientTimes[at] = exchange.clientTime
    this.sendTimes[at] = end - (exchange.repliedAt ?? end)
    this.starts[at] = exchange.start
    this.ends[at] = end
    this.bytes[at] = bytes
    this.statuses[at] = status
    this.attempts[at] = exchange.attempts
    this.serviceTimes[at] = exchange.serviceTime
    this.next = at + 1 === this.places.length ? 0 : at + 1
    if (this.filled < this.places.length) this.filled++
  }

  /** The exchanges that match the filter, newest first. */
  list(filter: RecentFilter): RecentRequest[] {
    const { status, route, correlationId, limit, service = null, consumer = null, slower = null, after = null } = filter
    const found: RecentRequest[] = []
    const size = this.places.length
    for (let age = 1; age <= this.filled && found.length < limit; age++) {
      const at = (this.next - age + size) % size
      const slot = this.places[at]?.slot
      if (slot === undefined || (status !== null && !hasStatus(this.statuses[at] ?? 0, status))) continue
      const [start = 0, end = 0] = [this.starts[at], this.ends[at]]
      // They are ordered by their ends, apart from deviations that are too small to matter.
      if (after !== null && end <= after) break
      if (slower !== null && end - start < slower) continue
      if (route !== null && slot.route !== route) continue
      if (service !== null && slot.service !== service) continue
      if (consumer !== null && slot.consumer !== consumer && slot.apiKey !== consumer) continue
      if (correlationId !== null && slot.correlationId !== correlationId) continue
      found.push(this.read(slot, at))
    }
    return found
  }

  /** What is known of the requests with that correlation id. */
  details(correlationId: string): Omit<RecentAnswer, 'worker'> {
    const size = this.places.length
    const oldest = this.filled === 0 ? undefined : this.ends[(this.next - this.filled + size) % size]
    const found: RecentDetails[] = []
    for (let age = 1; age <= this.filled && found.length < MAX_DETAILS; age++) {
      const at = (this.next - age + size) % size
      const place = this.places[at]
      if (place?.slot.correlationId === correlationId) found.push(this.readAll(place, at))
    }
    const { filled: remembered, clock } = this
    const since = oldest === undefined ? null : clock.wall() - (clock.now() - oldest)
    return { remembered, capacity: size, since, found }
  }

  private readAll({ slot, more }: Place, at: number): RecentDetails {
    const { failures, failure, record, fields, userAgent, aborted, storedAge } = more
    return {
      ...this.read(slot, at),
      clientTime: this.clientTimes[at] ?? 0,
      sendTime: this.sendTimes[at] ?? 0,
      userAgent: userAgent?.slice(0, LENGTH) ?? null,
      aborted,
      detail: failure?.detail ?? null,
      cause: failure === null ? null : (rootCause(failure) ?? null),
      storedAge,
      tried: record === null ? (failures ?? []).map(failedAttempt) : recorded(record, failures ?? []),
      events: record === null ? null : record.events.map(({ name, attributes }) => ({ name, attributes })),
      fields: fields ?? {},
    }
  }

  private read({ path, query, ...rest }: Slot, at: number): RecentRequest {
    const [start = 0, end = 0] = [this.starts[at], this.ends[at]]
    return {
      time: this.clock.wall() - (this.clock.now() - start),
      end,
      duration: end - start,
      path: path.slice(0, LENGTH),
      query: redactQuery(query).slice(0, LENGTH),
      status: this.statuses[at] ?? 0,
      bytes: this.bytes[at] ?? 0,
      attempts: this.attempts[at] ?? 0,
      serviceTime: this.serviceTimes[at] ?? 0,
      ...rest,
    }
  }
}

function failedAttempt({ instance, phase, reason, status, took, error }: FailedAttempt): RecentAttempt {
  return { instance, phase, reason, status: status === 0 ? null : status, took, error: wordsOf(error) }
}

/** All attempts, with what was recorded of those that failed. */
function recorded({ attempts }: ExchangeRecord, failures: readonly FailedAttempt[]): RecentAttempt[] {
  const left = [...failures]
  return attempts.map(({ instance, status, error, start, end }) => {
    const at = left.findIndex((failure) => failure.instance === instance && failure.status === status)
    const [failure] = at === -1 ? [] : left.splice(at, 1)
    if (failure !== undefined) return failedAttempt(failure)
    const took = Number.isNaN(end) ? null : end - start
    return { instance, phase: null, reason: null, status: status === 0 ? null : status, took, error: wordsOf(error) }
  })
}

function wordsOf(error: GatewayError | null): string | null {
  return error === null ? null : (rootCause(error) ?? error.message)
}

/** The numbers of a ring in order, `count` of them starting at `first`, copied into one with the new size. */
function unrolled<Numbers extends Float64Array | Uint16Array>(
  ring: Numbers,
  first: number,
  count: number,
  into: Numbers,
): Numbers {
  const tail = ring.subarray(first, first + count)
  into.set(tail)
  into.set(ring.subarray(0, count - tail.length), tail.length)
  return into
}

function hasStatus(status: number, pattern: string): boolean {
  return pattern.endsWith('xx') ? String(status).startsWith(pattern.charAt(0)) : String(status) === pattern
}
