import { hash } from 'node:crypto'
import type { Exchange } from '../../http/exchange.ts'

/** Names that can stand in a Redis key as they are: visible ASCII without ":", "{", "}" and "~", which have a meaning there. */
const PLAIN = /^[!-9;-z|]{1,128}$/
const GROUPS = 8
const NETWORK_GROUPS = 4

/**
 * Whose requests count together, as a name that no other client has: a user "42", an API key "key:partner", and where
 * nobody has signed in the address, of IPv6 the network of 64 bits, "2001:db8:0:1::/64".
 */
export function clientName({ consumer, client }: Exchange): string {
  if (consumer === null) return addressName(client.address)
  if (consumer.key !== null) return `key:${plain(consumer.key)}`
  // So that no user can count for an address.
  return consumer.tier === 'unauthenticated' ? `user:${plain(consumer.id)}` : plain(consumer.id)
}

/** How somebody may be known to the limits. */
export const clientKinds = ['user', 'key', 'address'] as const

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
  if (kind === 'address') return ADDRESS_TIERS.has(tier) ? [addressName(id)] : []
  const names = ADDRESS_TIERS.has(tier) ? [] : [plain(id)]
  return UNSIGNED_TIERS.has(tier) ? [...names, `user:${plain(id)}`] : names
}

/** An address as a client: one host has all of an IPv6 network of 64 bits for itself (RFC 4291 section 2.5.1). */
export function addressName(address: string): string {
  if (!address.includes(':')) return address
  const [before = '', after] = address.replace(/%.*/s, '').split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  // The last group may be an IPv4 address, which is two; it is no part of the network.
  const length = head.length + tail.length + (address.includes('.') ? 1 : 0)
  const zeros = Array.from({ length: Math.max(0, GROUPS - length) }, () => '0')
  const groups = [...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

function plain(name: string): string {
  return PLAIN.test(name) ? name : `~${hash('sha256', Buffer.from(name, 'utf16le'), 'base64url')}`
}
