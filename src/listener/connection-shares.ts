/** Something that takes up one connection of a peer. */
export interface Counted {
  /** Address of the peer. */
  readonly peer: string
  /** The address, or the IPv6 /64 network, whose share of the connections it is part of. */
  readonly countedFor: string
}

/** Counts connections per peer, which may be a whole network, and finds the one that has more than half of the maximum. */
export class ConnectionShares {
  private readonly counts = new Map<string, number>()
  private half = 0
  private greedy: string | null = null
  /** Other peers may have more than half as well, as there were more connections than are allowed now. */
  private several = false

  /** `max` is the maximum number of connections. */
  constructor(max: number) {
    this.allow(max)
  }

  /** Changes the maximum. */
  allow(max: number): void {
    this.half = max / 2
    this.find()
  }

  /** The peer that has more than half, or null; the one with the most connections, where there are several. */
  get ofMost(): string | null {
    return this.greedy
  }

  of(peer: string): number {
    return this.counts.get(peer) ?? 0
  }

  add(peer: string): void {
    const count = this.of(peer) + 1
    this.counts.set(peer, count)
    if (count > this.half) this.greedy ??= peer
  }

  delete(peer: string): void {
    const count = this.of(peer) - 1
    if (count > 0) this.counts.set(peer, count)
    else this.counts.delete(peer)
    if (this.greedy !== peer || count > this.half) return
    this.greedy = null
    if (this.several) this.find()
  }

  private find(): void {
    const over = [...this.counts].filter(([, count]) => count > this.half).sort(([, a], [, b]) => b - a)
    this.greedy = over[0]?.[0] ?? null
    this.several = over.length > 1
  }
}
