import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'

/** Kinds of state transitions of an instance. */
export const transitionKinds = ['healthy', 'unhealthy', 'ejected', 'returned', 'drained', 'undrained'] as const

export type TransitionKind = (typeof transitionKinds)[number]

/** A state transition of an instance. */
export interface Transition {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
  readonly instance: string
  readonly kind: TransitionKind
  /** Why, in words; null if self-explanatory. */
  readonly reason: string | null
}

/** Callback for transitions of an instance of a service. */
export type TransitionListener = (
  service: string,
  instance: string,
  kind: TransitionKind,
  reason: string | null,
) => void

/** How long transitions are kept, in milliseconds. */
const REMEMBERED = 24 * 3600_000
/** Maximum number of transitions per instance, and of instances. */
const TRANSITIONS = 200
const INSTANCES = 10_000

/** Transitions of instances in the last 24 hours, up to the newest 200 per instance. */
export class HealthHistory {
  private readonly clock: Clock
  private readonly known = new BoundedMap<string, Transition[]>(INSTANCES)

  constructor(clock: Clock) {
    this.clock = clock
  }

  readonly record: TransitionListener = (service, instance, kind, reason) => {
    const key = keyOf(service, instance)
    const before = this.known.get(key) ?? []
    const at = this.clock.wall()
    const recent = before.filter((each) => each.at > at - REMEMBERED).slice(1 - TRANSITIONS)
    this.known.set(key, [...recent, { at, instance, kind, reason }])
  }

  /** Transitions of these instances of a service, newest first. */
  of(service: string, instances: readonly string[]): Transition[] {
    const oldest = this.clock.wall() - REMEMBERED
    return instances
      .flatMap((instance) => this.known.get(keyOf(service, instance)) ?? [])
      .filter(({ at }) => at > oldest)
      .toSorted((a, b) => b.at - a.at)
  }
}

/** Service names contain no spaces. */
function keyOf(service: string, instance: string): string {
  return `${service} ${instance}`
}
