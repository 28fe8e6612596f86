import { isIP, SocketAddress } from 'node:net'

/** Converts IPv4-mapped addresses, as reported by IPv6 sockets, to plain IPv4 (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

/** The canonical form of an IP address, used for counting and logging (RFC 5952). */
export function canonicalAddress(address: string, family: 'ipv4' | 'ipv6'): string {
  return plainAddress(new SocketAddress({ address, family }).address)
}
