import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { messageOf } from '../../core/error-facts.ts'
import type { Logger } from '../../core/logger.ts'
import type { Counter } from '../../core/metrics.ts'
import type { PurgeCall } from './topics.ts'

/** Requests that wait to be sent, or to be sent again; beyond that none are taken. */
const MOST = 1_000
/** Requests that are under way at the same time. */
const AT_ONCE = 4
/** How long one may take, in milliseconds. */
const PATIENCE = 10_000
/** After how long one is sent again, in milliseconds. */
const PAUSES = [1_000, 5_000, 25_000]
/** How long a CDN may have it wait at most. */
const LONGEST_PAUSE = 60_000
/** Statuses after which another try may help, besides 5xx. */
const AGAIN = new Set([408, 425, 429])

/** What is counted of them. */
export interface PurgeCounts {
  readonly done: Counter
  readonly failed: Counter
  readonly dropped: Counter
}

/** What sends requests. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

interface Waiting {
  readonly call: PurgeCall
  /** Told apart by that. */
  readonly key: string
  tries: number
}

/** The requests by which a CDN is told to purge, for the whole process: in order, a few at a time, and again where one fails. */
export class PurgeCalls {
  private readonly clock: Pick<Clock, 'after'>
  private readonly log: Logger
  private readonly counts: PurgeCounts
  private readonly fetch: Fetch
  private readonly queue: Waiting[] = []
  /** Those that wait, by what they are. */
  private readonly known = new Set<string>()
  /** Those that were taken, by the purge that they are of. */
  private readonly taken = new BoundedMap<string, true>(MOST)
  /** Calls off those that are to be sent again. */
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

  /** Takes a request of the purge with that id: once, whoever tells of it, and not at all where the same waits already. */
  add(id: string, call: PurgeCall): void {
    const key = JSON.stringify(call)
    const own = `${id} ${key}`
    if (this.ending.signal.aborted || this.taken.get(own) === true) return
    this.taken.set(own, true)
    if (this.known.has(key)) return
    if (this.held >= MOST) {
      this.counts.dropped.add(1)
      this.log.error({ host: hostOf(call) }, 'Too many purges wait for the CDN: this one is lost')
      return
    }
    this.held++
    this.push({ call, key, tries: 0 })
  }

  /** How many wait, or are under way. */
  get size(): number {
    return this.held
  }

  /** Sends no more, and breaks off what is under way. */
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
      // What is purged from here on may be stored again by then: it is another one.
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
    const callOff = this.clock.after(PATIENCE, () => late.abort(new Error(`no reply within ${PATIENCE / 1000}s`)))
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
      this.log.error({ host, reason, tries: waiting.tries }, 'The CDN could not be told to purge')
      return this.end(this.counts.failed)
    }
    this.log.warn({ host, reason, tries: waiting.tries }, 'The CDN could not be told to purge: it is asked again')
    const asked = /^\d{1,5}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1000 : 0
    const callOff = this.clock.after(Math.min(Math.max(pause, asked), LONGEST_PAUSE), () => {
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

/** What may be logged of it: paths may hold what the CDN knows its user by. */
function hostOf({ url }: PurgeCall): string {
  return new URL(url).host
}
