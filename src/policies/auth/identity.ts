import { flat } from '../../core/flat.ts'
import { isFields } from '../../core/value.ts'
import { CredentialError } from './credential-error.ts'
import type { Consumer } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'

/** Names of what the service is told of a consumer. */
export const IDENTITY_FIELDS = new NameSet(['X-User-ID', 'X-User-Roles', 'X-Consumer-Tier'])

/** A consumer, and what the service is told of it. */
export interface Identity {
  /** Null for a request that is let in although nobody knows who calls. */
  readonly consumer: Consumer | null
  /** X-User-ID, X-User-Roles and X-Consumer-Tier, and what else the service is told, as field lines. */
  readonly lines: string
  /** The names of these. */
  readonly names: NameSet
  /** SHA-256 of the client certificate that the token is bound to, in base64url; null where anybody may use it. */
  readonly boundTo: string | null
}

/** Made once for each consumer, as the same one comes with many requests. Throws CredentialError for a binding that is malformed. */
export function identityOf(consumer: Consumer): Identity {
  const roles = consumer.roles.map((role) => encode(role).replaceAll(',', '%2C')).join(',')
  const fields: [string, string][] = [
    ['X-User-ID', encode(consumer.id)],
    ['X-User-Roles', roles],
    ['X-Consumer-Tier', encode(consumer.tier)],
  ]
  return {
    consumer,
    lines: flat(Headers.of(fields.filter(([, value]) => value !== '')).toWire()),
    names: IDENTITY_FIELDS,
    boundTo: bindingOf(consumer),
  }
}

/** RFC 8705 section 3.1; other ways to confirm a token (RFC 7800) are not for the gateway to check. */
function bindingOf({ claims }: Consumer): string | null {
  const confirmation = claims['cnf']
  if (confirmation === undefined) return null
  if (!isFields(confirmation)) throw new CredentialError('claims')
  const thumbprint = confirmation['x5t#S256']
  if (thumbprint === undefined) return null
  if (typeof thumbprint !== 'string' || thumbprint === '') throw new CredentialError('claims')
  return thumbprint
}

/**
 * Percent-encodes what is not visible ASCII, and "%" itself, so that no two values look the same to the service and
 * decodeURIComponent gives each one back.
 */
function encode(value: string): string {
  return value.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]+/g, encodeURIComponent)
}
