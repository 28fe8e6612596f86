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
  /** When it ends, whatever happens. */
  readonly ends: number
  /** Null for one that stands until it ends. */
  readonly refresh: Refresh | null
}

/** How a session is kept in agreement with the provider. */
interface Refresh {
  readonly token: string
  /** From when on it is refreshed. */
  readonly from: number
  /** Until when it counts if the provider refuses that: another gateway, or another worker, may have done it. */
  readonly until: number
}

/** What tokens say of themselves rather than of the user, and what they are bound to. */
const OF_THE_TOKEN = 'iss aud exp iat nbf nonce azp jti at_hash c_hash s_hash sid session_state typ cnf'.split(' ')
/** At which part of its time a session is refreshed. */
const EARLY = 0.8
/** Milliseconds for which a session that can be refreshed stands where the provider does not say. */
const UNSAID = 5 * 60_000

/** Encrypts what one client of one provider keeps in browsers, of which nobody else can make any. */
export function sealOf({ secret }: OidcOptions): Seal {
  return new Seal({ keys: deriveKeys(secret, 'oidc'), acceptsPlain: false })
}

/** What a sealed text is: it can be opened as that alone. */
export function purposeOf(what: 'login' | 'session', { issuer, clientId }: OidcOptions): string {
  return JSON.stringify([what, issuer, clientId])
}

/** Makes sessions of what the provider grants, and cookies of sessions. */
export class Sessions {
  private readonly options: OidcOptions
  private readonly seal: Seal
  private readonly purpose: string

  constructor(options: OidcOptions) {
    this.options = options
    this.seal = sealOf(options)
    this.purpose = purposeOf('session', options)
  }

  /** The session of somebody who has logged in. Throws CredentialError 'subject' where the claims name nobody. */
  begin(grant: Grant, now: number): Session {
    return this.granted(grant, this.kept(grant.claims ?? {}), now + this.options.lifetime, now)
  }

  /**
   * A session after a refresh, which ends no later than it would have. Throws CredentialError 'session' where the provider speaks of
   * somebody else (OpenID Connect Core 1.0 section 12.2).
   */
  goOn({ claims, ends }: Session, grant: Grant, now: number): Session {
    if (grant.claims !== null && 'sub' in claims && grant.claims['sub'] !== claims['sub'])
      throw new CredentialError('session')
    return this.granted(grant, grant.claims === null ? claims : this.kept(grant.claims), ends, now)
  }

  /** The value of its cookie. */
  write({ claims, ends, refresh }: Session): string {
    return this.seal.seal(JSON.stringify({ claims, ends, ...(refresh !== null && { refresh }) }), this.purpose)
  }

  /** The session of a cookie; null for whatever no gateway with these options has made. */
  read(value: string): Session | null {
    const text = this.seal.open(value, this.purpose)
    if (text === null) return null
    const said: unknown = JSON.parse(text)
    if (!isFields(said)) return null
    const { claims, ends, refresh } = said
    if (!isFields(claims) || typeof ends !== 'number') return null
    try {
      return { identity: this.identify(claims), claims, ends, refresh: isRefresh(refresh) ? refresh : null }
    } catch (error) {
      // Made when other claims made the consumer.
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

  private kept(claims: Claims): Claims {
    const { keepClaims, claims: names } = this.options
    const wanted = keepClaims === undefined ? null : new Set([...keepClaims, ...Object.values(names).flatMap(topOf)])
    const isKept = (name: string): boolean => wanted?.has(name) ?? !OF_THE_TOKEN.includes(name)
    return Object.fromEntries(Object.entries(claims).filter(([name]) => isKept(name)))
  }
}

/** The claims at the top, one of which a path of claims leads into. */
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
