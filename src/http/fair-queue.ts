import { clientNetwork } from '../core/client-network.ts'

/** A request that waits for a connection, on behalf of a client. */
export interface QueuedRequest {
  /** Its address. */
  readonly client: string
}

/**
 * Requests that wait for a connection: clients take turns, and each client's requests are served in order. All
 * addresses of an IPv6 /64 network are one client.
 */
export class FairQueue<T extends QueuedRequest> {
  /** The requests of each client; the client whose turn is next comes first. */
  private readonly clients = new Map<string, Set<T>>()
  private count = 0

  get size(): number {
    return this.count
  }

  add(waiting: T): void {
    const client = clientNetwork(waiting.client)
    const own = this.clients.get(client)
    if (own === undefined) this.clients.set(client, new Set([waiting]))
    else own.add(waiting)
    this.count++
  }

  delete(waiting: T): void {
    const client = clientNetwork(waiting.client)
    const own = this.clients.get(client)
    if (own?.delete(waiting) !== true) return
    this.count--
    if (own.size === 0) this.clients.delete(client)
  }

  /** Removes and returns the request whose turn it is. */
  next(): T | undefined {
    for (const [client, own] of this.clients) {
      this.clients.delete(client)
      for (const first of own) {
        this.count--
        own.delete(first)
        if (own.size > 0) this.clients.set(client, own)
        return first
      }
    }
    return undefined
  }

  /** Removes and returns the first request from that address. */
  nextOf(address: string): T | undefined {
    for (const waiting of this.clients.get(clientNetwork(address)) ?? []) {
      if (waiting.client !== address) continue
      this.delete(waiting)
      return waiting
    }
    return undefined
  }

  /** The last request of another client that has more than `share` requests here; undefined where no client has. */
  lastBeyond(share: number, address: string): T | undefined {
    const client = clientNetwork(address)
    for (const [other, own] of this.clients) if (own.size > share && other !== client) return [...own].at(-1)
    return undefined
  }
}
