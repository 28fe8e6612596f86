import { isIP, SocketAddress } from 'node:net'

/** IPv4 addresses are shown as such also where an IPv6 socket accepted them (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

/** An IP address in the one spelling by which it is counted and logged (RFC 5952). */
export function canonicalAddress(address: string, family: 'ipv4' | 'ipv6'): string {
  return plainAddress(new SocketAddress({ address, family }).address)
}
