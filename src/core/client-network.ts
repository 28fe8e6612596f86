import { plainAddress } from './plain-address.ts'
import { remember } from './remember.ts'

const GROUPS = 8
const NETWORK_GROUPS = 4

/**
 * Under which name an address has its share: its own, or for IPv6 its network of 64 bits, "2001:db8:0:1::/64", all of which one host has
 * for itself (RFC 4291 section 2.5.1).
 */
export function clientNetwork(address: string): string {
  return address.includes(':') ? networkOf(address) : address
}

const networkOf = remember((address) => {
  // An address of IPv4 as a socket of IPv6 has it.
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const [before = '', after] = plain.replace(/%.*/s, '').split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  // The last group may be an IPv4 address, which is two; it is no part of the network.
  const length = head.length + tail.length + (plain.includes('.') ? 1 : 0)
  const zeros = Array.from({ length: Math.max(0, GROUPS - length) }, () => '0')
  const groups = [...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
})
