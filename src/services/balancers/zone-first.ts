import type { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import type { Outcome } from '../outcome.ts'
import type { BalancedRequest, Balancer, BalancerKind, BalancerTools } from './balancer.ts'
import { Candidates } from './candidates.ts'

/** How much more than its share the instances of a zone can handle; with less capacity than that requires, other zones help out. */
const OVERPROVISIONED = 1.4

/** The instances of a service as seen from one zone. */
export interface Zoned<I extends Instance> {
  /** Instances in the zone. */
  readonly near: readonly I[]
  readonly far: readonly I[]
  /** Number of zones the instances are in. */
  readonly zones: number
}

/** Partitions instances by zone, using `zoneOf`; null if all or none of them are in the given zone, or if there is no zone. */
export function seenFrom<I extends Instance>(
  zone: string | null,
  instances: readonly I[],
  zoneOf: (instance: I) => string | null,
): Zoned<I> | null {
  if (zone === null) return null
  const near = instances.filter((instance) => zoneOf(instance) === zone)
  const far = instances.filter((instance) => zoneOf(instance) !== zone)
  if (near.length === 0 || far.length === 0) return null
  const zones = new Set(instances.filter(({ weight }) => weight > 0).map(zoneOf)).size
  return { near, far, zones }
}

/**
 * Keeps requests within the zone as long as its usable instances have at least 1/1.4 of the average capacity of a zone. With less, the zone
 * gets 1.4 times its fraction of the average, and the instances of other zones get the rest, in proportion to their weights.
 */
export class ZoneFirst<I extends Instance> implements Balancer<I> {
  private readonly near: Balancer<I>
  private readonly far: Balancer<I>
  private readonly nearby: Candidates<I>
  private readonly others: Candidates<I>
  private readonly own: ReadonlySet<I>
  private readonly zones: number
  private readonly board: HealthBoard
  private version: number
  /** Fraction of the requests that stay in the zone. */
  private part: number
  /** Accumulated fraction toward the next request that stays. */
  private credit = 0

  constructor(
    { near, far, zones }: Zoned<I>,
    kind: BalancerKind,
    board: HealthBoard,
    tools: BalancerTools,
    previous: Balancer<I> | null,
  ) {
    const before = isZoneFirst(previous) ? previous : null
    this.nearby = new Candidates(near, board)
    this.others = new Candidates(far, board)
    this.near = kind.create(this.nearby, tools, before?.near ?? previous)
    this.far = kind.create(this.others, tools, before?.far ?? previous)
    this.own = new Set(near)
    this.zones = zones
    this.board = board
    this.version = board.version
    this.part = this.share()
  }

  pick(request: BalancedRequest, tried: readonly I[] | null): I | null {
    const { version } = this.board
    if (version !== this.version) {
      this.version = version
      this.part = this.share()
    }
    // If one zone has no instance left, the others are used.
    if (this.stays()) return this.near.pick(request, tried) ?? this.far.pick(request, tried)
    return this.far.pick(request, tried) ?? this.near.pick(request, tried)
  }

  ended(outcome: Outcome<I>): void {
    const balancer = this.own.has(outcome.instance) ? this.near : this.far
    balancer.ended?.(outcome)
  }

  private stays(): boolean {
    if (this.part >= 1) return true
    this.credit += this.part
    if (this.credit < 1) return false
    this.credit--
    return true
  }

  private share(): number {
    const near = weightOf(this.nearby.current())
    const all = near + weightOf(this.others.current())
    return all === 0 ? 1 : (near * OVERPROVISIONED * this.zones) / all
  }
}

function weightOf(instances: readonly Instance[]): number {
  return instances.reduce((sum, { weight }) => sum + weight, 0)
}

function isZoneFirst<I extends Instance>(balancer: Balancer<I> | null): balancer is ZoneFirst<I> {
  return balancer instanceof ZoneFirst
}
