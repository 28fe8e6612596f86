import { hash } from 'node:crypto'
import type { AdminOidc } from '../../../config/admin-oidc-schema.ts'
import type { GatewayConfig } from '../../../config/schema.ts'
import type { Clock } from '../../../core/clock.ts'
import { GatewayError } from '../../../core/errors.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Fields } from '../../../core/value.ts'
import { shownUrl } from '../../../openid/http-url.ts'
import { NotGranted, Provider } from '../../../openid/provider.ts'
import { pickClaim } from '../../../policies/pick-claim.ts'
import type { LoggedIn } from '../sessions.ts'
import { PendingLogins, randomText } from './pending-logins.ts'
import { mappedRoles, roleOf, claimedRoles } from './role.ts'

/** Characters of a name, and of what the provider calls somebody, at most. */
const MAX_LENGTH = 256

/** Somebody whom the provider knows. */
export interface Known {
  readonly name: string
  readonly subject: string
  /** What it says that they are. */
  readonly said: readonly string[]
  /** Null where that gives no role. */
  readonly loggedIn: LoggedIn | null
}

/** Has operators log in at the OpenID provider of the configuration that is applied. */
export class ProviderLogins {
  private readonly config: () => GatewayConfig
  private readonly tools: { readonly clock: Clock; readonly log: Logger }
  private readonly pending: PendingLogins
  private known: { readonly options: AdminOidc; readonly provider: Provider } | null = null

  constructor(config: () => GatewayConfig, tools: { readonly clock: Clock; readonly log: Logger }) {
    this.config = config
    this.tools = tools
    this.pending = new PendingLogins(tools.clock)
  }

  /** What is configured; null for none. */
  get options(): AdminOidc | null {
    const { admin } = this.config()
    return admin === false ? null : (admin.oidc ?? null)
  }

  /** Of its issuer; null without a provider. */
  get host(): string | null {
    const { options } = this
    return options === null ? null : new URL(options.issuer).host
  }

  /** Where a browser is to go to log in. Rejects with GatewayError 'conflict' without a provider, and 'service-unavailable'. */
  async begin(browser: string, redirectUri: string, target: string): Promise<string> {
    const { options } = this
    if (options === null)
      throw new GatewayError('conflict', 'This gateway has no OpenID provider: configure admin.oidc.')
    const [state, nonce, verifier] = [randomText(), randomText(), randomText()]
    const url = await this.providerOf(options)
      .authorizationUrl({
        redirect_uri: redirectUri,
        scope: options.scopes.join(' '),
        state,
        nonce,
        code_challenge: hash('sha256', verifier, 'base64url'),
        code_challenge_method: 'S256',
      })
      .catch((error: unknown) => {
        throw unreachable(options, error)
      })
    this.pending.begin(state, browser, { nonce, verifier, redirectUri, target, provider: placeOf(options) })
    return url
  }

  /**
   * Who has come back from the provider with that query, and where they wanted to go. Rejects with GatewayError: 'unauthorized' for a
   * login that this browser has not begun, or that proves nothing; 'forbidden' where the provider refuses it; 'service-unavailable'.
   */
  async finish(browser: string, query: string): Promise<{ readonly who: Known; readonly target: string }> {
    const [state = '', second] = new URLSearchParams(query).getAll('state')
    const login = second === undefined ? this.pending.end(state, browser) : null
    const { options } = this
    if (login === null || options === null || login.provider !== placeOf(options)) throw unproven()
    const { nonce, verifier, redirectUri, target } = login
    const url = new URL(`${redirectUri}?${query}`)
    try {
      const { claims } = await this.providerOf(options).login(url, { state, nonce, verifier })
      return { who: this.identify(claims ?? {}, options), target }
    } catch (error) {
      throw error instanceof NotGranted ? unproven(error) : unreachable(options, error)
    }
  }

  /** Where a browser ends its session at the provider, and comes back from; null where there is no such place. */
  async leave(back: string): Promise<string | null> {
    const { options } = this
    return options === null ? null : this.providerOf(options).endSessionUrl({ post_logout_redirect_uri: back })
  }

  private identify(claims: Fields, options: AdminOidc): Known {
    const subject = textOf(claims['sub'])
    if (subject === null) throw unproven()
    const name = textOf(pickClaim(claims, options.name)) ?? subject
    const said = claimedRoles(claims, options.roles)
    const role = roleOf(said, options.roles)
    // What gave the role: what else is said of somebody may be long.
    const mapped = mappedRoles(said, options.roles)
    const place = placeOf(options)
    const stands = (): boolean => {
      const now = this.options
      return now !== null && placeOf(now) === place && roleOf(mapped, now.roles) === role
    }
    return { name, subject, said, loggedIn: role === null ? null : { name, role, by: 'oidc', subject, stands } }
  }

  /** The same one for as long as the configuration says the same of it, with what it has found out about the provider. */
  private providerOf(options: AdminOidc): Provider {
    if (this.known === null || !isSame(this.known.options, options))
      this.known = { options, provider: new Provider(options, this.tools) }
    return this.known.provider
  }
}

/** A session belongs to a client of a provider, and to the claims that have made an operator of somebody. */
function placeOf({ issuer, clientId, name, roles }: AdminOidc): string {
  return JSON.stringify([issuer, clientId, name, roles.claim])
}

function isSame(a: AdminOidc, b: AdminOidc): boolean {
  const [first, second] = [a, b].map(({ issuer, clientId, clientSecret, timeout, ca, userinfo }) =>
    JSON.stringify([issuer, clientId, clientSecret, timeout, ca, userinfo]),
  )
  return first === second
}

/** A name as it may be shown: visible, and no longer than names are. */
function textOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.trim() === '' || !value.isWellFormed()) return null
  return value.length <= MAX_LENGTH && !/\p{Cc}/u.test(value) ? value : null
}

/** What the library of the provider says of it is for everybody; operators can do something about it. */
function unreachable({ issuer }: AdminOidc, error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code !== 'service-unavailable') return error
  const { headers } = error
  return new GatewayError(
    error.code,
    `The OpenID provider ${shownUrl(issuer)} cannot be reached: the gateway's log has the reason. Try again later, or log in another way.`,
    { cause: error, headers },
  )
}

function unproven(cause?: unknown): GatewayError {
  return new GatewayError(
    'unauthorized',
    'The login failed, or was started more than ten minutes ago or in another browser. Start it again.',
    { cause },
  )
}
