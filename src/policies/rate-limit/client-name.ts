import { hash } from 'node:crypto'
import { clientNetwork } from '../../core/client-network.ts'
import type { Exchange } from '../../http/exchange.ts'

/** Names that can stand in a Redis key as they are: visible ASCII without ":", "{", "}" and "~", which have a meaning there. */
const PLAIN = /^[!-9;-z|]{1,128}$/

/**
 * Whose requests count together, as a name that no other client has: a user "42", an API key "key:partner", and where
 * nobody has signed in the address, of IPv6 the network of 64 bits, "2001:db8:0:1::/64".
 */
export function clientName({ consumer, client }: Exchange): string {
  if (consumer === null) return clientNetwork(client.address)
  if (consumer.key !== null) return `key:${plain(consumer.key)}`
  // So that no user can count for an address.
  return consumer.tier === 'unauthenticated' ? `user:${plain(consumer.id)}` : plain(consumer.id)
}

/** How somebody may be known to the limits. */
export const clientKinds = ['user', 'key', 'address'] as const

/** What a client is known by. */
export type ClientKind = (typeof clientKinds)[number]

/** Whose limits are asked for. */
export interface AskedClient {
  readonly kind: ClientKind
  /** Id of a user or of an API key, or an IP address. */
  readonly id: string
}

/** Tiers whose limits count by address. */
const ADDRESS_TIERS = new Set(['unauthenticated', 'failures'])
/** Tiers that may hold a user whose own tier is that of those who have not signed in. */
const UNSIGNED_TIERS = new Set(['unauthenticated', 'consumer'])

/** The names under which the limit of that name may count a client; none where it counts no such clients. */
export function namesUnder(kind: ClientKind, id: string, limit: string): string[] {
  const [tier = ''] = limit.split('@', 1)
  if (kind === 'key') return [`key:${plain(id)}`]
  if (kind === 'address') return ADDRESS_TIERS.has(tier) ? [clientNetwork(id)] : []
  const names = ADDRESS_TIERS.has(tier) ? [] : [plain(id)]
  return UNSIGNED_TIERS.has(tier) ? [...names, `user:${plain(id)}`] : names
}

function plain(name: string): string {
  return PLAIN.test(name) ? name : `~${hash('sha256', Buffer.from(name, 'utf16le'), 'base64url')}`
}
