import { Seal } from '../../../core/seal.ts'
import { deriveKeys } from '../../../core/secrets.ts'
import { isFields } from '../../../core/value.ts'
import { type Claims, consumerOf } from '../claims.ts'
import { CredentialError } from '../credential-error.ts'
import { type Identity, identityOf } from '../identity.ts'
import type { OidcOptions } from './options.ts'
import type { Grant } from '../../../openid/provider.ts'

/** A session of a user; times are wall-clock milliseconds. */
export interface Session {
  readonly identity: Identity
  readonly claims: Claims
  /** When it ends regardless of refreshes. */
  readonly ends: number
  /** Null for a session that is never refreshed. */
  readonly refresh: Refresh | null
}

/** How a session is kept up to date with the provider. */
interface Refresh {
  readonly token: string
  /** From when on it is refreshed. */
  readonly from: number
  /** Until when it stays valid if the provider refuses a refresh: another gateway or worker may already have done it. */
  readonly until: number
}

/** Claims that describe the token rather than the user, or that the token is bound to. */
const OF_THE_TOKEN = 'iss aud exp iat nbf nonce azp jti at_hash c_hash s_hash sid session_state typ cnf'.split(' ')
/** The fraction of a session's time after which it is refreshed. */
const EARLY = 0.8
/** Milliseconds that a refreshable session is valid if the provider does not say. */
const UNSAID = 5 * 60_000

/** Encrypts what one client of one provider keeps in browsers, so that it cannot be forged. */
export function sealOf({ secret }: OidcOptions): Seal {
  return new Seal({ keys: deriveKeys(secret, 'oidc'), acceptsPlain: false })
}

/** The purpose of a sealed text; it can only be opened for the same purpose. */
export function purposeOf(what: 'login' | 'session', { issuer, clientId }: OidcOptions): string {
  return JSON.stringify([what, issuer, clientId])
}

/** Creates sessions from what the provider grants, and converts them to and from cookies. */
export class Sessions {
  private readonly options: OidcOptions
  private readonly seal: Seal
  private readonly purpose: string

  constructor(options: OidcOptions) {
    this.options = options
    this.seal = sealOf(options)
    this.purpose = purposeOf('session', options)
  }

  /** The session of a user who has logged in. Throws CredentialError 'subject' if the claims do not name a user. */
  begin(grant: Grant, now: number): Session {
    return this.granted(grant, this.keptClaims(grant.claims ?? {}), now + this.options.lifetime, now)
  }

  /**
   * A session after a refresh, which ends no later than before. Throws CredentialError 'session' if the provider now names a
   * different user (OpenID Connect Core 1.0 section 12.2).
   */
  goOn({ claims, ends }: Session, grant: Grant, now: number): Session {
    if (grant.claims !== null && 'sub' in claims && grant.claims['sub'] !== claims['sub'])
      throw new CredentialError('session')
    return this.granted(grant, grant.claims === null ? claims : this.keptClaims(grant.claims), ends, now)
  }

  /** The value of its cookie. */
  write({ claims, ends, refresh }: Session): string {
    return this.seal.seal(JSON.stringify({ claims, ends, ...(refresh !== null && { refresh }) }), this.purpose)
  }

  /** Reads a session from a cookie; null for a value that was not created by a gateway with these options. */
  read(value: string): Session | null {
    const text = this.seal.open(value, this.purpose)
    if (text === null) return null
    const data: unknown = JSON.parse(text)
    if (!isFields(data)) return null
    const { claims, ends, refresh } = data
    if (!isFields(claims) || typeof ends !== 'number') return null
    try {
      return { identity: this.identify(claims), claims, ends, refresh: isRefresh(refresh) ? refresh : null }
    } catch (error) {
      // Created when other claims identified the consumer.
      if (error instanceof CredentialError) return null
      throw error
    }
  }

  private granted({ refreshToken, expiresIn }: Grant, claims: Claims, ends: number, now: number): Session {
    const time = expiresIn === null ? UNSAID : expiresIn * 1000
    const refresh = refreshToken === null ? null : { token: refreshToken, from: now + EARLY * time, until: now + time }
    return { identity: this.identify(claims), claims, ends, refresh }
  }

  private identify(claims: Claims): Identity {
    return identityOf(consumerOf(claims, this.options.claims))
  }

  private keptClaims(claims: Claims): Claims {
    const { keepClaims, claims: names } = this.options
    const wanted = keepClaims === undefined ? null : new Set([...keepClaims, ...Object.values(names).flatMap(topOf)])
    const isKept = (name: string): boolean => wanted?.has(name) ?? !OF_THE_TOKEN.includes(name)
    return Object.fromEntries(Object.entries(claims).filter(([name]) => isKept(name)))
  }
}

/** The top-level claims that a claim path may start with. */
function topOf(path: string | readonly string[]): string[] {
  return typeof path === 'string' ? [path, ...path.split('.', 1)] : path.slice(0, 1)
}

function isRefresh(value: unknown): value is Refresh {
  return (
    isFields(value) &&
    typeof value['token'] === 'string' &&
    typeof value['from'] === 'number' &&
    typeof value['until'] === 'number'
  )
}
