import { type Bytes, cancelBody, isStream } from '../../http/body.ts'
import type { CacheStore, CacheEntry } from './store.ts'
import { asGatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Handler } from '../../http/handler.ts'
import { appendLines, type Headers, replaceLines } from '../../http/headers.ts'
import { errorReply } from '../../http/problem.ts'
import type { Reply } from '../../http/reply.ts'
import { CACHE_STATUS, forwardedLine, type Forwarded, type ForwardReason } from './cache-status.ts'
import type { CacheCounts } from './cache-counts.ts'
import type { Flight } from './coalescing.ts'
import { controlOf } from './directives.ts'
import { ttlOf } from './entry.ts'
import { freshnessOf } from './freshness.ts'
import { invalidateAfter, isSelf } from './invalidation.ts'
import type { Invalidator } from './invalidator.ts'
import type { Keys } from './key.ts'
import { makeEntry, type Storable, withBody } from './make-entry.ts'
import type { RequestControl } from './request-control.ts'
import { hasRoom, serveHit, type ServeTools } from './serve.ts'
import type { CacheSettings } from './settings.ts'
import { whyNotStored } from './storable.ts'
import { StoringBody } from './storing-body.ts'
import { conditionLines, CONDITIONS, freshen, isAbout, isUnchanged } from './validation.ts'
import { guessedVary, isSpelledOtherwise, varyOf } from './vary.ts'

/** RFC 5861 section 4: statuses that count as an error of the service. */
const ERRORS = new Set([500, 502, 503, 504])

/** A reply that is to be stored once its body is complete, if that is not too large. */
interface Candidate {
  /** Its entry, without the body. */
  readonly entry: CacheEntry
  /** Size of the largest body with which it is stored, in bytes. */
  readonly maxBody: number
  /** A token: why it is not known that the store takes it. Null if it is. */
  readonly doubt: string | null
}

/** Why it is not known that a reply is stored, or known that it is not, while the next one may be. */
const UNAVAILABLE = 'store-unavailable'

/** What all requests of one route have in common. */
export interface FetchContext extends ServeTools {
  readonly settings: CacheSettings
  readonly keys: Keys
  readonly store: CacheStore
  readonly invalidator: Invalidator
  readonly next: Handler
  /** Null for requests that no client has made. */
  readonly counts: CacheCounts | null
}

/** A request that the service is asked for, and why. */
export interface FetchTask {
  readonly exchange: Exchange
  /** Host, path and query. */
  readonly url: string
  readonly key: string
  readonly request: RequestControl
  /** The stored reply that the request selects, which cannot be used as it is; null if there is none. */
  readonly entry: CacheEntry | null
  readonly reason: ForwardReason
}

/**
 * One request to the service on behalf of one exchange.
 *
 * 1. If there is a stale entry, the service is asked whether it is still valid (RFC 9111 section 4.3), unless there is no room for its
 *    body while it is sent: then a whole reply is fetched.
 * 2. If it is, the entry is freshened and used for the reply.
 * 3. If the service fails, the stale entry is used if that is allowed (RFC 5861 section 4).
 * 4. Any other reply is passed to the client, and stored if it may be.
 */
export class Fetch {
  private readonly context: FetchContext
  private readonly task: FetchTask
  private readonly flight: Flight | null
  private begun = 0
  private validating = false

  /** `flight`: those who wait for the reply; null if nobody may. */
  constructor(context: FetchContext, task: FetchTask, flight: Flight | null) {
    this.context = context
    this.task = task
    this.flight = flight
  }

  run(): Reply | Promise<Reply> {
    // 1.
    const { entry, request } = this.task
    const conditions = entry === null || request.noStore || !this.hasRoom(entry) ? '' : conditionLines(entry)
    if (conditions === '') return this.send()
    this.validating = true
    replaceLines(this.task.exchange.headers, CONDITIONS, conditions)
    return this.send()
  }

  private send(): Reply | Promise<Reply> {
    this.begun = this.context.clock.now()
    try {
      const reply = this.context.next(this.task.exchange)
      if (!(reply instanceof Promise)) return this.replied(reply)
      return reply.then(
        (late) => this.replied(late),
        (error: unknown) => this.failed(error),
      )
    } catch (error) {
      return this.failed(error)
    }
  }

  private replied(reply: Reply): Reply | Promise<Reply> {
    const { entry, exchange } = this.task
    // A step further in has made a reply of an error.
    if (exchange.error !== null) return this.failed(exchange.error, reply)
    // 2.
    if (entry !== null && this.validating && reply.status === 304) return this.validated(entry, reply.headers)
    // 3.
    if (entry !== null && ERRORS.has(reply.status) && this.mayServeStale(entry)) {
      cancelBody(reply.body)
      return this.serveStale(entry, reply.status)
    }
    // 4.
    return this.passOn(reply)
  }

  private validated(entry: CacheEntry, update: Headers): Reply | Promise<Reply> {
    const { settings, store } = this.context
    const isOther = !isAbout(entry, update)
    if (isOther) store.remove(this.task.key, entry)
    if (isOther || !this.hasRoom(entry)) {
      this.validating = false
      replaceLines(this.task.exchange.headers, CONDITIONS, '')
      return this.send()
    }
    const fresh = this.freshened(entry, update)
    if (fresh === null) store.remove(this.task.key, entry)
    const acceptance = fresh === null ? 'no' : store.accepts()
    const isPut = this.settleAfter(fresh !== null && acceptance !== 'no' && store.put(this.task.key, fresh, this.begun))
    this.context.counts?.revalidated.add(1)
    const status: Forwarded = { reason: this.task.reason, status: 304, stored: isPut && acceptance === 'yes' }
    const reply = this.serve(fresh ?? entry, forwardedLine(status))
    // The cookies of a 304 are for this client, whatever happens to the entry.
    if (!settings.setCookie)
      for (const cookie of update.getAll('Set-Cookie')) reply.headers.append('Set-Cookie', cookie)
    return reply
  }

  private passOn(reply: Reply): Reply | Promise<Reply> {
    const { exchange } = this.task
    this.context.counts?.forwarded(this.task.reason)
    if (exchange.method === 'GET' || exchange.method === 'HEAD') return this.passAndStore(reply)
    // A client that changes something must see the change with its next request, so this is done before it gets the reply.
    const done = invalidateAfter(exchange, reply, this.context.keys, this.context.invalidator)
    return done === null ? this.passAndStore(reply) : done.then(() => this.passAndStore(reply))
  }

  private passAndStore(reply: Reply): Reply {
    const { exchange, entry, reason } = this.task
    const candidate = this.mayStore(reply)
    if (typeof candidate === 'string') {
      if (entry !== null) this.compare(entry, reply)
      if (reply.status < 500 && candidate !== UNAVAILABLE) this.flight?.giveUp()
      else this.flight?.settle()
      appendLines(
        reply.headers,
        CACHE_STATUS,
        forwardedLine({ reason, ...(candidate !== reason && { detail: candidate }) }),
      )
      return reply
    }
    // Whether a body of unknown length is stored is only known after the headers have been sent.
    const hasLength = reply.body === null || reply.body.length >= 0
    let stored = true
    if (isStream(reply.body)) {
      reply.body = new StoringBody(reply.body, candidate.maxBody, exchange.client.address, (body) => {
        if (body === 'unfit') this.flight?.giveUp()
        else this.settleAfter(body !== 'lost' && this.keep(candidate.entry, body))
      })
    } else {
      stored = this.settleAfter(this.keep(candidate.entry, reply.body?.detached() ?? null))
    }
    const doubt = candidate.doubt ?? (hasLength ? null : 'unknown-length')
    const outcome = doubt === null ? { stored } : { detail: doubt }
    appendLines(reply.headers, CACHE_STATUS, forwardedLine({ reason, ...outcome }))
    return reply
  }

  /** A newer reply takes precedence over a stored one even if it is not stored itself (RFC 9111 section 4.3.5). */
  private compare(entry: CacheEntry, { status, headers }: Reply): void {
    if (status >= 500 || status === 304 || status === 206) return
    const { store } = this.context
    const isSame = this.task.exchange.method === 'HEAD' && status === entry.status && isUnchanged(entry, headers)
    const fresh = isSame ? this.freshened(entry, headers) : null
    if (fresh === null) store.remove(this.task.key, entry)
    else void store.put(this.task.key, fresh, this.begun)
  }

  /** What is needed to store the reply, or a token saying why it is not stored. */
  private mayStore({ status, headers, body }: Reply): Candidate | string {
    const { request, exchange } = this.task
    const { keys, settings, store } = this.context
    if (request.noStore) return 'request'
    // RFC 9110 section 9.3.3: the reply to a POST may declare that it is what a GET would return.
    const isGet =
      exchange.method === 'GET' ||
      (exchange.method === 'POST' && status === 200 && isSelf(headers.get('Content-Location'), exchange, keys))
    if (!isGet) return 'method'
    const storable = this.examine(status, headers)
    if (typeof storable === 'string') return storable
    const acceptance = store.accepts()
    if (acceptance === 'no') return UNAVAILABLE
    const entry = makeEntry(exchange, storable)
    const maxBody = Math.min(settings.maxBody, store.maxBody(this.task.key, entry))
    return Math.max(0, body?.length ?? 0) > maxBody
      ? 'too-large'
      : { entry, maxBody, doubt: acceptance === 'yes' ? null : UNAVAILABLE }
  }

  /** The entry with the headers of a later reply; null if it may no longer be stored, or is too large for the store. */
  private freshened({ status, fields, body }: CacheEntry, update: Headers): CacheEntry | null {
    const storable = this.examine(status, freshen(fields, update))
    if (typeof storable === 'string') return null
    const entry = makeEntry(this.task.exchange, storable)
    return (body?.length ?? 0) > this.context.store.maxBody(this.task.key, entry) ? null : withBody(entry, body)
  }

  private keep(entry: CacheEntry, body: Bytes | null): boolean | Promise<void> {
    const { exchange, key } = this.task
    const { clock, store } = this.context
    // The reply to a change describes the state after the change.
    return store.put(key, withBody(entry, body), exchange.method === 'GET' ? this.begun : clock.now())
  }

  /** Requests waiting for this reply will look it up in the store. Returns false if it is not stored, as far as is known. */
  private settleAfter(stored: boolean | Promise<void>): boolean {
    if (stored instanceof Promise) void stored.then(() => this.flight?.settle())
    else this.flight?.settle()
    return stored !== false
  }

  private examine(status: number, headers: Headers): Storable | string {
    const { settings, clock } = this.context
    const [now, wall] = [clock.now(), clock.wall()]
    const control = controlOf(headers, settings.targets)
    const freshness = freshnessOf(status, headers, control, wall, settings)
    const why = whyNotStored(this.task.exchange, status, headers, control, freshness, settings)
    if (why !== null || freshness === null) return why ?? 'no-freshness'
    const vary = freshness.guessed ? guessedVary(headers) : varyOf(headers)
    if (vary === null) return 'vary-star'
    if (vary.length > 0 && isSpelledOtherwise(vary, this.task.exchange.headers)) return 'vary-name'
    return {
      url: this.task.url,
      status,
      headers,
      control,
      freshness,
      vary,
      arrival: { wall, delay: now - this.begun },
      now,
    }
  }

  /** `made`: the reply that reports the error, if there is one already. */
  private failed(error: unknown, made: Reply | null = null): Reply {
    const { entry, exchange } = this.task
    if (entry !== null && !exchange.aborted && asGatewayError(error).fault === 'service' && this.mayServeStale(entry)) {
      cancelBody(made?.body ?? null)
      return this.serveStale(entry, asGatewayError(error).status)
    }
    this.flight?.settle()
    this.context.counts?.forwarded(this.task.reason)
    const reply = made ?? errorReply(error, exchange)
    appendLines(reply.headers, CACHE_STATUS, forwardedLine({ reason: this.task.reason }))
    return reply
  }

  private mayServeStale(entry: CacheEntry): boolean {
    return this.context.clock.now() - entry.born - entry.lifetime < entry.staleIfError && this.hasRoom(entry)
  }

  private serveStale(entry: CacheEntry, status: number): Reply {
    const { clock, counts } = this.context
    this.flight?.settle()
    counts?.stale.add(1)
    // The client does not get the error that a policy further in may have recorded.
    this.task.exchange.error = null
    const ttl = ttlOf(entry, clock.now())
    return this.serve(entry, forwardedLine({ reason: this.task.reason, status, ttl, detail: 'stale-if-error' }))
  }

  private hasRoom(entry: CacheEntry): boolean {
    return hasRoom(this.context, this.task.exchange, entry, this.task.request)
  }

  private serve(entry: CacheEntry, status: string): Reply {
    return serveHit(this.context, this.task.exchange, entry, this.task.request, status)
  }
}
