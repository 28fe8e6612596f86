import * as characters from './characters.ts'

// Bytes are read by index below an end that has been checked: each "!" asserts that, and costs nothing. Constants of
// this module are inlined into its compiled code, whereas imports are looked up at each use.
const { foldedToken, HYPHEN, ODD } = characters

/** What the reader does with a field it knows; all other fields are passed on untouched. */
export const Known = {
  none: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  te: 5,
  upgrade: 7,
  expect: 8,
  forwardedFor: 9,
  forwardedProto: 10,
  forwardedHost: 11,
  forwarded: 12,
  /** Passed on; its presence is recorded. */
  date: 13,
  /** Hop-by-hop, or reserved for the gateway to set: removed. */
  dropped: 14,
  /** Claims about the client that only a trusted proxy may make: removed, but kept separately. */
  claim: 15,
  keepAlive: 16,
  traceparent: 17,
  tracestate: 18,
  /** A claim about the caller's identity: as `claim`, but its removal is reported where it is not believed. */
  identity: 19,
  /** Spelled differently from a known name, yet the same to a CGI-like service: removed. */
  folded: 20,
  /** Has characters other than letters, digits and hyphens, where such names are not allowed: removed. */
  odd: 21,
} as const
export type Known = (typeof Known)[keyof typeof Known]

const requestFields: Record<string, Known> = {
  host: Known.host,
  connection: Known.connection,
  'content-length': Known.contentLength,
  'transfer-encoding': Known.transferEncoding,
  te: Known.te,
  upgrade: Known.upgrade,
  expect: Known.expect,
  // RFC 9110 section 7.6.1, and the fields that old clients send to proxies.
  'keep-alive': Known.dropped,
  'proxy-connection': Known.dropped,
  'proxy-authenticate': Known.dropped,
  'proxy-authorization': Known.dropped,
  'http2-settings': Known.dropped,
  // CGI services would take it for HTTP_PROXY, the address of a proxy to use ("httpoxy").
  proxy: Known.dropped,
  // Passed on; listed so that "Content_Type", which CGI services might take for it, is removed.
  'content-type': Known.none,
  'content-encoding': Known.none,
  'max-forwards': Known.none,
  'access-control-request-method': Known.none,
  'access-control-request-headers': Known.none,
  'sec-websocket-key': Known.none,
  // Identity: services believe these because only the gateway sets them.
  'x-user-id': Known.dropped,
  'x-user-roles': Known.dropped,
  'x-consumer-tier': Known.dropped,
  // Identity as other gateways and servers state it.
  'remote-user': Known.identity,
  'x-remote-user': Known.identity,
  'x-credential-identifier': Known.identity,
  'x-anonymous-consumer': Known.identity,
  // Client certificate details from a proxy in front: IIS with ARR, and common HAProxy and nginx setups.
  'x-arr-clientcert': Known.identity,
  'x-ssl-cert': Known.identity,
  'x-client-verify': Known.identity,
  'x-client-dn': Known.identity,
  // W3C Trace Context: the gateway is a hop of the trace, and writes these fields itself.
  traceparent: Known.traceparent,
  tracestate: Known.tracestate,
  'x-forwarded-for': Known.forwardedFor,
  'x-forwarded-proto': Known.forwardedProto,
  'x-forwarded-host': Known.forwardedHost,
  forwarded: Known.forwarded,
  'x-forwarded': Known.claim,
  'x-forwarded-access-token': Known.claim,
  'x-forwarded-by': Known.claim,
  'x-forwarded-client-cert': Known.claim,
  'x-forwarded-email': Known.claim,
  'x-forwarded-groups': Known.claim,
  'x-forwarded-method': Known.claim,
  'x-forwarded-path': Known.claim,
  'x-forwarded-port': Known.claim,
  'x-forwarded-preferred-username': Known.claim,
  'x-forwarded-prefix': Known.claim,
  'x-forwarded-protocol': Known.claim,
  'x-forwarded-scheme': Known.claim,
  'x-forwarded-server': Known.claim,
  'x-forwarded-ssl': Known.claim,
  'x-forwarded-tls-client-cert': Known.claim,
  'x-forwarded-tls-client-cert-info': Known.claim,
  'x-forwarded-uri': Known.claim,
  'x-forwarded-user': Known.claim,
  'x-original-for': Known.claim,
  'x-original-forwarded-for': Known.claim,
  'x-original-host': Known.claim,
  'x-original-method': Known.claim,
  'x-original-prefix': Known.claim,
  'x-original-proto': Known.claim,
  'x-original-uri': Known.claim,
  'x-original-url': Known.claim,
  'x-envoy-external-address': Known.claim,
  'x-rewrite-url': Known.claim,
  'x-override-url': Known.claim,
  'x-http-host-override': Known.claim,
  'x-real-ip': Known.claim,
  'x-client-ip': Known.claim,
  'x-url-scheme': Known.claim,
  'client-ip': Known.claim,
  'front-end-https': Known.claim,
  'cf-connecting-ip': Known.claim,
  'fastly-client-ip': Known.claim,
  'true-client-ip': Known.claim,
  'x-cluster-client-ip': Known.claim,
}

/** Prefixes of names by which proxies and gateways state who the caller is. */
const IDENTITY_FAMILIES = [
  'x-auth-request-',
  'x-authenticated-',
  'x-consumer-',
  'x-client-cert',
  'x-ssl-client-',
  'x-amzn-mtls-',
  'ssl-client-',
  'client-cert',
]

const responseFields: Record<string, Known> = {
  connection: Known.connection,
  'content-length': Known.contentLength,
  'transfer-encoding': Known.transferEncoding,
  upgrade: Known.upgrade,
  date: Known.date,
  te: Known.dropped,
  'keep-alive': Known.keepAlive,
  'proxy-connection': Known.dropped,
  'proxy-authenticate': Known.dropped,
}

/**
 * RFC 9110 section 6.5.1: fields for framing, routing, authentication or describing the content are not allowed in
 * trailers.
 */
const trailerFields: Record<string, Known> = {
  ...Object.fromEntries(
    [...Object.keys(requestFields), ...Object.keys(responseFields)].map((name) => [name, Known.dropped]),
  ),
  trailer: Known.dropped,
  'max-forwards': Known.dropped,
  authorization: Known.dropped,
  cookie: Known.dropped,
  'set-cookie': Known.dropped,
  'content-type': Known.dropped,
  'content-encoding': Known.dropped,
  'content-range': Known.dropped,
  'cache-control': Known.dropped,
  location: Known.dropped,
  'www-authenticate': Known.dropped,
}

/** A perfect hash over the folded spellings of the known names: one multiplication per byte, no string allocated. */
export class FieldNames {
  readonly seed: number
  /** First byte, folded -> the identity prefixes that begin with it. */
  private readonly families = Array<readonly Uint8Array[] | undefined>(128).fill(undefined)
  /** By the hash of a name: its bytes, and which field it is. */
  private readonly names: (Uint8Array | undefined)[] = Array<Uint8Array | undefined>(TABLE_SIZE).fill(undefined)
  private readonly known: Known[] = Array<Known>(TABLE_SIZE).fill(Known.none)

  /** `fields` by name in lower case, and the prefixes of names that claim an identity. */
  constructor(fields: Record<string, Known>, families: readonly string[] = []) {
    const beginnings = families.map((name) => Buffer.from(name))
    for (const [first, group] of Map.groupBy(beginnings, (name) => name.readUInt8(0))) this.families[first] = group
    this.seed = findSeed(Object.keys(fields))
    for (const [name, known] of Object.entries(fields)) {
      const slot = hashOf(name, this.seed)
      this.names[slot] = Buffer.from(name)
      this.known[slot] = known
    }
  }

  /**
   * The field whose name is at start..end and has that hash (see `nextHash`), or Known.none. "Content_Length" and
   * "Content.Length" are not Content-Length, but must not reach a service that treats them alike: they are
   * Known.folded. `odd` says that the name contains an ODD byte.
   */
  lookup(hash: number, bytes: Uint8Array, start: number, end: number, odd: boolean): Known {
    const slot = hash & (TABLE_SIZE - 1)
    const name = this.names[slot]
    if (name !== undefined && name.length === end - start && beginsWith(bytes, start, name))
      return odd ? Known.folded : this.known[slot]!
    const group = this.families[foldedToken[bytes[start]!]!]
    if (group === undefined) return Known.none
    for (const family of group)
      if (family.length <= end - start && beginsWith(bytes, start, family)) return odd ? Known.folded : Known.identity
    return Known.none
  }
}

const TABLE_SIZE = 1024

function beginsWith(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    const folded = foldedToken[bytes[start + i]!]!
    if ((folded === ODD ? HYPHEN : folded) !== name[i]) return false
  }
  return true
}

/** Adds one folded byte to a running hash. */
export function nextHash(hash: number, folded: number): number {
  return (Math.imul(hash, 31) + folded) | 0
}

function hashOf(name: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < name.length; i++) hash = nextHash(hash, name.charCodeAt(i))
  return hash & (TABLE_SIZE - 1)
}

function findSeed(names: readonly string[]): number {
  for (let seed = 1; seed < 1_000_000; seed++) {
    if (new Set(names.map((name) => hashOf(name, seed))).size === names.length) return seed
  }
  throw new Error('no perfect hash for these field names')
}

export const requestFieldNames = new FieldNames(requestFields, IDENTITY_FAMILIES)
export const responseFieldNames = new FieldNames(responseFields)
export const trailerFieldNames = new FieldNames(trailerFields, IDENTITY_FAMILIES)

/** The name tables, extended by one more claim. */
interface WithClaim {
  readonly request: FieldNames
  readonly trailer: FieldNames
}

const known: WithClaim = { request: requestFieldNames, trailer: trailerFieldNames }
/** By the name of the additional claim: a gateway has at most one. */
const withClaims = new Map<string, WithClaim>()

/**
 * The tables for reading requests and their trailers where the field of that name, in lower case, is also a claim; null
 * for none.
 */
export function namesWithClaim(name: string | null): WithClaim {
  if (name === null || Object.hasOwn(requestFields, name)) return known
  const made = withClaims.get(name) ?? {
    request: new FieldNames({ ...requestFields, [name]: Known.claim }, IDENTITY_FAMILIES),
    trailer: new FieldNames({ ...trailerFields, [name]: Known.dropped }, IDENTITY_FAMILIES),
  }
  withClaims.set(name, made)
  return made
}

/** Whether a field of that name may be configured as a claim about the request's origin, believed only from proxies. */
export function mayBeClaim(name: string): boolean {
  const lower = name.toLowerCase()
  if (IDENTITY_FAMILIES.some((family) => lower.startsWith(family))) return false
  return !Object.hasOwn(trailerFields, lower) || requestFields[lower] === Known.claim
}
