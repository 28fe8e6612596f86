import type { Clock } from '../../../core/clock.ts'
import { type Holder, Shared } from '../../../core/shared.ts'
import type { PolicyToolbox } from '../../policy.ts'

type Limits = PolicyToolbox['limits']

/** Signatures whose use is stored for the same time. */
interface Span {
  readonly meter: ReturnType<Limits['meter']>
  /** Milliseconds for which a use is stored. */
  readonly window: number
  /** Wall-clock milliseconds: signatures created before may have been used while uses were stored for a shorter time. */
  since: number
  /** How many configurations and policies store uses in it, and when there were some last, in wall-clock milliseconds. */
  users: number
  left: number
}

/** The dependencies of used signatures. */
type Tools = Pick<PolicyToolbox, 'clock' | 'holder' | 'limits' | 'storesKey'>

const all = new Shared<UsedSignatures>()

/**
 * Which signatures were used, in the counts of rate limits, where the time for which a use is stored is part of its place. If a new
 * configuration changes that time, the uses stored for another one still count until all of them have ended.
 */
export class UsedSignatures {
  private readonly spans = new Map<number, Span>()
  private readonly clock: Clock
  /** The largest one so far. */
  private tolerance = 0
  /** The configuration in effect; null before the first one. */
  private current: Holder | null = null
  /** Which route stores uses for which time, in it and in the one before it; that is null for the first one, which has forgotten none. */
  private storing = new Set<string>()
  private before: ReadonlySet<string> | null = null

  /** Those in the same store. */
  static of({ holder, storesKey, clock }: Tools): UsedSignatures {
    return all.get(holder, storesKey, () => new UsedSignatures(clock))
  }

  constructor(clock: Clock) {
    this.clock = clock
  }

  /**
   * For signatures that are accepted until `maxAge` after they were created, with that tolerance, in milliseconds: `isOld` tells whether one
   * may have been forgotten although it is still accepted, and `use` whether it is used for the first time. `takeOver` is to be called
   * whenever a configuration takes effect, for each of its routes that accept them.
   */
  join({ holder, limits }: Tools, maxAge: number, tolerance: number) {
    const window = Math.ceil((maxAge + 2 * tolerance) / 1000) * 1000
    const span = this.spans.get(window) ?? this.add(window, limits)
    this.tolerance = Math.max(this.tolerance, tolerance)
    span.users++
    holder.onRelease(() => {
      span.users--
      span.left = this.clock.wall()
    })
    return {
      isOld: (created: number) =>
        created <= span.since && this.clock.wall() >= created + this.shortest() - this.tolerance,
      use: (digest: string) => this.use(span, digest),
      takeOver: (configuration: Holder, route: string) => this.begin(configuration, route, span),
    }
  }

  private add(window: number, limits: Limits): Span {
    // A limit of one per window.
    const limit = { algorithm: 'token-bucket', quotas: [{ limit: 1, window }] } as const
    const meter = limits.meter({ ...limit, name: `signatures-${window / 1000}` }, 'local')
    const span = { meter, window, since: -Infinity, users: 0, left: 0 }
    this.spans.set(window, span)
    return span
  }

  private begin(configuration: Holder, route: string, span: Span): void {
    if (configuration !== this.current) {
      this.before = this.current === null ? null : this.storing
      this.current = configuration
      this.storing = new Set()
    }
    const stored = `${span.window} ${route}`
    this.storing.add(stored)
    // Even if other routes, or requests of an earlier configuration, use it: those of this route may have been stored for a shorter time.
    if (this.before?.has(stored) === false) span.since = this.clock.wall() + this.tolerance
  }

  private shortest(): number {
    return Math.min(...this.spans.keys())
  }

  private async use(span: Span, digest: string): Promise<boolean> {
    for (const other of this.spans.values()) {
      if (other === span || this.hasEnded(other)) continue
      const decision = await other.meter.decide(digest, 0)
      if (decision?.admitted === false) return false
    }
    const decision = await span.meter.decide(digest, 1)
    return decision?.admitted !== false
  }

  /** Removes spans of earlier configurations once no signature from that time is accepted any more. */
  private hasEnded({ users, left, window }: Span): boolean {
    const ended = users === 0 && this.clock.wall() > left + this.tolerance + Math.max(...this.spans.keys())
    if (ended) this.spans.delete(window)
    return ended
  }
}
