import { clientNetwork } from '../core/client-network.ts'
import { GatewayError } from '../core/errors.ts'
import type { Client } from '../http/exchange.ts'
import type { TrustedProxies } from '../listener/trusted-proxies.ts'

/** A request as it is counted. */
export interface CountedRequest {
  readonly client: Pick<Client, 'address'>
  /** The client or network that it counts for; null if it is not counted. */
  countedFor: string | null
}

/** The relevant configuration options. */
interface Bounds {
  readonly limits: { readonly perClient: { readonly requests?: number | undefined } }
}

/**
 * Counts the in-flight requests per client in this thread; IPv6 clients are counted per /64 network. Trusted proxies are not limited
 * themselves, as they act for many clients.
 */
export class RequestsPerClient {
  private max: number
  private readonly proxies: TrustedProxies
  private readonly counts = new Map<string, number>()

  /** `max` is the limit per client; undefined for none. */
  constructor(max: number | undefined, proxies: TrustedProxies) {
    this.max = max ?? Number.POSITIVE_INFINITY
    this.proxies = proxies
  }

  /** Applies a new limit. Requests that began while there was none are not counted. */
  configure({ limits }: Bounds): void {
    this.max = limits.perClient.requests ?? Number.POSITIVE_INFINITY
  }

  /** Throws GatewayError 'rate-limited' if the client has reached the limit. */
  begin(exchange: CountedRequest): void {
    if (this.max === Number.POSITIVE_INFINITY) return
    const { address } = exchange.client
    if (this.proxies.has(address)) return
    const network = clientNetwork(address)
    const count = this.counts.get(network) ?? 0
    if (count >= this.max)
      throw new GatewayError('rate-limited', 'This client has too many requests in flight.', {
        headers: [['Retry-After', '1']],
      })
    this.counts.set(network, count + 1)
    exchange.countedFor = network
  }

  end(exchange: CountedRequest): void {
    const network = exchange.countedFor
    if (network === null) return
    exchange.countedFor = null
    const count = this.counts.get(network) ?? 0
    if (count > 1) this.counts.set(network, count - 1)
    else this.counts.delete(network)
  }
}
