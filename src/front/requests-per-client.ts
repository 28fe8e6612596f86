import { clientNetwork } from '../core/client-network.ts'
import { GatewayError } from '../core/errors.ts'
import type { RequestFacts } from '../http/exchange.ts'
import type { TrustedProxies } from '../listener/trusted-proxies.ts'

/** What the configuration says of it. */
interface Bounds {
  readonly limits: { readonly perClient: { readonly requests?: number | undefined } }
}

/** Counts the requests that each client, of IPv6 each network of 64 bits, has in flight in this thread. A proxy that is trusted speaks for many. */
export class RequestsPerClient {
  private most: number
  private readonly proxies: TrustedProxies
  private readonly counts = new Map<string, number>()
  private readonly counted = new Set<RequestFacts>()

  /** `most` is how many a client may have; undefined for no bound on them. */
  constructor(most: number | undefined, proxies: TrustedProxies) {
    this.most = most ?? Number.POSITIVE_INFINITY
    this.proxies = proxies
  }

  /** Goes by another bound from now on. What began while there was none is not counted. */
  configure({ limits }: Bounds): void {
    this.most = limits.perClient.requests ?? Number.POSITIVE_INFINITY
  }

  /** Throws GatewayError 'rate-limited' where the client has as many as it may. */
  begin(exchange: RequestFacts): void {
    if (this.most === Number.POSITIVE_INFINITY) return
    const { address } = exchange.client
    if (this.proxies.has(address)) return
    const network = clientNetwork(address)
    const count = this.counts.get(network) ?? 0
    if (count >= this.most)
      throw new GatewayError('rate-limited', 'This client has too many requests in flight.', {
        headers: [['Retry-After', '1']],
      })
    this.counts.set(network, count + 1)
    this.counted.add(exchange)
  }

  end(exchange: RequestFacts): void {
    if (this.counted.size === 0 || !this.counted.delete(exchange)) return
    const network = clientNetwork(exchange.client.address)
    const count = this.counts.get(network) ?? 0
    if (count > 1) this.counts.set(network, count - 1)
    else this.counts.delete(network)
  }
}
