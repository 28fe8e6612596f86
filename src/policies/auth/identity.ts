import { flatString } from '../../core/flat-string.ts'
import { isFields } from '../../core/value.ts'
import { CredentialError } from './credential-error.ts'
import type { Consumer } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'

/** Names of the headers that describe a consumer to the service. */
export const IDENTITY_FIELDS = new NameSet(['X-User-ID', 'X-User-Roles', 'X-Consumer-Tier'])

/** A consumer, and how it is described to the service. */
export interface Identity {
  /** Null for a request that is allowed although the caller is unknown. */
  readonly consumer: Consumer | null
  /** X-User-ID, X-User-Roles, X-Consumer-Tier and any further headers for the service, as field lines. */
  readonly lines: string
  /** The names of these headers. */
  readonly names: NameSet
  /** SHA-256 of the client certificate that the token is bound to, in base64url; null if the token is not bound. */
  readonly boundTo: string | null
}

/** Created once per consumer, as the same consumer sends many requests. Throws CredentialError for a malformed binding. */
export function identityOf(consumer: Consumer): Identity {
  const roles = consumer.roles.map((role) => encode(role).replaceAll(',', '%2C')).join(',')
  const fields: [string, string][] = [
    ['X-User-ID', encode(consumer.id)],
    ['X-User-Roles', roles],
    ['X-Consumer-Tier', encode(consumer.tier)],
  ]
  return {
    consumer,
    lines: flatString(Headers.of(fields.filter(([, value]) => value !== '')).toWire()),
    names: IDENTITY_FIELDS,
    boundTo: bindingOf(consumer),
  }
}

/** RFC 8705 section 3.1; other confirmation methods (RFC 7800) are not the gateway's to check. */
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
 * Percent-encodes everything but visible ASCII, and "%" itself, so that different values stay different for the service and
 * decodeURIComponent restores each one.
 */
function encode(value: string): string {
  return value.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]+/g, encodeURIComponent)
}
