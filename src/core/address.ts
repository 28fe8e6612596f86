import { isIPv6 } from 'node:net'

/** A host and a port; an IPv6 host has no brackets. */
export interface Address {
  host: string
  port: number
}

/** Formats host and port as they appear in a URL or a Host header: IPv6 addresses in brackets. */
export function formatAddress({ host, port }: Address): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** Like `formatAddress`, but omits the scheme's default port, as in a Host header (RFC 9110 section 4.2). */
export function formatAuthority(url: Address & { readonly scheme: 'http' | 'https' }): string {
  const address = formatAddress(url)
  const ending = url.scheme === 'http' ? ':80' : ':443'
  return address.endsWith(ending) ? address.slice(0, -ending.length) : address
}
