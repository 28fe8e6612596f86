import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../core/clock.ts'
import { GatewayError } from '../../../core/errors.ts'
import type { Seal } from '../../../core/seal.ts'
import { isFields } from '../../../core/value.ts'
import type { Exchange } from '../../../http/exchange.ts'
import { CredentialError } from '../credential-error.ts'
import type { OwnCookie } from './cookies.ts'
import type { OidcOptions } from './options.ts'
import { type Grant, NotGranted, type Provider } from '../../../openid/provider.ts'
import { purposeOf, sealOf } from './session.ts'
import { ownTarget } from './targets.ts'

/** How long a login may take, in milliseconds. */
const TIMEOUT = 10 * 60_000

/** Where a browser is sent to log in, and the cookie that it sends on its return. */
export interface BegunLogin {
  readonly url: string
  readonly cookie: string
}

/** The state of a login in progress, kept encrypted in `state`, so that any gateway can complete it. */
interface Attempt {
  /** Binds the login to the browser: matches the value in its cookie. */
  readonly browser: string
  readonly nonce: string
  readonly verifier: string
  /** Where the browser wanted to go. */
  readonly target: string
  /** Wall-clock milliseconds. */
  readonly begun: number
}

/**
 * Logins by the authorization code flow (OpenID Connect Core 1.0 section 3.1) with PKCE (RFC 7636). The gateway stores no attempts:
 * `state` contains everything needed, and one cookie binds all attempts of a browser to it, however many tabs are open.
 */
export class Logins {
  private readonly options: OidcOptions
  private readonly provider: Provider
  private readonly cookie: OwnCookie
  private readonly clock: Clock
  private readonly seal: Seal
  private readonly purpose: string
  private readonly browsers = new WeakMap<Exchange, string>()

  constructor(options: OidcOptions, provider: Provider, cookie: OwnCookie, clock: Clock) {
    this.options = options
    this.provider = provider
    this.cookie = cookie
    this.clock = clock
    this.seal = sealOf(options)
    this.purpose = purposeOf('login', options)
  }

  /**
   * Reads the cookie that binds logins to the browser, for a request without a session, before cookies are removed. If there are
   * several it is unknown which is genuine: none counts, and a login starts with a new one.
   */
  note(exchange: Exchange): void {
    const [browser, second] = this.cookie.all(exchange)
    if (browser !== undefined && second === undefined) this.browsers.set(exchange, browser)
  }

  /** Starts a login, after which the browser goes to `target`. Rejects as `originOf` throws, and with GatewayError 'service-unavailable'. */
  async begin(exchange: Exchange, target: string): Promise<BegunLogin> {
    const known = this.browsers.get(exchange) ?? ''
    const browser = /^[\w-]{22}$/.test(known) ? known : randomText()
    const attempt: Attempt = {
      browser,
      nonce: randomText(),
      verifier: randomText(32),
      target: ownTarget(target),
      begun: this.clock.wall(),
    }
    const { parameters, scopes } = this.options
    const url = await this.provider.authorizationUrl({
      ...parameters,
      redirect_uri: this.callbackUrl(exchange),
      scope: scopes.join(' '),
      state: this.seal.seal(JSON.stringify(attempt), this.purpose),
      nonce: attempt.nonce,
      code_challenge: hash('sha256', attempt.verifier, 'base64url'),
      code_challenge_method: 'S256',
    })
    return { url, cookie: this.cookie.set(exchange, browser, TIMEOUT / 1000) }
  }

  /**
   * Completes a login with what the browser brings from the provider. Rejects with CredentialError 'login' if this browser did not
   * start the login, started it too long ago, or the provider did not grant it, and as `originOf` and `Provider.login` do.
   */
  async finish(exchange: Exchange): Promise<{ readonly grant: Grant; readonly target: string }> {
    const { query } = exchange
    const [state = '', second] = new URLSearchParams(query).getAll('state')
    const attempt = second === undefined ? this.attemptOf(state) : null
    const age = attempt === null ? Infinity : this.clock.wall() - attempt.begun
    if (attempt === null || age > TIMEOUT || !isSame(attempt.browser, this.cookie.read(exchange)))
      throw new CredentialError('login')
    const { nonce, verifier, target } = attempt
    const url = new URL(this.callbackUrl(exchange) + query)
    const grant = await this.provider.login(url, { state, nonce, verifier }).catch((error: unknown) => {
      throw error instanceof NotGranted ? new CredentialError('login', error) : error
    })
    return { grant, target }
  }

  private attemptOf(state: string): Attempt | null {
    const text = this.seal.open(state, this.purpose)
    const data: unknown = text === null ? null : JSON.parse(text)
    return isAttempt(data) ? data : null
  }

  /** Where the provider redirects browsers back to. */
  private callbackUrl(exchange: Exchange): string {
    return originOf(exchange, this.options) + this.options.paths.callback
  }
}

/**
 * The origin at which the browser addresses the gateway, without a default port. Throws GatewayError 'bad-request' for a host that no
 * URL can have.
 */
export function originOf({ client, host }: Exchange, { publicUrl }: OidcOptions): string {
  const url = URL.parse(publicUrl ?? `${client.scheme}://${client.host ?? host}`)
  if (url === null) throw new GatewayError('bad-request', 'The host of the request cannot be part of a URL.')
  return url.origin
}

function randomText(bytes = 16): string {
  return randomBytes(bytes).toString('base64url')
}

function isSame(expected: string, actual: string | null): boolean {
  return actual !== null && timingSafeEqual(hash('sha256', expected, 'buffer'), hash('sha256', actual, 'buffer'))
}

function isAttempt(value: unknown): value is Attempt {
  if (!isFields(value)) return false
  const texts = [value['browser'], value['nonce'], value['verifier'], value['target']]
  return texts.every((text) => typeof text === 'string') && typeof value['begun'] === 'number'
}
