import { asGatewayError, GatewayError } from '../../core/errors.ts'
import { CredentialError, type CredentialReason } from './credential-error.ts'
import type { CredentialKind } from './method.ts'
import type { Lacking } from './requirement.ts'

/** Reasons that concern credentials other than tokens. */
const OF_NO_TOKEN: ReadonlySet<CredentialReason> = new Set([
  'key',
  'expired-key',
  'password',
  'malformed-password',
  'certificate',
  'expired-certificate',
  'nameless',
  'malformed-signature',
  'unknown-signer',
  'wrong-signature',
  'uncovered',
  'old-signature',
  'replayed',
  'digest',
  'login',
  'session',
])

type Field = readonly [name: string, value: string]

/** Creates the errors that tell a client what it lacks, with WWW-Authenticate headers (RFC 9110 section 11.6.1, RFC 6750 section 3). */
export class Refusals {
  private readonly kinds: ReadonlySet<CredentialKind>
  private readonly realm: string

  constructor(kinds: ReadonlySet<CredentialKind>, realm: string) {
    this.kinds = kinds
    this.realm = realm
  }

  /** The error for what an authenticator threw, or for missing credentials (null). */
  of(thrown: unknown): GatewayError {
    if (thrown === null) {
      return new GatewayError('unauthorized', this.missing(), { headers: this.challenges({}) })
    }
    if (thrown instanceof CredentialError) return this.unauthorized(thrown)
    return asGatewayError(thrown)
  }

  /** The error for a known caller who lacks a permission. */
  forbidden({ message, scopes, cause }: Lacking): GatewayError {
    const parameters = { error: 'insufficient_scope', error_description: message, scope: scopes.join(' ') }
    const headers = scopes.length === 0 ? [] : this.challenges(parameters)
    return new GatewayError('forbidden', message, { headers, cause })
  }

  private unauthorized(error: CredentialError): GatewayError {
    const { message, reason } = error
    if (reason === 'repeated') {
      const headers = this.challenges({ error: 'invalid_request', error_description: message })
      return new GatewayError('bad-request', message, { headers, cause: error })
    }
    const headers = this.challenges(
      OF_NO_TOKEN.has(reason) ? {} : { error: 'invalid_token', error_description: message },
    )
    return new GatewayError('unauthorized', message, { headers, cause: error })
  }

  private missing(): string {
    if (this.kinds.has('token')) return 'Missing token'
    if (this.kinds.has('key')) return 'Missing API key'
    if (this.kinds.has('password')) return 'Missing user name and password'
    if (this.kinds.has('signature')) return 'Missing signature'
    return this.kinds.has('certificate') ? 'Missing client certificate' : 'Missing session: log in'
  }

  /**
   * One header per accepted scheme. No scheme is registered for API keys, sessions and certificates; for API keys this is the
   * common name.
   */
  private challenges(bearer: Readonly<Record<string, string>>): Field[] {
    const fields: Field[] = []
    if (this.kinds.has('token')) fields.push(this.challenge('Bearer', bearer))
    if (this.kinds.has('key')) fields.push(this.challenge('ApiKey', {}))
    // RFC 7617 section 2.1.
    if (this.kinds.has('password')) fields.push(this.challenge('Basic', { charset: 'UTF-8' }))
    if (this.kinds.has('signature')) fields.push(this.challenge('Signature', {}))
    if (this.kinds.has('session')) fields.push(this.challenge('Session', {}))
    if (this.kinds.has('certificate')) fields.push(this.challenge('ClientCertificate', {}))
    return fields
  }

  private challenge(scheme: string, parameters: Readonly<Record<string, string>>): Field {
    const all = Object.entries({ realm: this.realm, ...parameters }).map(([name, value]) => `${name}="${value}"`)
    return ['WWW-Authenticate', `${scheme} ${all.join(', ')}`]
  }
}
