/** How many connections each peer has, and which one has more than half of all that there may be. */
export class ConnectionShares {
  private readonly counts = new Map<string, number>()
  private readonly half: number
  private greedy: string | null = null

  /** `most` connections may be at the same time. */
  constructor(most: number) {
    this.half = most / 2
  }

  /** The peer that has more than half, or null. There is never more than one. */
  get ofMost(): string | null {
    return this.greedy
  }

  of(peer: string): number {
    return this.counts.get(peer) ?? 0
  }

  add(peer: string): void {
    const count = this.of(peer) + 1
    this.counts.set(peer, count)
    if (count > this.half) this.greedy = peer
  }

  delete(peer: string): void {
    const count = this.of(peer) - 1
    if (count > 0) this.counts.set(peer, count)
    else this.counts.delete(peer)
    if (this.greedy === peer && count <= this.half) this.greedy = null
  }
}
