import { hash } from 'node:crypto'
import type { AdminOidc } from '../../../config/admin-oidc-schema.ts'
import type { GatewayConfig } from '../../../config/schema.ts'
import { GatewayError } from '../../../core/errors.ts'
import type { OutageTools } from '../../../core/outage-log.ts'
import type { Fields } from '../../../core/value.ts'
import { shownUrl } from '../../../openid/http-url.ts'
import { NotGranted, Provider } from '../../../openid/provider.ts'
import { pickClaim } from '../../../policies/pick-claim.ts'
import type { LoggedIn } from '../sessions.ts'
import { PendingLogins, randomText } from './pending-logins.ts'
import { mappedRoles, roleOf, claimedRoles } from './role.ts'

/** Maximum lengths of a name and of a subject, in characters. */
const MAX_LENGTH = 256

/** A user of the provider. */
export interface Known {
  readonly name: string
  readonly subject: string
  /** The values of the claim that determines the role. */
  readonly values: readonly string[]
  /** Null if they map to no role. */
  readonly loggedIn: LoggedIn | null
}

/** Logins of operators at the OpenID provider in the applied configuration. */
export class ProviderLogins {
  private readonly config: () => GatewayConfig
  private readonly tools: OutageTools
  private readonly pending: PendingLogins
  private known: { readonly options: AdminOidc; readonly provider: Provider } | null = null

  constructor(config: () => GatewayConfig, tools: OutageTools) {
    this.config = config
    this.tools = tools
    this.pending = new PendingLogins(tools.clock)
  }

  /** The options of the provider; null if there is none. */
  get options(): AdminOidc | null {
    const { admin } = this.config()
    return admin === false ? null : (admin.oidc ?? null)
  }

  /** Host of the issuer; null without a provider. */
  get host(): string | null {
    const { options } = this
    return options === null ? null : new URL(options.issuer).host
  }

  /** The URL at which the browser logs in. Rejects with GatewayError 'conflict' without a provider, and 'service-unavailable'. */
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
   * The user who has returned from the provider with that query, and the page to open. Rejects with GatewayError: 'unauthorized' for a
   * login that this browser has not started or that is invalid; 'forbidden' if the provider refuses it; 'service-unavailable'.
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

  /** The URL at which the browser ends its session at the provider, which leads back from there; null if there is none. */
  async leave(back: string): Promise<string | null> {
    const { options } = this
    return options === null ? null : this.providerOf(options).endSessionUrl({ post_logout_redirect_uri: back })
  }

  private identify(claims: Fields, options: AdminOidc): Known {
    const subject = textOf(claims['sub'])
    if (subject === null) throw unproven()
    const name = textOf(pickClaim(claims, options.name)) ?? subject
    const values = claimedRoles(claims, options.roles)
    const role = roleOf(values, options.roles)
    // Only what determined the role: other claims may be long.
    const mapped = mappedRoles(values, options.roles)
    const place = placeOf(options)
    const isValid = (): boolean => {
      const now = this.options
      return now !== null && placeOf(now) === place && roleOf(mapped, now.roles) === role
    }
    return { name, subject, values, loggedIn: role === null ? null : { name, role, by: 'oidc', subject, isValid } }
  }

  /** The client of the provider, with its discovery document; the same one until the configuration of it changes. */
  private providerOf(options: AdminOidc): Provider {
    if (this.known === null || !isSame(this.known.options, options))
      this.known = { options, provider: new Provider(options, this.tools) }
    return this.known.provider
  }
}

/** Identifies the provider, the client and the claims that gave a user a role: sessions end when they change. */
function placeOf({ issuer, clientId, name, roles }: AdminOidc): string {
  return JSON.stringify([issuer, clientId, name, roles.claim])
}

function isSame(a: AdminOidc, b: AdminOidc): boolean {
  const [first, second] = [a, b].map(({ issuer, clientId, clientSecret, timeout, ca, userinfo }) =>
    JSON.stringify([issuer, clientId, clientSecret, timeout, ca, userinfo]),
  )
  return first === second
}

/** A text that is safe to show; null if it is too long, or has control characters. */
function textOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.trim() === '' || !value.isWellFormed()) return null
  return value.length <= MAX_LENGTH && !/\p{Cc}/u.test(value) ? value : null
}

/** The error with advice for operators, who have access to the log. */
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
