import type { IncomingHttpHeaders } from 'node:http'
import { hostname } from 'node:os'
import type { FastifyRequest } from 'fastify'
import { publicUrlOf } from '../../config/admin-schema.ts'
import type { GatewayConfig } from '../../config/schema.ts'
import { type NetworkFileContents, networksOf } from '../../core/network-file-contents.ts'
import { plainAddress } from '../../core/plain-address.ts'
import type { Client } from '../../http/exchange.ts'
import { knownLine } from '../../http/field-lines.ts'
import { ReceivedFields } from '../../http/received-fields.ts'
import { TrustedProxies } from '../../listener/trusted-proxies.ts'

/** The address and scheme that a client used. */
export type ClientPlace = Pick<Client, 'address' | 'scheme'>

/**
 * Determines the client's address and scheme. Trusted proxies report them; otherwise the scheme is https if the request is for an https
 * `admin.publicUrl`, because the listener itself speaks plain http.
 */
export class ClientPlaces {
  private readonly config: () => GatewayConfig
  private readonly held: () => NetworkFileContents
  private known: {
    readonly config: GatewayConfig
    readonly version: number
    readonly proxies: TrustedProxies
  } | null = null

  constructor(config: () => GatewayConfig, held: () => NetworkFileContents) {
    this.config = config
    this.held = held
  }

  of({ headers, raw }: FastifyRequest): ClientPlace {
    const peer = plainAddress(raw.socket.remoteAddress ?? '')
    const scheme = this.isSecureAt(headers.host) ? 'https' : 'http'
    const { proxies } = this
    if (!proxies.has(peer)) return { address: peer, scheme }
    return proxies.clientBehind(peer, scheme, fieldsOf(headers, this.config().clientHeader))
  }

  private isSecureAt(host = ''): boolean {
    const { admin } = this.config()
    return admin !== false && publicUrlOf(admin, hostname()) === `https://${host}`
  }

  private get proxies(): TrustedProxies {
    const config = this.config()
    const { version, files } = this.held()
    if (this.known?.config !== config || this.known.version !== version) {
      const { forwarding, clientHeader, trustedProxies } = config
      const proxies = new TrustedProxies(networksOf(trustedProxies, files), { forwarding, clientHeader })
      this.known = { config, version, proxies }
    }
    return this.known.proxies
  }
}

function fieldsOf(headers: IncomingHttpHeaders, clientHeader: string | null): ReceivedFields {
  const fields = new ReceivedFields()
  fields.forwardedFor = valueOf(headers, 'x-forwarded-for')
  fields.forwardedProto = valueOf(headers, 'x-forwarded-proto')
  fields.forwarded = valueOf(headers, 'forwarded')
  const client = clientHeader === null ? null : valueOf(headers, clientHeader.toLowerCase())
  if (clientHeader !== null && client !== null) fields.claims = knownLine(clientHeader, client)
  return fields
}

function valueOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
}
