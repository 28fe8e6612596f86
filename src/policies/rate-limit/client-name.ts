import { hash } from 'node:crypto'
import { clientNetwork } from '../../core/client-network.ts'
import type { Exchange } from '../../http/exchange.ts'

/** Names that can be used unchanged in a Redis key: visible ASCII without ":", "{", "}" and "~", which have a meaning there. */
const PLAIN = /^[!-9;-z|]{1,128}$/

/**
 * The unique name of the client whose requests are counted together: a user "42", an API key "key:partner", and for unauthenticated
 * callers the address, for IPv6 the /64 network, "2001:db8:0:1::/64".
 */
export function clientName({ consumer, client }: Exchange): string {
  if (consumer === null) return clientNetwork(client.address)
  if (consumer.key !== null) return `key:${plain(consumer.key)}`
  // So that no user id can be mistaken for an address.
  return consumer.tier === 'unauthenticated' ? `user:${plain(consumer.id)}` : plain(consumer.id)
}

/** How a client can be identified by limits. */
export const clientKinds = ['user', 'key', 'address'] as const

/** What a client is known by. */
export type ClientKind = (typeof clientKinds)[number]

/** The client whose limits are requested. */
export interface ClientIdentity {
  readonly kind: ClientKind
  /** Id of a user or of an API key, or an IP address. */
  readonly id: string
}

/** Names of limits that count by address. */
const ADDRESS_TIERS = new Set(['unauthenticated', 'failures', 'refusals'])
/** Tiers that may count a user whose own tier is that of unauthenticated callers. */
const UNSIGNED_TIERS = new Set(['unauthenticated', 'consumer'])

/** The names under which the limit with that name may count a client; empty if it does not count such clients. */
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
