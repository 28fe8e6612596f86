/** The evictable items of one client, oldest first. */
export interface Share<Item> {
  readonly items: Set<Item>
  /** Their total size. */
  bytes: number
}

/** The items of all clients, and which client has the most: its items are evicted for those of others. */
export class Shares<Item extends { readonly size: number }> {
  private readonly all = new Map<string, Share<Item>>()
  /** Indexed by the power of two that their bytes are below. */
  private readonly ranks: Set<Share<Item>>[] = []

  /** Bytes of a client. */
  bytesOf(client: string): number {
    return this.all.get(client)?.bytes ?? 0
  }

  add(client: string, item: Item): void {
    const share = this.all.get(client) ?? { items: new Set(), bytes: 0 }
    this.all.set(client, share)
    share.items.add(item)
    this.change(client, share, item.size)
  }

  remove(client: string, item: Item): void {
    const share = this.all.get(client)
    if (share?.items.delete(item) === true) this.change(client, share, -item.size)
  }

  /** The oldest item of a client. */
  oldest(client: string): Item | undefined {
    return first(this.all.get(client)?.items)
  }

  /**
   * The item to be evicted for a new one of a client: the client's own oldest unless another has at least twice as much, otherwise
   * the oldest of a client with the most. So a client cannot evict items of others who have no more than itself.
   */
  victim(client: string): Item | undefined {
    const highest = this.ranks.findLast((rank) => rank.size > 0)
    const own = this.all.get(client)
    return first((own !== undefined && highest?.has(own) === true ? own : first(highest))?.items)
  }

  private change(client: string, share: Share<Item>, bytes: number): void {
    this.ranks[rankOf(share)]?.delete(share)
    share.bytes += bytes
    if (share.items.size === 0) return void this.all.delete(client)
    const rank = rankOf(share)
    while (this.ranks.length <= rank) this.ranks.push(new Set())
    this.ranks[rank]?.add(share)
  }
}

function rankOf({ bytes }: Share<unknown>): number {
  return Math.ceil(Math.log2(bytes + 1))
}

function first<Item>(items: Iterable<Item> | undefined): Item | undefined {
  if (items === undefined) return undefined
  for (const item of items) return item
  return undefined
}
