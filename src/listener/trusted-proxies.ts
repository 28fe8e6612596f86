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

/**
 * The family of fields in which trusted proxies state where a request came from: X-Forwarded-*, or Forwarded (RFC
 * 7239).
 */
export type Forwarding = 'x-forwarded' | 'forwarded'

export interface TrustedProxiesOptions {
  /** The family that is believed; the other one is ignored. */
  readonly forwarding?: Forwarding
  /** Names of further claims that pass, or prefixes followed by "*". */
  readonly fields?: readonly string[]
  /** Name of the field in which the proxies state the client's address; null: only their forwarding fields state it. */
  readonly clientHeader?: string | null
}

/** Decides which peers' claims about a client are believed. */
export class TrustedProxies {
  private networks = new NetworkSet([])
  private any = false
  private claims: Claims

  /** `networks` are addresses, and networks in CIDR notation. */
  constructor(networks: readonly string[], options: TrustedProxiesOptions = {}) {
    this.use(networks)
    this.claims = compileClaims(options)
  }

  /** Changes the options, for the same proxies. */
  configure(options: TrustedProxiesOptions): void {
    this.claims = compileClaims(options)
  }

  /** Replaces the trusted addresses and networks. */
  use(networks: readonly string[]): void {
    this.networks = new NetworkSet(networks)
    this.any = networks.length > 0
  }

  /** Whether forwarding fields from this address are believed. */
  has(address: string): boolean {
    return this.any && this.networks.has(address)
  }

  /**
   * The client behind a trusted peer: the last address of the chain that does not belong to a trusted proxy, or the
   * first one. An entry that is not an address ends the chain: what precedes it was not written by a trusted proxy.
   * Scheme and host are taken from the trusted proxy closest to the client. Where a dedicated field names the client,
   * that replaces everything before the trusted proxies in the chain. The claims that pass become ordinary fields.
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
    // Entries not written by a trusted proxy are dropped where the client is known without them.
    const believed = named === null ? addresses : [named, ...addresses.slice(addresses.length - Math.max(0, hops - 1))]
    return new ForwardedClient(
      named ?? address,
      SCHEMES.get(hopOf(schemes, hops)?.toLowerCase() ?? '') ?? scheme,
      [...believed, peer].join(', '),
      host !== null && /^[\w.:[\]-]{1,255}$/.test(host) ? host : null,
      // The address has been used already: without it, what is derived from the claims, such as a cache key, is the
      // same for all clients.
      named === null ? fields.claims : clientName.without(fields.claims),
      // Only where the proxy did not forward for another client is its certificate that of the client.
      named === null && hops === 0 ? certificate : null,
      true,
      passedBy,
      certificate,
    )
  }
}

/**
 * The address in the only claim line with that name; null where there is none, or more than one, or it holds no
 * address.
 */
function addressIn(claims: string, name: string): string | null {
  if (claims === '') return null
  const value = headersFromWire(claims).single(name)
  if (typeof value !== 'string') return null
  const family = isIP(value)
  if (family === 0 || value.includes('%')) return null
  return family === 6 ? canonicalAddress(value, 'ipv6') : value
}

type PassesClaim = (name: string, value: string) => boolean

/** The claims that proxies may make. */
interface Claims {
  readonly forwarding: Forwarding
  /** In lower case, or null. */
  readonly clientHeader: string | null
  /** The same as a set. */
  readonly clientName: NameSet
  /** Whether a claim of a trusted proxy passes: where `clientHeader` names the client, and where it does not. */
  readonly passes: { readonly named: PassesClaim; readonly unnamed: PassesClaim }
}

/** The entries stated by proxies, that of the last proxy last; "" or null where one states nothing. */
interface Said {
  readonly addresses: readonly string[]
  readonly schemes: readonly (string | null)[]
  readonly hosts: readonly (string | null)[]
}

/** Spellings of the scheme: for WebSockets, proxies may use ws and wss. */
const SCHEMES = new Map<string, 'http' | 'https'>([
  ['http', 'http'],
  ['ws', 'http'],
  ['https', 'https'],
  ['wss', 'https'],
])

/**
 * X-Forwarded claims that are passed on to services besides those that the gateway sets, and checks of their values.
 */
const PASSED = new Map<string, (value: string) => boolean>([
  ['x-forwarded-port', (value) => /^\d{1,5}(?:, ?\d{1,5})*$/.test(value)],
  // Services prepend it to paths: "//host" would lead to another host.
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
    const lowerCaseName = name.toLowerCase()
    if (exact.has(lowerCaseName) || beginnings.some((beginning) => lowerCaseName.startsWith(beginning))) return true
    return known.get(lowerCaseName)?.(value) === true
  }
}

/** A client that is connected to the gateway directly, or through trusted proxies. */
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
   * `chain` is the value for X-Forwarded-For; `host` what the client requested from the first proxy, or null; `claims`
   * further claims of that proxy, which are passed on; `certificate` the one that the client itself presented;
   * `proxied` whether a trusted proxy forwarded the request; `hops` where the request came from, as in `Client`;
   * `ofPeer` the certificate that the peer presented.
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
    const requestHost = this.host ?? host
    const lines = [knownLine('X-Forwarded-For', this.chain), knownLine('X-Forwarded-Proto', this.scheme)]
    if (requestHost !== '') lines.push(knownLine('X-Forwarded-Host', requestHost))
    // Joined into a new string: slices of the head would keep all of it in memory as long as the connection.
    this.lastFields = lines.join('')
    this.lastHost = requestHost === host ? this.lastFields.slice(this.lastFields.length - host.length - 2, -2) : host
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

/**
 * RFC 7239 section 4: an element for each hop. Commas in quotes separate as well, so that a client's unbalanced quote
 * cannot swallow a proxy's entry.
 */
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
 * The entry of the proxy that is that many hops away, the peer being the first. Proxies that pass on an entry without
 * adding their own leave fewer entries than hops: the first one was then written by the proxy closest to the client.
 */
function hopOf(entries: readonly (string | null)[], hops: number): string | null {
  return entries.at(Math.max(-entries.length, -Math.max(1, hops))) ?? null
}

/** An address, possibly with a port or in brackets, as proxies write them; null for anything else. */
function addressOf(entry: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
  const family = isIP(bare)
  if (family === 0) return null
  // In canonical form: otherwise one client could count as many, each with its own limits.
  return family === 6 && !bare.includes('%') ? canonicalAddress(bare, 'ipv6') : plainAddress(bare)
}
