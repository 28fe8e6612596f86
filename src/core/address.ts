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
