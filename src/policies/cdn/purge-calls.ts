import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { messageOf } from '../../core/error-facts.ts'
import type { Logger } from '../../core/logger.ts'
import type { Counter } from '../../core/metrics.ts'
import type { PurgeCall } from './topics.ts'

/** Most requests that wait to be sent or retried; beyond that new ones are dropped. */
const MAX = 1_000
/** Number of concurrent requests. */
const AT_ONCE = 4
/** Timeout of a request, in milliseconds. */
const TIMEOUT = 10_000
/** Delays before each retry, in milliseconds. */
const PAUSES = [1_000, 5_000, 25_000]
/** Longest delay that a CDN may ask for, in milliseconds. */
const MAX_PAUSE = 60_000
/** Statuses after which a retry may help, in addition to 5xx. */
const AGAIN = new Set([408, 425, 429])

/** Counters of the outcomes. */
export interface PurgeCounts {
  readonly done: Counter
  readonly failed: Counter
  readonly dropped: Counter
}

/** Sends a request. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

interface Waiting {
  readonly call: PurgeCall
  /** Identifies equal requests. */
  readonly key: string
  tries: number
}

/** The purge requests to the CDN for the whole process: in order, a few at a time, with retries. */
export class PurgeCalls {
  private readonly clock: Pick<Clock, 'after'>
  private readonly log: Logger
  private readonly counts: PurgeCounts
  private readonly fetch: Fetch
  private readonly queue: Waiting[] = []
  /** Keys of the waiting requests. */
  private readonly known = new Set<string>()
  /** Requests that were accepted, by purge id. */
  private readonly accepted = new BoundedMap<string, true>(MAX)
  /** Cancels pending retries. */
  private readonly pauses = new Set<() => void>()
  private readonly ending = new AbortController()
  private underWay = 0
  private held = 0

  constructor(clock: Pick<Clock, 'after'>, log: Logger, counts: PurgeCounts, fetch: Fetch = globalThis.fetch) {
    this.clock = clock
    this.log = log
    this.counts = counts
    this.fetch = fetch
  }

  /**
   * Accepts a request of the purge with that id: once, even if several threads report it, and not at all if an equal request is
   * already waiting.
   */
  add(id: string, call: PurgeCall): void {
    const key = JSON.stringify(call)
    const own = `${id} ${key}`
    if (this.ending.signal.aborted || this.accepted.get(own) === true) return
    this.accepted.set(own, true)
    if (this.known.has(key)) return
    if (this.held >= MAX) {
      this.counts.dropped.add(1)
      this.log.error({ host: hostOf(call) }, 'Too many purges are waiting for the CDN: this one is dropped')
      return
    }
    this.held++
    this.push({ call, key, tries: 0 })
  }

  /** Number of requests that are waiting or in flight. */
  get size(): number {
    return this.held
  }

  /** Stops sending, and aborts requests in flight. */
  close(): void {
    this.ending.abort()
    for (const callOff of this.pauses) callOff()
    this.pauses.clear()
    this.queue.length = 0
  }

  private push(waiting: Waiting): void {
    this.queue.push(waiting)
    this.known.add(waiting.key)
    this.next()
  }

  private next(): void {
    while (this.underWay < AT_ONCE) {
      const waiting = this.queue.shift()
      if (waiting === undefined) return
      // Once this request is in flight, content may be cached again: a later equal purge has to be sent too.
      this.known.delete(waiting.key)
      this.underWay++
      void this.send(waiting).finally(() => {
        this.underWay--
        this.next()
      })
    }
  }

  private async send(waiting: Waiting): Promise<void> {
    const { call } = waiting
    const late = new AbortController()
    const callOff = this.clock.after(TIMEOUT, () => late.abort(new Error(`no reply within ${TIMEOUT / 1000}s`)))
    try {
      const { status, headers, body } = await this.fetch(call.url, {
        method: call.method,
        headers: call.headers,
        ...(call.body !== '' && { body: call.body }),
        redirect: 'error',
        signal: AbortSignal.any([this.ending.signal, late.signal]),
      })
      await body?.cancel()
      if (status < 300) return this.end(this.counts.done)
      const again = status >= 500 || AGAIN.has(status)
      this.failed(waiting, `it answered with ${status}`, again, headers.get('Retry-After'))
    } catch (error) {
      if (this.ending.signal.aborted) return
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      this.failed(waiting, messageOf(cause), true, null)
    } finally {
      callOff()
    }
  }

  private failed(waiting: Waiting, reason: string, again: boolean, retryAfter: string | null): void {
    const pause = again ? PAUSES[waiting.tries] : undefined
    waiting.tries++
    const host = hostOf(waiting.call)
    if (pause === undefined) {
      this.log.error({ host, reason, tries: waiting.tries }, 'The CDN could not be purged')
      return this.end(this.counts.failed)
    }
    this.log.warn({ host, reason, tries: waiting.tries }, 'The CDN could not be purged: retrying')
    const requested = /^\d{1,5}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1000 : 0
    const callOff = this.clock.after(Math.min(Math.max(pause, requested), MAX_PAUSE), () => {
      this.pauses.delete(callOff)
      this.push(waiting)
    })
    this.pauses.add(callOff)
  }

  private end(counted: Counter): void {
    this.held--
    counted.add(1)
  }
}

/** The part of the URL that may be logged: paths may contain what authenticates the CDN's customer. */
function hostOf({ url }: PurgeCall): string {
  return new URL(url).host
}
