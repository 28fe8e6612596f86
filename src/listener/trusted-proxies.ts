import { isIP } from 'node:net'
import type { ClientCertificate } from '../http/client-certificate.ts'
import type { Client } from '../http/exchange.ts'
import { NameSet } from '../http/name-set.ts'
import { knownLine } from '../http/field-lines.ts'
import { headersFromWire } from '../http/headers.ts'
import type { ReceivedFields } from '../http/received-fields.ts'
import { NetworkSet } from '../core/network-set.ts'
import { canonicalAddress, plainAddress } from '../core/plain-address.ts'
import type { PeerCertificate } from './peer-certificate.ts'

/** The family of fields by which trusted proxies say where a request came from: X-Forwarded-*, or Forwarded (RFC 7239). */
export type Forwarding = 'x-forwarded' | 'forwarded'

export interface TrustedProxiesOptions {
  /** The other family is nobody's word. */
  readonly forwarding?: Forwarding
  /** Names of claims that pass, or beginnings of names with "*". */
  readonly fields?: readonly string[]
  /** Name of the field in which the proxies say who the client is; null: they say it in their forwarding fields alone. */
  readonly clientHeader?: string | null
}

/** Decides whose word about a client counts. */
export class TrustedProxies {
  private networks = new NetworkSet([])
  private any = false
  private claims: Claims

  /** Addresses and networks in CIDR notation. */
  constructor(networks: readonly string[], options: TrustedProxiesOptions = {}) {
    this.use(networks)
    this.claims = compileClaims(options)
  }

  /** Goes by other options from now on, for the same proxies. */
  configure(options: TrustedProxiesOptions): void {
    this.claims = compileClaims(options)
  }

  /** Believes these from now on, and no others. */
  use(networks: readonly string[]): void {
    this.networks = new NetworkSet(networks)
    this.any = networks.length > 0
  }

  /** Whether forwarding fields that come from this address are believed. */
  has(address: string): boolean {
    return this.any && this.networks.has(address)
  }

  /**
   * The client behind a trusted peer: the last address of the chain that no trusted proxy has, or the first one.
   * An entry that is no address ends the chain: what stands before it was not written by a proxy that is trusted.
   * Scheme and host are those that the proxy says which met the client. Where a field of its own names the client, that
   * takes the place of whatever stands before the trusted proxies in the chain.
   * Of the claims among the fields, those that pass are fields like any other from here on.
   */
  clientBehind(
    peer: string,
    scheme: 'http' | 'https',
    fields: ReceivedFields,
    certificate: PeerCertificate | null = null,
  ): Client {
    const { forwarding, clientHeader, clientName, passes } = this.claims
    const named = clientHeader === null ? null : addressIn(fields.claims, clientHeader)
    fields.believe(named === null ? passes.unnamed : passes.named)
    const { addresses, schemes, hosts } = forwarding === 'forwarded' ? readForwarded(fields) : readXForwarded(fields)
    let address = peer
    let hops = 0
    const passedBy = [peer]
    while (hops < addresses.length && this.has(address)) {
      const before = addressOf(addresses.at(-1 - hops) ?? '')
      hops++
      if (before === null) break
      address = before
      passedBy.push(before)
    }
    const host = hopOf(hosts, hops)
    // What no trusted proxy has written is left out where the client is known without it.
    const believed = named === null ? addresses : [named, ...addresses.slice(addresses.length - Math.max(0, hops - 1))]
    return new ForwardedClient(
      named ?? address,
      SCHEMES.get(hopOf(schemes, hops)?.toLowerCase() ?? '') ?? scheme,
      [...believed, peer].join(', '),
      host !== null && /^[\w.:[\]-]{1,255}$/.test(host) ? host : null,
      // Who the client is, is said already: what is made of the rest, as a key of the cache, is the same for all clients.
      named === null ? fields.claims : clientName.without(fields.claims),
      // Of whom the proxy speaks for, it says nothing.
      named === null && hops === 0 ? certificate : null,
      true,
      passedBy,
      certificate,
    )
  }
}

/** The address in the one line of that name among the claims; null where there is none, or more than one, or no address in it. */
function addressIn(claims: string, name: string): string | null {
  if (claims === '') return null
  const value = headersFromWire(claims).single(name)
  if (typeof value !== 'string') return null
  const family = isIP(value)
  if (family === 0 || value.includes('%')) return null
  return family === 6 ? canonicalAddress(value, 'ipv6') : value
}

type PassesClaim = (name: string, value: string) => boolean

/** What the proxies may say. */
interface Claims {
  readonly forwarding: Forwarding
  /** In lower case, or null. */
  readonly clientHeader: string | null
  /** The same as a set. */
  readonly clientName: NameSet
  /** Whether such a claim passes where such a proxy makes it, and names the client in `clientHeader`, or does not. */
  readonly passes: { readonly named: PassesClaim; readonly unnamed: PassesClaim }
}

/** What proxies say, the entry of the last one last; "" or null where one says nothing. */
interface Said {
  readonly addresses: readonly string[]
  readonly schemes: readonly (string | null)[]
  readonly hosts: readonly (string | null)[]
}

/** How schemes are written: proxies that speak WebSocket name its own. */
const SCHEMES = new Map<string, 'http' | 'https'>([
  ['http', 'http'],
  ['ws', 'http'],
  ['https', 'https'],
  ['wss', 'https'],
])

/** Claims of the X-Forwarded family that services may know besides those that the gateway sets, and what they must be. */
const PASSED = new Map<string, (value: string) => boolean>([
  ['x-forwarded-port', (value) => /^\d{1,5}(?:, ?\d{1,5})*$/.test(value)],
  // Services put it before paths: "//host" would lead away.
  ['x-forwarded-prefix', (value) => /^\/(?![/\\])[!-+\--~]*(?:, ?\/(?![/\\])[!-+\--~]*)*$/.test(value)],
  ['x-real-ip', (value) => addressOf(value) !== null],
])

function compileClaims({
  forwarding = 'x-forwarded',
  fields = [],
  clientHeader: name = null,
}: TrustedProxiesOptions): Claims {
  const passes = passesOf(forwarding, fields)
  const clientHeader = name === null ? null : name.toLowerCase()
  const isClient = (claim: string): boolean => claim.toLowerCase() === clientHeader
  return {
    forwarding,
    clientHeader,
    clientName: new NameSet(name === null ? [] : [name]),
    passes: {
      named: (claim, value) => isClient(claim) || passes(claim, value),
      unnamed: name === null ? passes : (claim, value) => !isClient(claim) && passes(claim, value),
    },
  }
}

function passesOf(forwarding: Forwarding, fields: readonly string[]): PassesClaim {
  const lower = fields.map((field) => field.toLowerCase())
  const exact = new Set(lower)
  const beginnings = lower.filter((field) => field.endsWith('*')).map((field) => field.slice(0, -1))
  const known = forwarding === 'x-forwarded' ? PASSED : new Map<string, (value: string) => boolean>()
  return (name, value) => {
    const asked = name.toLowerCase()
    if (exact.has(asked) || beginnings.some((beginning) => asked.startsWith(beginning))) return true
    return known.get(asked)?.(value) === true
  }
}

/** A client that speaks to the gateway itself, or through proxies that are believed. */
export class ForwardedClient implements Client {
  readonly address: string
  readonly scheme: 'http' | 'https'
  private readonly chain: string
  readonly host: string | null
  readonly claims: string
  readonly proxied: boolean
  readonly hops: readonly string[]
  private readonly own: PeerCertificate | null
  private readonly ofPeer: PeerCertificate | null
  private lastHost: string | null = null
  private lastFields = ''

  /**
   * `chain` is what X-Forwarded-For shall say; `host` what the client asked the first proxy for, or null; `claims` what
   * that says besides, and passes on; `certificate` what it has shown itself; `proxied` whether a trusted proxy speaks for it;
   * `hops` where the request came from, as `Client` has it, and `ofPeer` what the last of them has shown.
   */
  constructor(
    address: string,
    scheme: 'http' | 'https',
    chain: string,
    host: string | null,
    claims = '',
    certificate: PeerCertificate | null = null,
    proxied = false,
    hops: readonly string[] = [address],
    ofPeer = certificate,
  ) {
    this.proxied = proxied
    this.address = address
    this.scheme = scheme
    this.chain = chain
    this.host = host
    this.claims = claims
    this.own = certificate
    this.hops = hops
    this.ofPeer = ofPeer
  }

  get certificate(): ClientCertificate | null {
    return this.own === null ? null : this.own.value
  }

  get peerCertificate(): ClientCertificate | null {
    return this.ofPeer === null ? null : this.ofPeer.value
  }

  forwardingFields(host: string): string {
    if (host === this.lastHost) return this.lastFields
    const asked = this.host ?? host
    const lines = [knownLine('X-Forwarded-For', this.chain), knownLine('X-Forwarded-Proto', this.scheme)]
    if (asked !== '') lines.push(knownLine('X-Forwarded-Host', asked))
    // Joined, which makes a text of its own: pieces of the head would keep all of it in memory with the connection.
    this.lastFields = lines.join('')
    this.lastHost = asked === host ? this.lastFields.slice(this.lastFields.length - host.length - 2, -2) : host
    return this.lastFields
  }
}

function readXForwarded({ forwardedFor, forwardedProto, forwardedHost }: ReceivedFields): Said {
  return { addresses: entriesOf(forwardedFor), schemes: entriesOf(forwardedProto), hosts: entriesOf(forwardedHost) }
}

function entriesOf(list: string | null): string[] {
  return (list ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

/** RFC 7239 section 4: an element for each hop. Commas in quotes divide too, so that a client's quote swallows no proxy's word. */
function readForwarded({ forwarded }: ReceivedFields): Said {
  const elements = entriesOf(forwarded)
  return {
    addresses: elements.map((element) => parameterOf(element, FOR) ?? 'unknown'),
    schemes: elements.map((element) => parameterOf(element, PROTO)),
    hosts: elements.map((element) => parameterOf(element, HOST)),
  }
}

const parameterNamed = (name: string): RegExp => new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, 'i')
const FOR = parameterNamed('for')
const PROTO = parameterNamed('proto')
const HOST = parameterNamed('host')

function parameterOf(element: string, parameter: RegExp): string | null {
  const match = parameter.exec(element)
  return match === null ? null : (match[1] ?? match[2] ?? null)
}

/**
 * The entry of the proxy that is so many hops away, the peer being the first. Proxies that pass an entry on without one
 * of their own leave fewer than there are hops: the first one then is the word of the one that met the client.
 */
function hopOf(entries: readonly (string | null)[], hops: number): string | null {
  return entries.at(Math.max(-entries.length, -Math.max(1, hops))) ?? null
}

/** An address, perhaps with a port or in brackets, as proxies write them; null for anything else. */
function addressOf(entry: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
  const family = isIP(bare)
  if (family === 0) return null
  // One client would be many otherwise, each with limits of its own.
  return family === 6 && !bare.includes('%') ? canonicalAddress(bare, 'ipv6') : plainAddress(bare)
}
