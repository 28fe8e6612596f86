import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../core/clock.ts'
import type { Seal } from '../../../core/seal.ts'
import { isFields } from '../../../core/value.ts'
import type { Exchange } from '../../../http/exchange.ts'
import { CredentialError } from '../credential-error.ts'
import type { OwnCookie } from './cookies.ts'
import type { OidcOptions } from './options.ts'
import { type Grant, NotGranted, type Provider } from '../../../openid/provider.ts'
import { purposeOf, sealOf } from './session.ts'
import { ownTarget } from './targets.ts'

/** How long somebody may take to log in, in milliseconds. */
const PATIENCE = 10 * 60_000

/** Where a browser is sent to log in, and the cookie that it comes back with. */
export interface BegunLogin {
  readonly url: string
  readonly cookie: string
}

/** What a login was begun with; it is kept in `state`, encrypted, so that any gateway can go on with it. */
interface Attempt {
  /** Binds it to the browser: what its cookie has. */
  readonly browser: string
  readonly nonce: string
  readonly verifier: string
  /** Where the browser wanted to go. */
  readonly target: string
  /** Wall-clock milliseconds. */
  readonly begun: number
}

/**
 * Logins by the authorization code flow (OpenID Connect Core 1.0 section 3.1) with PKCE (RFC 7636). No attempt is kept by the gateway:
 * `state` has all there is to know, and one cookie binds all attempts of a browser to it, however many tabs there are.
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
   * Reads what binds logins to the browser, for a request without a session: before its cookies are taken out. Of several nobody knows
   * which is its own: none counts, and a login begins with a new one.
   */
  note(exchange: Exchange): void {
    const [browser, second] = this.cookie.all(exchange)
    if (browser !== undefined && second === undefined) this.browsers.set(exchange, browser)
  }

  /** Begins one, after which the browser is to go to `target`. Rejects with GatewayError 'service-unavailable'. */
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
    return { url, cookie: this.cookie.set(exchange, browser, PATIENCE / 1000) }
  }

  /**
   * Ends one with what the browser brings from the provider. Rejects with CredentialError 'login' for a login that this
   * browser has not begun, or too long ago, or that the provider has not granted, and as `Provider.login` does.
   */
  async finish(exchange: Exchange): Promise<{ readonly grant: Grant; readonly target: string }> {
    const { query } = exchange
    const [state = '', second] = new URLSearchParams(query).getAll('state')
    const attempt = second === undefined ? this.attemptOf(state) : null
    const age = attempt === null ? Infinity : this.clock.wall() - attempt.begun
    if (attempt === null || age > PATIENCE || !isSame(attempt.browser, this.cookie.read(exchange)))
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
    const said: unknown = text === null ? null : JSON.parse(text)
    return isAttempt(said) ? said : null
  }

  /** Where the provider sends browsers back to. */
  private callbackUrl(exchange: Exchange): string {
    return originOf(exchange, this.options) + this.options.paths.callback
  }
}

/** What the browser knows the gateway as. */
export function originOf({ client, host }: Exchange, { publicUrl }: OidcOptions): string {
  return publicUrl ?? `${client.scheme}://${client.host ?? host}`
}

function randomText(octets = 16): string {
  return randomBytes(octets).toString('base64url')
}

function isSame(expected: string, given: string | null): boolean {
  return given !== null && timingSafeEqual(hash('sha256', expected, 'buffer'), hash('sha256', given, 'buffer'))
}

function isAttempt(value: unknown): value is Attempt {
  if (!isFields(value)) return false
  const texts = [value['browser'], value['nonce'], value['verifier'], value['target']]
  return texts.every((text) => typeof text === 'string') && typeof value['begun'] === 'number'
}
