import { isIPv6 } from 'node:net'

/** A host and a port; the host of an IPv6 address without its brackets. */
export interface Address {
  host: string
  port: number
}

/** Host and port as they stand in a URL or a Host field: an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** The same without a port that is that of the scheme, as it stands in a Host field (RFC 9110 section 4.2). */
export function formatAuthority(url: Address & { readonly scheme: 'http' | 'https' }): string {
  const address = formatAddress(url)
  const ending = url.scheme === 'http' ? ':80' : ':443'
  return address.endsWith(ending) ? address.slice(0, -ending.length) : address
}
