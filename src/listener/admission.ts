import { clientNetwork } from '../core/client-network.ts'
import type { DenseSet } from '../core/dense-set.ts'
import { plainAddress } from '../core/plain-address.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { ServedConnection } from '../http/server-handler.ts'
import { ConnectionShares, type Counted } from './connection-shares.ts'
import type { Handshakes } from './handshakes.ts'
import type { ListenerOptions } from './receiver.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

/** The connections that are counted, and what limits them. */
export interface AdmissionParts {
  /** The values may change. */
  readonly options: Pick<ListenerOptions, 'connections' | 'perClient'>
  readonly proxies: TrustedProxies
  readonly deadlines: Deadlines
  readonly connections: DenseSet<'servedIndex', ServedConnection>
  /** Those that are not connections yet; null if there have never been any. */
  readonly handshakes: () => Handshakes | null
}

/** Decides whether a client may have another connection, and which one is closed for it if there are too many. */
export class Admission {
  private readonly parts: AdmissionParts
  private readonly shares: ConnectionShares
  /**
   * When the last search for a connection to drop failed, on the clock of the deadlines: one search per tick is enough.
   */
  private fruitless = -1

  constructor(parts: AdmissionParts) {
    this.parts = parts
    this.shares = new ConnectionShares(parts.options.connections)
  }

  /** The options have changed. */
  reconfigure(): void {
    this.shares.allow(this.parts.options.connections)
  }

  /** Whether there is room for another connection of that peer, possibly in place of one of another client. */
  admits(peer: string): boolean {
    const { options, connections, handshakes } = this.parts
    const max = options.perClient.connections
    const full = connections.size + (handshakes()?.size ?? 0) >= options.connections
    if (!full && max === undefined) return true
    const sharer = this.sharerOf(peer)
    if (max !== undefined && this.shares.of(sharer) >= max && !this.trusts(peer)) return false
    return !full || this.makeRoom(sharer)
  }

  /** Counts a connection of that peer. Returns whose share it is part of. */
  add(peer: string): string {
    const sharer = this.sharerOf(peer)
    this.shares.add(sharer)
    return sharer
  }

  /** A connection that is part of that share is closed. */
  delete(sharer: string): void {
    this.shares.delete(sharer)
  }

  /**
   * Whose share of the connections those of that peer are part of: all addresses of an IPv6 /64 network are one client,
   * but the connections of a trusted proxy there are not those of its neighbors.
   */
  private sharerOf(peer: string): string {
    return this.trusts(peer) ? peer : clientNetwork(peer)
  }

  private trusts(peer: string): boolean {
    return this.parts.proxies.has(plainAddress(peer))
  }

  /**
   * Closes a connection of the peer that has more than half of all, to make room: an idle one, or one that waits for
   * its client, preferably one that has been open for long.
   */
  private makeRoom(sharer: string): boolean {
    const { deadlines, connections, handshakes } = this.parts
    const greedy = this.shares.ofMost
    const { now } = deadlines
    if (greedy === null || greedy === sharer || this.fruitless === now || this.trusts(greedy)) return false
    const isGreedy = ({ countedFor, peer }: Counted): boolean => countedFor === greedy && !this.trusts(peer)
    if (handshakes()?.endOldest(isGreedy) === true) return true
    const waits = (connection: ServedConnection): boolean => isGreedy(connection) && connection.waitsForClient
    const found = connections.find((connection) => waits(connection) && connection.idle) ?? connections.find(waits)
    if (found === undefined) this.fruitless = now
    found?.preempt()
    return found !== undefined
  }
}
