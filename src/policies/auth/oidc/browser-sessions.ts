import { hash } from 'node:crypto'
import { GatewayError } from '../../../core/errors.ts'
import { SingleFlight } from '../../../core/single-flight.ts'
import type { Toolbox } from '../../../core/toolbox.ts'
import type { Exchange } from '../../../http/exchange.ts'
import type { Headers } from '../../../http/headers.ts'
import { CredentialError } from '../credential-error.ts'
import { DigestMap } from '../digest-map.ts'
import type { Identity } from '../identity.ts'
import { OwnCookie } from './cookies.ts'
import type { OidcOptions } from './options.ts'
import type { InTurn, Refreshed } from './refresh-turns.ts'
import { type Grant, NotGranted, type Provider } from '../../../openid/provider.ts'
import { type Session, Sessions } from './session.ts'

/** Number of sessions that each worker remembers, at a few kB each. */
const REMEMBERED = 4000
/** Milliseconds to wait before refreshing a session again after the provider could not be reached. */
const PAUSE = 30_000

/** A session, and what has happened to it since. */
interface Known {
  readonly session: Session
  /** SHA-256 of its cookie. */
  readonly digest: string
  /** The value of its cookie until a browser has sent it back; null from then on. */
  value: string | null
  /** The session that replaced it: requests that were already under way still send the old cookie. */
  next: Known | null
  /** Wall-clock milliseconds before which it is not refreshed again. */
  notBefore: number
  /** Whether the provider has ended it. */
  over: boolean
}

/** The sessions of browsers. The gateway does not store them: each is kept in a cookie. */
export class BrowserSessions {
  private readonly lifetime: number
  private readonly provider: Provider
  private readonly inTurn: InTurn
  private readonly tools: Pick<Toolbox, 'clock' | 'log'>
  private readonly cookie: OwnCookie
  private readonly sessions: Sessions
  private readonly known = new DigestMap<Known>(REMEMBERED)
  private readonly refreshing = new SingleFlight<void>()
  private readonly renewals = new WeakMap<Exchange, string>()
  private isWarned = false

  constructor(options: OidcOptions, provider: Provider, inTurn: InTurn, tools: Pick<Toolbox, 'clock' | 'log'>) {
    this.lifetime = options.lifetime
    this.inTurn = inTurn
    this.provider = provider
    this.tools = tools
    this.cookie = new OwnCookie(options.cookie)
    this.sessions = new Sessions(options)
  }

  /** The session of a request; null if it has none or the session is over. Throws CredentialError 'repeated'. */
  find(exchange: Exchange): Known | null {
    const sent = this.cookie.read(exchange)
    if (sent === null) return null
    let known = this.known.get(hash('sha256', sent, 'base64url')) ?? this.read(sent, null)
    if (known !== null) known.value = null
    while (known !== null && known.next !== null) known = known.next
    return known === null || known.session.ends <= this.tools.clock.wall() ? null : known
  }

  /** The identity behind a session, which is refreshed if due. Rejects with CredentialError 'session' if the provider has ended it. */
  identify(exchange: Exchange, known: Known): Identity | Promise<Identity> {
    if (known.over) return Promise.reject(new CredentialError('session'))
    const now = this.tools.clock.wall()
    const { refresh } = known.session
    if (refresh === null || now < refresh.from || now < known.notBefore) return this.current(exchange, known)
    const { token } = refresh
    const refreshed = this.refreshing.join(known.digest, () => this.refresh(known, token))
    return refreshed.then(() => this.current(exchange, known.next ?? known))
  }

  /** Starts a session after a login. Returns the value of a Set-Cookie header. Throws CredentialError and GatewayError. */
  begin(exchange: Exchange, grant: Grant): string {
    const session = this.sessions.begin(grant, this.tools.clock.wall())
    return this.cookie.set(exchange, this.write(session), this.lifetime / 1000)
  }

  /**
   * Ends the session of a request, if it has one, here and as far as possible at the provider. Returns the value of a Set-Cookie
   * header.
   */
  end(exchange: Exchange): string {
    const token = this.find(exchange)?.session.refresh?.token
    if (token !== undefined) void this.provider.revoke(token)
    return this.cookie.set(exchange, '', 0)
  }

  /** Whether the session is still valid; it is refreshed if due. */
  async isValid(exchange: Exchange, known: Known): Promise<boolean> {
    try {
      await this.identify(exchange, known)
      return true
    } catch (error) {
      if (error instanceof CredentialError) return false
      throw error
    }
  }

  /** The Set-Cookie value for the reply to a request whose session was refreshed, returned only once; otherwise null. */
  renewed(exchange: Exchange): string | null {
    const cookie = this.renewals.get(exchange) ?? null
    this.renewals.delete(exchange)
    return cookie
  }

  /** Removes the cookie from what the service receives. */
  conceal(headers: Headers): void {
    this.cookie.drop(headers)
  }

  private read(cookie: string, value: string | null): Known | null {
    const session = this.sessions.read(cookie)
    if (session === null) return null
    const digest = hash('sha256', cookie, 'base64url')
    const known: Known = { session, digest, value, next: null, notBefore: 0, over: false }
    this.known.set(digest, known)
    return known
  }

  /** The current identity. A browser that sent an outdated cookie gets the current one with the reply. */
  private current(exchange: Exchange, { session, value }: Known): Identity {
    if (value !== null)
      this.renewals.set(exchange, this.cookie.set(exchange, value, (session.ends - this.tools.clock.wall()) / 1000))
    return session.identity
  }

  private async refresh(known: Known, token: string): Promise<void> {
    const { session, digest } = known
    const result = await this.inTurn(digest, () => this.askFor(session, token))
    if ('cookie' in result) {
      known.next = this.read(result.cookie, result.cookie)
      return
    }
    const now = this.tools.clock.wall()
    known.over = result.failure === 'refused' && (session.refresh?.until ?? 0) <= now
    if (known.over) throw new CredentialError('session')
    // The provider cannot be reached, or another gateway has already refreshed it: it continues unchanged.
    known.notBefore = now + PAUSE
  }

  private async askFor(session: Session, token: string): Promise<Refreshed> {
    try {
      const grant = await this.provider.refresh(token)
      return { cookie: this.write(this.sessions.goOn(session, grant, this.tools.clock.wall())) }
    } catch (error) {
      const isRefused = error instanceof NotGranted || error instanceof CredentialError
      return { failure: isRefused ? 'refused' : 'unavailable' }
    }
  }

  /** The value of the cookie. If it is too long for browsers, the refresh token is left out. */
  private write(session: Session): string {
    const whole = this.sessions.write(session)
    if (this.cookie.fits(whole)) return whole
    const value = this.sessions.write({ ...session, refresh: null })
    if (!this.cookie.fits(value))
      throw new GatewayError('internal-error', undefined, {
        cause: new Error('the session does not fit into a cookie: list the claims to keep under keepClaims'),
      })
    if (!this.isWarned)
      this.tools.log.warn(
        { cookie: whole.length },
        'Sessions do not fit into a cookie with their refresh token, and cannot be refreshed: list fewer claims under keepClaims',
      )
    this.isWarned = true
    return value
  }
}
