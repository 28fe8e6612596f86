import type * as Library from 'openid-client'
import { GatewayError } from '../core/errors.ts'
import { OutageLog, type OutageTools } from '../core/outage-log.ts'
import { SingleFlight } from '../core/single-flight.ts'
import type { Fields } from '../core/value.ts'
import { createFetch } from './fetch-text.ts'
import { shownUrl } from './http-url.ts'
import { openidClient } from './library.ts'

/** Age of the discovery document at which it is fetched again, in milliseconds. */
const REFRESH = 60 * 60_000
/** Minimum and maximum interval between attempts to fetch it, in milliseconds. */
const [FIRST_PAUSE, MAX_PAUSE] = [1000, 30_000]

/** The provider, and the gateway's credentials there. */
export interface ProviderOptions {
  readonly issuer: string
  readonly clientId: string
  /** Absent for a public client. */
  readonly clientSecret?: string | undefined
  /** Time limit for each response, in milliseconds. */
  readonly timeout: number
  /** Certificate authorities in PEM that replace those that Node trusts. */
  readonly ca?: string | undefined
  /** Whether further claims are requested from the userinfo endpoint at a login. */
  readonly userinfo: boolean
}

/** The provider refuses the grant, or its response is invalid. */
export class NotGranted extends Error {
  constructor(cause: unknown) {
    super('the OpenID provider did not grant the request', { cause })
    this.name = 'NotGranted'
  }
}

/** The provider refuses to log the user in. */
export class LoginRefused extends GatewayError {
  constructor(error: Library.AuthorizationResponseError) {
    // RFC 6749 section 4.1.2.1: the error code is from a list, and in any case consists of visible characters.
    const code = /^[\w.-]{1,64}$/.test(error.error) ? error.error : 'unknown reason'
    super('forbidden', `The provider has refused the login: ${code}`, { cause: error })
  }
}

/** The result of a login or a refresh. */
export interface Grant {
  /** The claims about the user; null if a refresh brings no new ones. */
  readonly claims: Fields | null
  readonly refreshToken: string | null
  /** Lifetime in seconds; null if the provider does not report it. */
  readonly expiresIn: number | null
}

/** The values that a login is verified with. */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/**
 * An OpenID provider. Its discovery document is fetched when it is first needed, so that a gateway starts without it. While it is not
 * available, requests that need it get 503, and it is fetched again with exponential backoff. The last document stays in use until there is
 * a newer one.
 */
export class Provider {
  private readonly options: ProviderOptions
  private readonly toolbox: OutageTools
  private readonly dry: boolean
  private readonly fetch: Library.CustomFetch
  private metadata: Library.ServerMetadata | null = null
  /** Monotonic milliseconds. */
  private fetchedAt = -Infinity
  private nextAttempt = -Infinity
  private pause = FIRST_PAUSE
  private readonly fetching = new SingleFlight<void>()
  /** Of its discovery document. */
  private readonly absence: OutageLog
  /** Of its token endpoint. */
  private readonly outage: OutageLog

  /** With `dry`, nothing is sent that changes something at the provider: no code and no refresh token is used up. */
  constructor(options: ProviderOptions, toolbox: OutageTools, dry = false) {
    this.dry = dry
    this.options = options
    this.toolbox = toolbox
    this.fetch = fetchWith(options, toolbox)
    const fields = { issuer: this.shown }
    this.absence = new OutageLog(
      {
        fields,
        begins: 'The OpenID provider cannot be reached; existing sessions continue',
        ends: 'The OpenID provider can be reached again',
      },
      toolbox,
    )
    this.outage = new OutageLog(
      {
        fields,
        begins: 'The OpenID provider issues no tokens',
        ends: 'The OpenID provider issues tokens again',
      },
      toolbox,
    )
  }

  /** The authorization URL with these parameters. Rejects with GatewayError 'service-unavailable'. */
  async authorizationUrl(parameters: Readonly<Record<string, string>>): Promise<string> {
    return openidClient().buildAuthorizationUrl(await this.configuration(), { ...parameters }).href
  }

  /** The URL at which browsers end their session at the provider; null if it has none or is not available. */
  async endSessionUrl(parameters: Readonly<Record<string, string>>): Promise<string | null> {
    try {
      const configuration = await this.configuration()
      if (configuration.serverMetadata().end_session_endpoint === undefined) return null
      return openidClient().buildEndSessionUrl(configuration, { ...parameters }).href
    } catch {
      return null
    }
  }

  /**
   * Exchanges the code in `url`. Rejects with NotGranted if it is invalid, with LoginRefused if the provider refuses the user, and with
   * another GatewayError if it is not available.
   */
  async login(url: URL, { state, nonce, verifier }: Checks): Promise<Grant> {
    return this.asking(async (configuration) => {
      const tokens = await openidClient().authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      return this.grantOf(configuration, tokens)
    })
  }

  /** How long a refresh takes at most, in milliseconds: it may need the discovery document, tokens, keys and further claims. */
  get longestRefresh(): number {
    return 4 * this.options.timeout
  }

  /** Rejects with NotGranted if the provider refuses, and with a GatewayError if it is not available. */
  async refresh(refreshToken: string): Promise<Grant> {
    return this.asking(async (configuration) => {
      const tokens = await openidClient().refreshTokenGrant(configuration, refreshToken)
      const grant = await this.grantOf(configuration, tokens)
      return { ...grant, refreshToken: grant.refreshToken ?? refreshToken }
    })
  }

  /** Revokes a refresh token if the provider supports it. Never rejects, because nobody waits for it. */
  async revoke(refreshToken: string): Promise<void> {
    if (this.dry) return
    try {
      const configuration = await this.configuration()
      if (configuration.serverMetadata().revocation_endpoint === undefined) return
      await openidClient().tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' })
    } catch (error) {
      this.toolbox.log.warn({ issuer: this.shown, error }, 'A refresh token could not be revoked')
    }
  }

  private async grantOf(
    configuration: Library.Configuration,
    tokens: Library.TokenEndpointResponse & Library.TokenEndpointResponseHelpers,
  ): Promise<Grant> {
    const idClaims = tokens.claims()
    const more =
      this.options.userinfo && idClaims !== undefined
        ? await openidClient().fetchUserInfo(configuration, tokens.access_token, idClaims.sub)
        : {}
    return {
      claims: idClaims === undefined ? null : { ...idClaims, ...more },
      refreshToken: tokens.refresh_token ?? null,
      expiresIn: tokens.expires_in ?? null,
    }
  }

  /** Turns an error of the library into one of the gateway. */
  private async asking(ask: (by: Library.Configuration) => Promise<Grant>): Promise<Grant> {
    if (this.dry)
      throw new GatewayError('service-unavailable', 'The OpenID provider is only asked when a request is really sent.')
    const configuration = await this.configuration()
    const { AuthorizationResponseError, ResponseBodyError, ClientError } = openidClient()
    try {
      const grant = await ask(configuration)
      this.outage.worked()
      return grant
    } catch (error) {
      if (error instanceof AuthorizationResponseError) throw new LoginRefused(error)
      if (error instanceof ResponseBodyError && error.error === 'invalid_grant') throw new NotGranted(error)
      if (error instanceof ResponseBodyError || !isAboutTheReply(error, ClientError)) throw this.unavailable(error)
      throw new NotGranted(error)
    }
  }

  private unavailable(error: unknown): GatewayError {
    this.outage.failed(error)
    return new GatewayError('service-unavailable', 'Nobody can log in at present; try again later.', { cause: error })
  }

  /** Created for each use, so that the library caches no keys: those of a provider may change at any time. */
  private async configuration(): Promise<Library.Configuration> {
    const now = this.toolbox.clock.now()
    if (this.metadata === null) await this.discover()
    else if (now - this.fetchedAt > REFRESH) void this.discover()
    const { metadata } = this
    if (metadata === null)
      throw new GatewayError(
        'service-unavailable',
        'The OpenID provider cannot be reached at present; try again later.',
        {
          headers: [['Retry-After', String(Math.max(1, Math.ceil((this.nextAttempt - now) / 1000)))]],
        },
      )
    const library = openidClient()
    const { clientId, clientSecret, issuer } = this.options
    const skew = Math.round((this.toolbox.clock.wall() - Date.now()) / 1000)
    const configuration = new library.Configuration(
      metadata,
      clientId,
      { [library.clockSkew]: skew },
      authenticationOf(metadata, clientSecret),
    )
    configuration[library.customFetch] = this.fetch
    library.enableNonRepudiationChecks(configuration)
    if (isPlain(issuer)) library.allowInsecureRequests(configuration)
    return configuration
  }

  /** Fetches the discovery document, unless that was tried just now. Never rejects. */
  private discover(): Promise<void> {
    return this.fetching.join('', async () => {
      const { clock } = this.toolbox
      if (clock.now() < this.nextAttempt) return
      try {
        this.metadata = await this.ask()
        this.fetchedAt = clock.now()
        this.pause = FIRST_PAUSE
        this.absence.worked()
      } catch (error) {
        this.absence.failed(error)
        this.nextAttempt = clock.now() + this.pause
        this.pause = Math.min(2 * this.pause, MAX_PAUSE)
      }
    })
  }

  private async ask(): Promise<Library.ServerMetadata> {
    const library = openidClient()
    const { issuer, clientId } = this.options
    const found = await library.discovery(new URL(issuer), clientId, undefined, undefined, {
      [library.customFetch]: this.fetch,
      ...(isPlain(issuer) && { execute: [library.allowInsecureRequests] }),
    })
    // Without the library's own additions, which cannot be cloned.
    const metadata = { ...found.serverMetadata() }
    if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined)
      throw new Error('the discovery document has no authorization_endpoint or no token_endpoint')
    return metadata
  }

  private get shown(): string {
    return shownUrl(this.options.issuer)
  }
}

/** Errors of the library about an invalid response, as opposed to a missing one. */
function isAboutTheReply(error: unknown, ClientError: typeof Library.ClientError): boolean {
  return (
    error instanceof ClientError &&
    error.code !== undefined &&
    /^OAUTH_(?:JWT|JSON|INVALID_RESPONSE|KEY|MISSING)/.test(error.code)
  )
}

function isPlain(url: string): boolean {
  return url.startsWith('http:')
}

/** HTTP Basic, unless the provider only supports credentials in the body (OpenID Connect Core 1.0 section 9). */
function authenticationOf(metadata: Library.ServerMetadata, secret: string | undefined): Library.ClientAuth {
  const { None, ClientSecretBasic, ClientSecretPost } = openidClient()
  if (secret === undefined) return None()
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.includes('client_secret_basic') ? ClientSecretBasic(secret) : ClientSecretPost(secret)
}

/** A fetch function that uses the gateway's connections, certificate authorities, timeout and size limit. */
function fetchWith({ ca, timeout }: ProviderOptions, { clock }: OutageTools): Library.CustomFetch {
  const fetchText = createFetch(ca, clock)
  return async (url, { method, headers, body }) => {
    const isForm = typeof body === 'string' || body instanceof URLSearchParams
    const { status, text, type } = await fetchText(url, {
      method,
      headers,
      timeout,
      ...(isForm && { body: body.toString() }),
    })
    return new Response([204, 205, 304].includes(status) ? null : text, { status, headers: { 'Content-Type': type } })
  }
}
