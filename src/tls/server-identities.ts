import { constants, createHash, X509Certificate } from 'node:crypto'
import { createServer, type Server } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { certificateNames } from './certificate-names.ts'
import type { ClientAuthorities } from './client-authorities.ts'
import { groups } from './groups.ts'
import type { KeyPair } from './key-pair.ts'
import { pemBlocks } from './pem.ts'
import type { SessionTickets } from './session-tickets.ts'
import { PERIOD } from './ticket-seed.ts'

/** Configured TLS settings of a listener. */
export interface TlsSettings {
  readonly minVersion: '1.2' | '1.3'
  /** Whether clients may use HTTP/2. */
  readonly http2: boolean
  /** In OpenSSL's notation; undefined for the default. */
  readonly ciphers?: string | undefined
  /** Whether clients must or may present certificates. */
  readonly clientCertificates?: { readonly mode: 'required' | 'wanted' } | undefined
  /** Authorities for client certificates, as last read. */
  readonly clients?: ClientAuthorities | null
}

/** What a listener presents under certain names: one certificate, or one per key type. */
export interface Identity {
  /** Handles connections whose ClientHello has not been consumed, passed as 'connection' events. It never listens itself. */
  readonly server: Server
  /** Only answers a CA's challenge: nothing is exchanged after the handshake. */
  readonly challenge?: true
  /** Whether clients are asked for certificates. */
  readonly asksClients: boolean
  /** The names that its certificates are valid for, in lower case. */
  readonly names: ReadonlySet<string>
}

/** Only AEAD with forward secrecy; 128 bits first, as they are sufficient and fastest in hardware. */
const DEFAULT_CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/**
 * With client certificates, sessions are never resumed (SSL_OP_NO_TICKET, and Node's servers do not cache sessions by default): the
 * certificate of each connection is verified against the current authorities and revocation lists.
 * Renegotiation costs the server far more than the client; clients without AES hardware get ChaCha20 if they prefer it.
 */
const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA

/** The protocols offered over TLS (RFC 7301), in order of preference. */
const PROTOCOLS = ['h2', 'http/1.1', 'http/1.0']
const WITHOUT_HTTP2 = ['http/1.1', 'http/1.0']

/** The identities of one listener, each for its names: immutable, and replaced as a whole when a certificate changes. */
export class ServerIdentities {
  /** For clients that request no name or an unknown one; null if there is no certificate yet. */
  readonly default: Identity | null
  /** Number of identities. */
  readonly size: number
  private readonly exact = new Map<string, Identity>()
  /** Parent domain of a wildcard -> its identity. */
  private readonly wildcards = new Map<string, Identity>()
  /** By what they were made from. */
  private readonly made = new Map<string, Identity>()
  private readonly pairs: readonly KeyPair[]
  private readonly settings: TlsSettings
  private readonly tickets: SessionTickets
  private read: readonly X509Certificate[] | null = null

  /**
   * Of several pairs for the same name and key type, the first is used. Unchanged identities are reused from `before`. Throws OpenSSL's
   * error if it rejects a pair.
   */
  constructor(
    pairs: readonly KeyPair[],
    settings: TlsSettings,
    tickets: SessionTickets,
    before: ServerIdentities | null = null,
  ) {
    this.pairs = pairs
    this.settings = settings
    this.tickets = tickets
    const named = new Map<string, NamedPair[]>()
    const all = pairs.map((pair) => readPair(pair))
    for (const pair of all)
      for (const name of pair.names) {
        const others = named.get(name) ?? []
        if (!others.some(({ kind }) => kind === pair.kind)) named.set(name, [...others, pair])
      }
    const identityOf = (group: readonly NamedPair[]): Identity => {
      const key = [scopeOf(group, settings), ...group.map(({ digest }) => digest)].join()
      const known = this.made.get(key) ?? before?.made.get(key) ?? this.make(group)
      this.made.set(key, known)
      return known
    }
    for (const [name, group] of named) {
      if (name.startsWith('*.')) this.wildcards.set(name.slice(1), identityOf(group))
      else this.exact.set(name, identityOf(group))
    }
    const [first] = all
    this.default = first === undefined ? null : identityOf(named.get(first.names[0] ?? '') ?? [first])
    this.size = this.made.size
  }

  /**
   * The identity for that name, in lower case; null if no certificate is valid for it. A wildcard matches a single label (RFC 9525 section
   * 6.3).
   */
  find(name: string): Identity | null {
    return this.exact.get(name) ?? this.wildcards.get(name.slice(name.indexOf('.'))) ?? null
  }

  /** Whether the identity covers that name. */
  static covers({ names }: Identity, name: string): boolean {
    return names.has(name) || names.has(`*${name.slice(name.indexOf('.'))}`)
  }

  /** The authorities for client certificates. */
  get authorities(): readonly X509Certificate[] {
    this.read ??= pemBlocks(this.settings.clients?.ca ?? '').map(({ text }) => new X509Certificate(text))
    return this.read
  }

  /** Whether they were made from these inputs; comparing avoids re-parsing many certificates. */
  areOf(pairs: readonly KeyPair[], settings: TlsSettings): boolean {
    return isDeepStrictEqual(this.pairs, pairs) && isDeepStrictEqual(this.settings, settings)
  }

  /** Whether the client certificate settings are the same. */
  asksAs({ settings }: ServerIdentities): boolean {
    const { clients, clientCertificates } = this.settings
    if (clientCertificates?.mode !== settings.clientCertificates?.mode) return false
    return clients?.ca === settings.clients?.ca && clients?.crls.join() === settings.clients?.crls.join()
  }

  /** Whether the TLS versions, ciphers and protocols are the same. */
  speaksAs({ settings }: ServerIdentities): boolean {
    const { minVersion, ciphers, http2 } = this.settings
    return minVersion === settings.minVersion && ciphers === settings.ciphers && http2 === settings.http2
  }

  private make(group: readonly NamedPair[]): Identity {
    const { minVersion, http2, ciphers = DEFAULT_CIPHERS, clientCertificates, clients } = this.settings
    const asksClients = clientCertificates !== undefined
    const scope = scopeOf(group, this.settings)
    const server = createServer({
      cert: group.map(({ pair }) => pair.cert),
      key: group.map(({ pair }) => pair.key),
      minVersion: `TLSv${minVersion}`,
      ciphers,
      honorCipherOrder: true,
      ecdhCurve: groups(),
      secureOptions: asksClients ? SECURE_OPTIONS | constants.SSL_OP_NO_TICKET : SECURE_OPTIONS,
      ALPNProtocols: http2 ? PROTOCOLS : WITHOUT_HTTP2,
      sessionIdContext: scope,
      sessionTimeout: PERIOD / 1000,
      ...(asksClients && {
        requestCert: true,
        rejectUnauthorized: clientCertificates.mode === 'required',
        ca: clients?.ca ?? [],
        crl: [...(clients?.crls ?? [])],
      }),
      // The listener enforces its own deadline.
      handshakeTimeout: 0,
    })
    if (!asksClients) this.tickets.attach(server, scope)
    return { server, asksClients, names: new Set(group.flatMap(({ names }) => names)) }
  }
}

interface NamedPair {
  readonly pair: KeyPair
  readonly names: readonly string[]
  readonly kind: string
  readonly digest: string
}

function readPair(pair: KeyPair): NamedPair {
  const leaf = new X509Certificate(pair.cert)
  const digest = createHash('sha256').update(pair.cert).update(pair.key).digest('hex')
  return { pair, names: certificateNames(leaf), kind: leaf.publicKey.asymmetricKeyType ?? '', digest }
}

/** Session scope: sessions of one identity cannot be resumed with another, or under different settings. 32 bytes, the maximum. */
function scopeOf(group: readonly NamedPair[], settings: TlsSettings): string {
  const { minVersion, http2, ciphers, clientCertificates, clients } = settings
  const rules = { names: group.map((pair) => pair.names), minVersion, http2, ciphers, clientCertificates, clients }
  return createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, 32)
}
