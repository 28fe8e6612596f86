import { canonicalAddress } from '../core/plain-address.ts'

/** Whom a proxy speaks for. */
export type Introduction =
  /** For a client that has this IP address. */
  | { readonly kind: 'client'; readonly address: string }
  /** For a client whose address it does not know, or that has no IP address. */
  | { readonly kind: 'unknown' }
  /** For itself, as in a health check. */
  | { readonly kind: 'local' }

/** A whole header of the PROXY protocol. */
export interface ProxyHeader {
  readonly introduction: Introduction
  /** Octets of it. */
  readonly length: number
}

/** What a connection begins with is no header of the PROXY protocol. */
export class MalformedProxyHeader extends Error {}

/** A client with that IP address, in the one spelling by which it is counted and logged. */
export function clientWith(address: string, family: 'ipv4' | 'ipv6'): Introduction {
  return { kind: 'client', address: canonicalAddress(address, family) }
}
