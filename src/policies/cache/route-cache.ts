import { appendLines } from '../../http/headers.ts'
import type { CacheEntry, Missing } from './store.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { afterwards, type Handler } from '../../http/handler.ts'
import type { Logger } from '../../core/logger.ts'
import { errorReply } from '../../http/problem.ts'
import type { Reply } from '../../http/reply.ts'
import { CACHE_STATUS, type Forwarded, forwardedLine, type ForwardReason, statusLine } from './cache-status.ts'
import type { Flight, Flights } from './coalescing.ts'
import { hitReply, isFresh } from './entry.ts'
import type { CacheCounts } from './cache-counts.ts'
import { Fetch, type FetchContext, type FetchTask } from './fetch.ts'
import { consume, refreshOf } from './refresh.ts'
import { isShareable, isUsable, PLAIN, readRequest, type RequestControl } from './request-control.ts'
import { hasRoom, serveHit, staleLine } from './serve.ts'
import { mayBePersonal } from './storable.ts'

/** Methods that change nothing (RFC 9110 sections 9.2.1 and 18.2); all others may, including unknown ones. */
const SAFE = new Set(['OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'])

/** How many requests in a row, each without a reply to share, others wait for at most. */
const TURNS = 3

/**
 * The cache of one route.
 *
 * 1. Requests that cannot be answered from a store are forwarded; a successful change invalidates stored replies.
 * 2. The stored reply selected by the request is looked up.
 * 3. It is used if it is fresh, or if the request or the service allows it to be stale.
 * 4. Otherwise the reply is fetched from the service, once for all concurrent requests.
 */
export class RouteCache {
  private readonly context: FetchContext
  private readonly counts: CacheCounts
  private readonly flights: Flights
  private readonly log: Logger

  constructor(
    context: FetchContext & { readonly counts: CacheCounts; readonly flights: Flights; readonly log: Logger },
  ) {
    this.context = context
    this.flights = context.flights
    this.counts = context.counts
    this.log = context.log
  }

  handle(exchange: Exchange): Reply | Promise<Reply> {
    // 1.
    const { method } = exchange
    if (method !== 'GET' && method !== 'HEAD')
      return SAFE.has(method) ? this.pass(exchange, 'method') : this.change(exchange)
    if (exchange.upgrade !== null) return this.context.next(exchange)
    if (exchange.body !== null) return this.pass(exchange, 'bypass')
    // 2.
    const url = this.context.keys.url(exchange)
    const key = this.context.keys.key(exchange, url)
    const found = this.context.store.find(url, key, exchange.headers)
    if (found instanceof Promise) return found.then((late) => this.answer(exchange, url, key, late))
    return this.answer(exchange, url, key, found)
  }

  private answer(exchange: Exchange, url: string, key: string, found: CacheEntry | Missing): Reply | Promise<Reply> {
    const now = this.context.clock.now()
    const entry = this.entryFor(exchange, found)
    const request = readRequest(exchange.headers, exchange.method, this.context.settings.clientDirectives)
    // 3.
    if (request.preconditions) return this.pass(exchange, 'request')
    if (entry !== null && isUsable(entry, request, now)) {
      if (!hasRoom(this.context, exchange, entry, request)) return this.doWithout(exchange, request)
      this.counts.hit.add(1)
      if (request === PLAIN) return hitReply(entry, exchange, this.context.sender, now)
      return serveHit(this.context, exchange, entry, request, null)
    }
    if (request.onlyIfCached) return this.refuse(exchange)
    const isServedStale = entry !== null && this.mayRevalidateLater(entry, request, now)
    if (isServedStale && hasRoom(this.context, exchange, entry, request)) {
      this.counts.stale.add(1)
      this.refresh(exchange, url, key, entry)
      return serveHit(this.context, exchange, entry, request, staleLine(entry, now))
    }
    // 4.
    return this.ask({ exchange, url, key, request, entry, reason: reasonOf(found, entry, now) })
  }

  /** Answers without the stored reply, as there is no room for its body while it is sent. */
  private doWithout(exchange: Exchange, request: RequestControl): Reply | Promise<Reply> {
    if (!request.onlyIfCached) return this.pass(exchange, 'bypass', 'memory')
    this.counts.forwarded('bypass')
    return refusal(exchange, 'There is a stored reply, but slow clients hold too many large ones to send it.', 'memory')
  }

  /** A reply that is fresh only by the gateway's own guess may differ for a caller with a session. */
  private entryFor(exchange: Exchange, found: CacheEntry | Missing): CacheEntry | null {
    if (typeof found === 'string') return null
    return found.guessed && mayBePersonal(exchange, this.context.settings.share) ? null : found
  }

  private ask(task: FetchTask): Reply | Promise<Reply> {
    const { exchange, key, request, entry, reason } = task
    if (exchange.method === 'HEAD') {
      if (entry === null) return this.pass(exchange, reason)
      return new Fetch(this.context, task, null).run()
    }
    const { wait, share } = this.context.settings
    const waits = wait > 0 && !wantsStream(exchange)
    // A separate flight: the service's replies to a caller with a session say nothing about its replies to others.
    const flightKey = waits && mayBePersonal(exchange, share) ? `${key} personal` : key
    const left = request.noCache || request.noStore ? 0 : wait
    const flight = waits ? this.flights.joinOrBegin(flightKey, left, wait, isShareable(request)) : null
    if (flight instanceof Promise) return this.askAfter(flight, flightKey, task)
    return new Fetch(this.context, task, flight).run()
  }

  /**
   * Waits for a pending request for the same reply, which may serve this one too. If it leaves no reply, for example because its
   * client has left, the first of the waiting requests is forwarded and the others wait for that one. If it leaves a reply that is
   * not suitable, all of them are forwarded, as the next one would not be suitable either.
   */
  private async askAfter(waiting: Promise<void>, flightKey: string, task: FetchTask): Promise<Reply> {
    const { exchange, url, key, request, entry: former, reason } = task
    const { clock, settings, store } = this.context
    const until = clock.now() + settings.wait
    let over = waiting
    for (let turn = 1; ; turn++) {
      await over
      if (exchange.aborted) throw new GatewayError('client-closed')
      const found = await store.find(url, key, exchange.headers)
      const entry = this.entryFor(exchange, found)
      const now = clock.now()
      if (entry !== null && isUsable(entry, request, now)) {
        if (!hasRoom(this.context, exchange, entry, request)) return this.doWithout(exchange, request)
        this.counts.coalesced.add(1)
        return serveHit(this.context, exchange, entry, request, forwardedLine({ reason, collapsed: true }))
      }
      const isSame = typeof found === 'string' ? found === 'uri-miss' : found.born === former?.born
      const left = isSame && turn < TURNS ? Math.max(0, until - now) : 0
      const flight = this.flights.joinOrBegin(flightKey, left, settings.wait, isShareable(request))
      if (!(flight instanceof Promise)) return new Fetch(this.context, { ...task, entry }, flight).run()
      over = flight
    }
  }

  /** RFC 5861 section 3. */
  private mayRevalidateLater(
    entry: CacheEntry,
    { noCache, noStore, maxAge, minFresh }: RequestControl,
    now: number,
  ): boolean {
    const over = now - entry.born - entry.lifetime
    return !noCache && !noStore && maxAge === null && minFresh === 0 && over < entry.staleWhileRevalidate
  }

  /** Fetches a new reply to replace the entry, unless that is already in progress. */
  private refresh(exchange: Exchange, url: string, key: string, entry: CacheEntry): void {
    const flight = this.flights.begin(key, this.context.settings.wait)
    if (flight === null) return
    const copy = refreshOf(exchange, this.context.clock.now())
    const task: FetchTask = { exchange: copy, url, key, request: PLAIN, entry, reason: 'stale' }
    const fetch = new Fetch({ ...this.context, counts: null }, task, flight)
    void this.inBackground(fetch, flight)
  }

  /** No client waits for this: errors are logged, and the entry stays unchanged. Never rejects. */
  private async inBackground(fetch: Fetch, flight: Flight): Promise<void> {
    try {
      consume(await fetch.run())
    } catch (error) {
      flight.settle()
      this.log.error({ error }, 'A stored reply could not be refreshed')
    }
  }

  /** `detail`: a token that says more about the reason. */
  private pass(exchange: Exchange, reason: ForwardReason, detail?: string): Reply | Promise<Reply> {
    this.counts.forwarded(reason)
    return this.forward(exchange, { reason, ...(detail !== undefined && { detail }) })
  }

  /** Any method that is not known to be safe may change what is stored. */
  private change(exchange: Exchange): Reply | Promise<Reply> {
    const { keys } = this.context
    const url = keys.url(exchange)
    const key = keys.key(exchange, url)
    return new Fetch(this.context, { exchange, url, key, request: PLAIN, entry: null, reason: 'method' }, null).run()
  }

  private forward(exchange: Exchange, forwarded: Forwarded): Reply | Promise<Reply> {
    const line = forwardedLine(forwarded)
    return afterwards(settled(this.context.next, exchange), (reply) => {
      if (reply.upgrade === null) appendLines(reply.headers, CACHE_STATUS, line)
      return reply
    })
  }

  private refuse(exchange: Exchange): Reply {
    this.counts.miss.add(1)
    return refusal(exchange, 'There is no stored reply to this request.', 'only-if-cached')
  }
}

/** The reply to a request that allows stored replies only, if none can be used (RFC 9111 section 5.2.1.7). */
function refusal(exchange: Exchange, why: string, detail: string): Reply {
  const reply = errorReply(new GatewayError('not-cached', why), exchange)
  appendLines(reply.headers, CACHE_STATUS, statusLine(`sallyport; detail=${detail}`))
  return reply
}

/** The reply of `next`, or the problem document of the error that it throws. */
function settled(next: Handler, exchange: Exchange): Reply | Promise<Reply> {
  try {
    const reply = next(exchange)
    return reply instanceof Promise ? reply.catch((error: unknown) => errorReply(error, exchange)) : reply
  } catch (error) {
    return errorReply(error, exchange)
  }
}

function reasonOf(found: CacheEntry | Missing, entry: CacheEntry | null, now: number): ForwardReason {
  if (typeof found === 'string') return found
  // The stored reply is not for this request, as if it had been selected by its session.
  if (entry === null) return 'vary-miss'
  return isFresh(entry, now) ? 'request' : 'stale'
}

/** A stream of events is meant for one client only, and may take long to begin. */
function wantsStream({ headers }: Exchange): boolean {
  return headers.get('Accept')?.includes('text/event-stream') === true
}
