import { flat } from '../core/flat.ts'
import { isStream } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import { knownLine } from '../http/field-lines.ts'
import { GatheredBody } from '../http/gathered-body.ts'
import { wireOf } from '../http/headers.ts'
import type { OutgoingRequest, ServiceTimeouts } from '../http/outgoing-request.ts'
import { SHARES } from './concurrency/limit.ts'
import type { Priority } from './concurrency/priority.ts'
import type { PooledInstance } from './pooled-instance.ts'
import type { RouteRetry } from './retry/index.ts'

/** RFC 9110 section 7.6.3: a gateway says on the way in that the message passed through it, and in which version it came. */
const VIA = {
  '1.0': flat(knownLine('Via', '1.0 sallyport')),
  '1.1': flat(knownLine('Via', '1.1 sallyport')),
  '2': flat(knownLine('Via', '2.0 sallyport')),
} as const

/** What a route says of requests to its service. */
export interface ForwardOptions {
  /** The path that the service gets, of one in its normal form; null: they go on as they were written. */
  readonly rewrite: ((exchange: Exchange) => string) | null
  /** The host that the service is asked for; null: what the service says. */
  readonly rewriteHost: ((exchange: Exchange) => string) | null
  /** What a service is told whose path the rewrite has changed, as a field line, or "". */
  readonly prefixField: string
  readonly timeouts: ServiceTimeouts
  readonly priority: Priority
  /** Whether another instance may be asked beside one that takes long, where the service has that. */
  readonly hedge: boolean
  /** In how many milliseconds all attempts have to have come to a reply; 0 for as long as they take. */
  readonly total: number
  /** Both sides may go on sending at the same time. Default false. */
  readonly streaming?: boolean
  /** How much of a body is awaited before the service is asked, in octets, 0 for what is here already; left out for a little. */
  readonly buffer?: number | undefined
  /** Which requests are sent again, as far as the route says something of that. */
  readonly retry?: RouteRetry | undefined
}

/** How the requests of one route are written for the instances of its service. */
export class RequestForm {
  readonly priority: Priority
  /** The part of the service's limit that they may fill. */
  readonly share: number
  readonly total: number
  readonly hedge: boolean
  readonly streaming: boolean
  /** In octets; null where the route says nothing of that. */
  readonly buffer: number | null
  readonly retry: RouteRetry | null
  /** 'client', 'instance', or the Host to send. */
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

  /** The request of an exchange as it goes to that path of that instance; `trace` are the fields of the trace, and others of the attempt. */
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
      // Whatever was lost of TE on the way: without them no client would know how its call ended.
      acceptsTrailers: acceptsTrailers || grpc !== null,
      // Who sends what was gathered has been told to go on already.
      expectsContinue: exchange.expectsContinue && isStream(body) && !(body instanceof GatheredBody),
      upgrade: changes ? { protocol: upgrade, key: headers.get('Sec-WebSocket-Key') ?? '' } : null,
      timeouts: options.timeouts,
    }
  }
}

/** `host` is 'client', 'instance', or what it is. */
function hostFor(host: string, exchange: Exchange, instance: PooledInstance): string {
  if (host === 'client') return exchange.host
  return host === 'instance' ? instance.authority : host
}
