import { plainAddress } from './plain-address.ts'
import { memoize } from './memoize.ts'

const GROUPS = 8
const NETWORK_GROUPS = 4
/** The groups of the network, if all of them are written, in canonical form (RFC 5952). */
const WRITTEN = /^(?:(?:0|[1-9a-f][\da-f]{0,3}):){4}/

/**
 * The key under which a client address is counted: the address itself for IPv4, its /64 network for IPv6 ("2001:db8:0:1::/64"), since a
 * single host usually has a whole /64 to itself (RFC 4291 section 2.5.1).
 */
export function clientNetwork(address: string): string {
  return address.includes(':') ? networkOf(address) : address
}

const networkOf = memoize((address) => {
  // Most addresses of clients, of which there may be too many to remember.
  const written = WRITTEN.exec(address)
  if (written !== null) return `${written[0]}:/64`
  // An IPv4 address as reported by an IPv6 socket.
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const [before = '', after] = plain.replace(/%.*/s, '').split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  // The last group may be an IPv4 address, which counts as two groups; it is not part of the network.
  const length = head.length + tail.length + (plain.includes('.') ? 1 : 0)
  const zeros = Array.from({ length: Math.max(0, GROUPS - length) }, () => '0')
  const groups = [...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
})
