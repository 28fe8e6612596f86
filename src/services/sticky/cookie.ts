import type { Clock } from '../../core/clock.ts'
import { cookieValues } from '../../http/cookies.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Reply } from '../../http/reply.ts'
import type { Instance } from '../instance.ts'
import { giveCookie } from './give-cookie.ts'
import { Marks } from './marks.ts'
import type { Sticky, StickyTools } from './sticky.ts'

/** The configured options; `ttl` in milliseconds, omitted for a session cookie. */
export interface StickyCookieOptions {
  readonly cookie?: string | undefined
  readonly ttl?: number | undefined
}

/** The content of a cookie. */
interface MarkedInstance<I> {
  readonly instance: I
  /** Whether the cookie should be renewed before it expires. */
  readonly due: boolean
}

/** Session affinity by a cookie that the gateway sets: for browsers and other clients that support cookies (RFC 6265). */
export class StickyCookie<I extends Instance> implements Sticky<I> {
  private readonly name: string
  /** In seconds. */
  private readonly ttl: number
  private readonly marks: Marks<I>
  private readonly clock: Clock

  constructor(service: string, { cookie, ttl }: StickyCookieOptions, instances: readonly I[], tools: StickyTools) {
    this.name = cookie ?? defaultCookie(service)
    this.ttl = ttl === undefined ? Infinity : Math.ceil(ttl / 1000)
    this.marks = new Marks(service, instances, tools)
    this.clock = tools.clock
  }

  bound(exchange: Exchange): I | null {
    return this.readCookie(exchange)?.instance ?? null
  }

  bind(exchange: Exchange, instance: I, reply: Reply): void {
    // A 304 reply refers to a cached response shared by all clients.
    if (reply.status === 304) return
    const marked = this.readCookie(exchange)
    if (marked?.instance === instance && !marked.due) return
    const since = this.ttl === Infinity ? '' : `.${this.now().toString(36)}`
    giveCookie(reply, `${this.name}=${this.marks.of(instance)}${since}`, this.ttl, exchange.client.scheme)
  }

  private readCookie({ headers }: Exchange): MarkedInstance<I> | null {
    for (const value of cookieValues(headers, this.name)) {
      const [mark = '', since = ''] = value.split('.')
      const instance = this.marks.find(mark)
      // The time needs no signature: by changing it, clients only affect when their own cookie is renewed.
      const age = this.now() - Number.parseInt(since, 36)
      if (instance === null || age > this.ttl) continue
      const fresh = this.ttl === Infinity || (age >= 0 && age <= this.ttl / 2)
      return { instance, due: !fresh }
    }
    return null
  }

  /** Seconds since 1970-01-01T00:00:00Z. */
  private now(): number {
    return Math.floor(this.clock.wall() / 1000)
  }
}

/** The cookie name for a service that does not configure one. */
export function defaultCookie(service: string): string {
  return `sallyport-${service}`
}
