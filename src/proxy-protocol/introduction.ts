import { canonicalAddress } from '../core/plain-address.ts'

/** Whom a proxy connects for. */
export type Introduction =
  /** A client with this IP address. */
  | { readonly kind: 'client'; readonly address: string }
  /** A client whose address it does not know, or that has no IP address. */
  | { readonly kind: 'unknown' }
  /** Itself, as in a health check. */
  | { readonly kind: 'local' }

/** A complete header of the PROXY protocol. */
export interface ProxyHeader {
  readonly introduction: Introduction
  /** Length in bytes. */
  readonly length: number
}

/** The beginning of a connection is not a valid PROXY protocol header. */
export class MalformedProxyHeader extends Error {}

/** A client with that IP address, in the canonical spelling by which it is counted and logged. */
export function clientWith(address: string, family: 'ipv4' | 'ipv6'): Introduction {
  return { kind: 'client', address: canonicalAddress(address, family) }
}
