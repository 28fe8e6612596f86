import { GatewayError } from '../core/errors.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { TrustedProxies } from '../listener/trusted-proxies.ts'

/** Counts the requests that each client has in flight in this thread. A proxy that is trusted speaks for many. */
export class RequestsPerClient {
  private readonly most: number
  private readonly proxies: TrustedProxies
  private readonly counts = new Map<string, number>()
  private readonly counted = new Set<ServerExchange>()

  constructor(most: number, proxies: TrustedProxies) {
    this.most = most
    this.proxies = proxies
  }

  /** Throws GatewayError 'rate-limited' where the client has as many as it may. */
  begin(exchange: ServerExchange): void {
    const { address } = exchange.client
    if (this.proxies.has(address)) return
    const count = this.counts.get(address) ?? 0
    if (count >= this.most)
      throw new GatewayError('rate-limited', 'This client has as many requests in flight as it may.', {
        headers: [['Retry-After', '1']],
      })
    this.counts.set(address, count + 1)
    this.counted.add(exchange)
  }

  end(exchange: ServerExchange): void {
    if (!this.counted.delete(exchange)) return
    const { address } = exchange.client
    const count = this.counts.get(address)! - 1
    if (count > 0) this.counts.set(address, count)
    else this.counts.delete(address)
  }
}
