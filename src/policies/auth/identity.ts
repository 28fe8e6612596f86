import type { Consumer } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'

/** Names of what the service is told of a consumer. */
export const IDENTITY_FIELDS = new NameSet(['X-User-ID', 'X-User-Roles', 'X-Consumer-Tier'])

/** A consumer, and what the service is told of it. */
export interface Identity {
  readonly consumer: Consumer
  /** X-User-ID, X-User-Roles and X-Consumer-Tier, as field lines. */
  readonly lines: string
}

/** Made once for each consumer, as the same one comes with many requests. */
export function identityOf(consumer: Consumer): Identity {
  const roles = consumer.roles.map((role) => encode(role).replaceAll(',', '%2C')).join(',')
  const fields: [string, string][] = [
    ['X-User-ID', encode(consumer.id)],
    ['X-User-Roles', roles],
    ['X-Consumer-Tier', encode(consumer.tier)],
  ]
  return { consumer, lines: Headers.of(fields.filter(([, value]) => value !== '')).toWire() }
}

/**
 * Percent-encodes what is not visible ASCII, and "%" itself, so that no two values look the same to the service and
 * decodeURIComponent gives each one back.
 */
function encode(value: string): string {
  return value.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]+/g, encodeURIComponent)
}
