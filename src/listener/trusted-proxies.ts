import { BlockList, isIP } from 'node:net'
import type { Client } from '../core/exchange.ts'
import type { FieldSection } from '../http1/fields.ts'

/** Decides whose word about a client counts. */
export class TrustedProxies {
  private readonly list = new BlockList()
  private readonly any: boolean
  /** Whether a claim by that name, in any case, passes where such a proxy makes it. */
  readonly passes: (name: string) => boolean

  /** Addresses and networks in CIDR notation; names of claims that pass, or "X-Begin-*". */
  constructor(networks: readonly string[], fields: readonly string[] = []) {
    this.any = networks.length > 0
    this.passes = compileNames([...PASSED, ...fields])
    for (const network of networks) {
      const [address = '', prefix] = network.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (prefix === undefined) this.list.addAddress(address, family)
      else this.list.addSubnet(address, Number(prefix), family)
    }
  }

  /** Whether forwarding fields that come from this address are believed. */
  has(address: string): boolean {
    if (!this.any) return false
    const family = isIP(address)
    return family !== 0 && this.list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }

  /**
   * The client behind a trusted peer: the last address of the chain that no trusted proxy has, or the first one.
   * An entry that is no address ends the chain: what stands before it was not written by a proxy that is trusted.
   */
  clientBehind(peer: string, scheme: 'http' | 'https', fields: FieldSection): Client {
    const chain = readChain(fields)
    let address = peer
    for (let i = chain.length - 1; i >= 0 && this.has(address); i--) {
      const before = addressOf(chain[i]!)
      if (before === null) break
      address = before
    }
    const proto = lastOf(fields.forwardedProto ?? forwardedParameter(fields.forwarded, 'proto'))
    const host = lastOf(fields.forwardedHost ?? forwardedParameter(fields.forwarded, 'host'))
    return new ForwardedClient(
      address,
      proto === 'https' || proto === 'http' ? proto : scheme,
      [...chain, peer].join(', '),
      host !== null && /^[\w.:[\]-]{1,255}$/.test(host) ? host : null,
    )
  }
}

/** Claims of trusted proxies that services may know. */
const PASSED: readonly string[] = []

function compileNames(fields: readonly string[]): (name: string) => boolean {
  const lower = fields.map((field) => field.toLowerCase())
  const exact = new Set(lower)
  const beginnings = lower.filter((field) => field.endsWith('*')).map((field) => field.slice(0, -1))
  return (name) => {
    const asked = name.toLowerCase()
    return exact.has(asked) || beginnings.some((beginning) => asked.startsWith(beginning))
  }
}

/** A client that speaks to the gateway itself, or through proxies that are believed. */
export class ForwardedClient implements Client {
  readonly address: string
  readonly scheme: 'http' | 'https'
  private readonly chain: string
  readonly host: string | null
  private lastHost: string | null = null
  private lastFields = ''

  /** `chain` is what X-Forwarded-For shall say; `host` what the client asked the first proxy for, or null. */
  constructor(address: string, scheme: 'http' | 'https', chain: string, host: string | null) {
    this.address = address
    this.scheme = scheme
    this.chain = chain
    this.host = host
  }

  forwardingFields(host: string): string {
    if (host === this.lastHost) return this.lastFields
    const asked = this.host ?? host
    const lines = ['X-Forwarded-For: ', this.chain, '\r\nX-Forwarded-Proto: ', this.scheme, '\r\n']
    if (asked !== '') lines.push('X-Forwarded-Host: ', asked, '\r\n')
    // Joined, which makes a text of its own: pieces of the head would keep all of it in memory with the connection.
    this.lastFields = lines.join('')
    this.lastHost = asked === host ? this.lastFields.slice(this.lastFields.length - host.length - 2, -2) : host
    return this.lastFields
  }
}

/** IPv4 addresses are shown as such also where an IPv6 socket accepted them (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

function readChain(fields: FieldSection): string[] {
  const entries = fields.forwardedFor?.split(',') ?? forwardedFors(fields.forwarded)
  return entries.map((entry) => entry.trim()).filter((entry) => entry !== '')
}

/** The for= parameters of a Forwarded field (RFC 7239 section 4). */
function forwardedFors(forwarded: string | null): string[] {
  if (forwarded === null) return []
  return forwarded.split(',').map((element) => forwardedParameter(element, 'for') ?? 'unknown')
}

function forwardedParameter(forwarded: string | null, name: string): string | null {
  const last = forwarded?.split(',').at(-1)
  if (last === undefined) return null
  const match = new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, 'i').exec(last)
  return match === null ? null : (match[1] ?? match[2] ?? null)
}

function lastOf(list: string | null): string | null {
  return list?.split(',').at(-1)?.trim() ?? null
}

/** An address, perhaps with a port or in brackets, as proxies write them; null for anything else. */
function addressOf(entry: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
  return isIP(bare) === 0 ? null : plainAddress(bare)
}
