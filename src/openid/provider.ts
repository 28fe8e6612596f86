import type * as Library from 'openid-client'
import type { Toolbox } from '../core/toolbox.ts'
import { GatewayError } from '../core/errors.ts'
import { SingleFlight } from '../core/single-flight.ts'
import type { Fields } from '../core/value.ts'
import { createFetch } from './fetch-text.ts'
import { shownUrl } from './http-url.ts'
import { openidClient } from './library.ts'

/** Age of the discovery document at which it is fetched again, in milliseconds. */
const REFRESH = 60 * 60_000
/** The least and the most time between two attempts to fetch it, in milliseconds. */
const [FIRST_PAUSE, MAX_PAUSE] = [1000, 30_000]

/** Which provider it is, and what the gateway is there. */
export interface ProviderOptions {
  readonly issuer: string
  readonly clientId: string
  /** None for a public client. */
  readonly clientSecret?: string | undefined
  /** For each answer, in milliseconds. */
  readonly timeout: number
  /** The authorities that are believed, PEM, in place of those that Node knows. */
  readonly ca?: string | undefined
  /** Whether the userinfo endpoint is asked for further claims when somebody logs in. */
  readonly userinfo: boolean
}

type ProviderTools = Pick<Toolbox, 'clock' | 'log'>

/** The provider grants nothing, or what it says proves nothing. */
export class NotGranted extends Error {
  constructor(cause: unknown) {
    super('the OpenID provider did not grant the request', { cause })
    this.name = 'NotGranted'
  }
}

/** What a login or a refresh brings. */
export interface Grant {
  /** What the provider says of the user; null where a refresh says nothing new. */
  readonly claims: Fields | null
  readonly refreshToken: string | null
  /** Seconds for which it stands; null where the provider does not say. */
  readonly expiresIn: number | null
}

/** What a login is verified by. */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/**
 * The OpenID provider, by the discovery document that is fetched when it is first needed, so that a gateway starts without it. While
 * it cannot be had, those who need it get 503, and it is tried again after pauses that double. What was fetched last is used
 * for as long as nothing newer can be had.
 */
export class Provider {
  private readonly options: ProviderOptions
  private readonly toolbox: ProviderTools
  private readonly dry: boolean
  private readonly fetch: Library.CustomFetch
  private metadata: Library.ServerMetadata | null = null
  /** Monotonic milliseconds. */
  private fetchedAt = -Infinity
  private nextAttempt = -Infinity
  private pause = FIRST_PAUSE
  private readonly fetching = new SingleFlight<void>()
  private failing = false

  /** One that is `dry` is asked for nothing that changes something there: no code, and no refresh token, is used up. */
  constructor(options: ProviderOptions, toolbox: ProviderTools, dry = false) {
    this.dry = dry
    this.options = options
    this.toolbox = toolbox
    this.fetch = fetchWith(options, toolbox)
  }

  /** Where a login begins, with these parameters. Rejects with GatewayError 'service-unavailable'. */
  async authorizationUrl(parameters: Readonly<Record<string, string>>): Promise<string> {
    return openidClient().buildAuthorizationUrl(await this.configuration(), { ...parameters }).href
  }

  /** Where browsers end their session at the provider; null where it has no such place, or cannot be asked. */
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
   * Exchanges the code that came with `url`. Rejects with NotGranted for one that proves nothing, and with a GatewayError where
   * the provider refuses the user, or cannot be asked.
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

  /** Rejects with NotGranted where the provider grants no more, and with a GatewayError where it cannot be asked. */
  async refresh(refreshToken: string): Promise<Grant> {
    return this.asking(async (configuration) => {
      const tokens = await openidClient().refreshTokenGrant(configuration, refreshToken)
      const grant = await this.grantOf(configuration, tokens)
      return { ...grant, refreshToken: grant.refreshToken ?? refreshToken }
    })
  }

  /** Takes a refresh token back where the provider can; never rejects, as nobody waits for it. */
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
    const said = tokens.claims()
    const more =
      this.options.userinfo && said !== undefined
        ? await openidClient().fetchUserInfo(configuration, tokens.access_token, said.sub)
        : {}
    return {
      claims: said === undefined ? null : { ...said, ...more },
      refreshToken: tokens.refresh_token ?? null,
      expiresIn: tokens.expires_in ?? null,
    }
  }

  /** What the library rejects with, in the words of the gateway. */
  private async asking(ask: (by: Library.Configuration) => Promise<Grant>): Promise<Grant> {
    if (this.dry)
      throw new GatewayError('service-unavailable', 'The OpenID provider is only asked when a request is really sent.')
    const configuration = await this.configuration()
    const { AuthorizationResponseError, ResponseBodyError, ClientError } = openidClient()
    try {
      return await ask(configuration)
    } catch (error) {
      if (error instanceof AuthorizationResponseError) throw refusalOf(error)
      if (error instanceof ResponseBodyError && error.error === 'invalid_grant') throw new NotGranted(error)
      if (error instanceof ResponseBodyError || !isAboutTheReply(error, ClientError)) throw this.unavailable(error)
      throw new NotGranted(error)
    }
  }

  private unavailable(error: unknown): GatewayError {
    this.toolbox.log.warn({ issuer: this.shown, error }, 'The OpenID provider issues no tokens')
    return new GatewayError('service-unavailable', 'Nobody can log in at present; try again later.', { cause: error })
  }

  /** Made anew each time: the library keeps no keys in it then, and those of a provider may change at any moment. */
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

  /** Fetches the discovery document unless that was tried just now; never rejects. */
  private discover(): Promise<void> {
    return this.fetching.join('', async () => {
      const { clock, log } = this.toolbox
      if (clock.now() < this.nextAttempt) return
      try {
        this.metadata = await this.ask()
        this.fetchedAt = clock.now()
        this.pause = FIRST_PAUSE
        if (this.failing) log.info({ issuer: this.shown }, 'The OpenID provider can be reached again')
        this.failing = false
      } catch (error) {
        if (!this.failing)
          log.warn({ issuer: this.shown, error }, 'The OpenID provider cannot be reached; existing sessions continue')
        this.failing = true
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
    // Without what the library adds of its own, which cannot be copied.
    const metadata = { ...found.serverMetadata() }
    if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined)
      throw new Error('the discovery document has no authorization_endpoint or no token_endpoint')
    return metadata
  }

  private get shown(): string {
    return shownUrl(this.options.issuer)
  }
}

/** What the library finds wrong with what it got, other than that it got nothing. */
function isAboutTheReply(error: unknown, ClientError: typeof Library.ClientError): boolean {
  return (
    error instanceof ClientError &&
    error.code !== undefined &&
    /^OAUTH_(?:JWT|JSON|INVALID_RESPONSE|KEY|MISSING)/.test(error.code)
  )
}

/** RFC 6749 section 4.1.2.1: the code is one of a list, and made of visible characters in any case. */
function refusalOf(error: Library.AuthorizationResponseError): GatewayError {
  const code = /^[\w.-]{1,64}$/.test(error.error) ? error.error : 'unknown reason'
  return new GatewayError('forbidden', `The provider has refused the login: ${code}`, { cause: error })
}

function isPlain(url: string): boolean {
  return url.startsWith('http:')
}

/** HTTP Basic, unless the provider knows the other one alone (OpenID Connect Core 1.0 section 9). */
function authenticationOf(metadata: Library.ServerMetadata, secret: string | undefined): Library.ClientAuth {
  const { None, ClientSecretBasic, ClientSecretPost } = openidClient()
  if (secret === undefined) return None()
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.includes('client_secret_basic') ? ClientSecretBasic(secret) : ClientSecretPost(secret)
}

/** The gateway's own connections, authorities, time-out and bound of answers, in the terms of Fetch. */
function fetchWith({ ca, timeout }: ProviderOptions, { clock }: ProviderTools): Library.CustomFetch {
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
