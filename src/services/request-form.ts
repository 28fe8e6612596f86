import { flatString } from '../core/flat-string.ts'
import { isStream } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import { knownLine } from '../http/field-lines.ts'
import { BufferedBody } from '../http/buffered-body.ts'
import { wireOf } from '../http/headers.ts'
import type { OutgoingRequest, ServiceTimeouts } from '../http/outgoing-request.ts'
import { SHARES } from './concurrency/limit.ts'
import type { Priority } from './concurrency/priority.ts'
import type { PooledInstance } from './pooled-instance.ts'
import type { RouteRetry } from './retry/index.ts'

/** RFC 9110 section 7.6.3: a gateway adds itself to Via on requests, with the protocol version it received the message in. */
const VIA = {
  '1.0': flatString(knownLine('Via', '1.0 sallyport')),
  '1.1': flatString(knownLine('Via', '1.1 sallyport')),
  '2': flatString(knownLine('Via', '2.0 sallyport')),
} as const

/** A route's settings for requests to its service. */
export interface ForwardOptions {
  /** Derives the service's path from the normalized path; null to forward paths as they were written. */
  readonly rewrite: ((exchange: Exchange) => string) | null
  /** Derives the host to request from the service; null to use the service's setting. */
  readonly rewriteHost: ((exchange: Exchange) => string) | null
  /** The header line that tells the service about a prefix removed by the rewrite, or "". */
  readonly prefixField: string
  readonly timeouts: ServiceTimeouts
  readonly priority: Priority
  /** Whether requests may be hedged, if the service has that option. */
  readonly hedge: boolean
  /** Time limit for the head of a reply across all attempts, in milliseconds; 0 for none. */
  readonly total: number
  /** Whether both sides may send at the same time. Default false. */
  readonly streaming?: boolean
  /** How many bytes of a body to buffer before the service is contacted, 0 for what has already arrived; a small default if omitted. */
  readonly buffer?: number | undefined
  /** The route's own retry settings, if any. */
  readonly retry?: RouteRetry | undefined
}

/** How the requests of one route are written for the instances of its service. */
export class RequestForm {
  readonly priority: Priority
  /** The fraction of the service's limit that its requests may use. */
  readonly share: number
  readonly total: number
  readonly hedge: boolean
  readonly streaming: boolean
  /** In bytes; null if the route does not set it. */
  readonly buffer: number | null
  readonly retry: RouteRetry | null
  /** 'client', 'instance', or a fixed Host value. */
  private readonly host: string
  private readonly options: ForwardOptions

  constructor(host: string, options: ForwardOptions) {
    this.host = host
    this.options = options
    this.priority = options.priority
    this.share = SHARES[options.priority]
    this.total = options.total
    this.hedge = options.hedge
    this.streaming = options.streaming === true
    this.buffer = options.buffer ?? null
    this.retry = options.retry ?? null
  }

  /**
   * The request for an exchange, with that path on that instance. `trace` contains the trace headers and others specific to the attempt.
   */
  fill(exchange: Exchange, path: string, query: string, instance: PooledInstance, trace: string): OutgoingRequest {
    const { host, options } = this
    const { method, headers, body, client, acceptsTrailers, protocol, upgrade, grpc } = exchange
    const authority = options.rewriteHost === null ? hostFor(host, exchange, instance) : options.rewriteHost(exchange)
    const prefixField = path === exchange.path ? '' : options.prefixField
    const changes = body === null && upgrade?.toLowerCase() === 'websocket'
    return {
      client: client.address,
      method,
      authority,
      target: path + query,
      fields: `${wireOf(headers)}${client.forwardingFields(exchange.host)}${VIA[protocol]}${trace}${prefixField}`,
      body,
      // Always sent for gRPC, even if TE was lost on the way: without trailers, clients would never learn the status of the call.
      acceptsTrailers: acceptsTrailers || grpc !== null,
      isCall: grpc !== null,
      // The sender of a buffered body has already been told to continue.
      expectsContinue: exchange.expectsContinue && isStream(body) && !(body instanceof BufferedBody),
      upgrade: changes ? { protocol: upgrade, key: headers.get('Sec-WebSocket-Key') ?? '' } : null,
      timeouts: options.timeouts,
    }
  }
}

/** `host` is 'client', 'instance', or a fixed value. */
function hostFor(host: string, exchange: Exchange, instance: PooledInstance): string {
  if (host === 'client') return exchange.host
  return host === 'instance' ? instance.authority : host
}
