import type { Counter, HeldMetrics, Metrics } from '../../core/metrics.ts'
import { valueOfEach } from '../../core/present.ts'
import type { Toolbox } from '../../core/toolbox.ts'
import type { HealthBoard } from '../health/board.ts'
import type { TransitionListener } from '../health/history.ts'
import { type Ejection, type EjectionReason, ejectionReasons } from '../health/ejections.ts'
import type { PassiveOptions } from './index.ts'
import { Judge, type Judged } from './judge.ts'
import { Stalls } from './stalls.ts'
import { ejectionWords } from './words.ts'

/** Interval between checks, in milliseconds. */
const TICK = 250
/** A check that is this late, in milliseconds, means that the thread or the whole machine was suspended. */
const STANDSTILL = 500
/** A number that no worker has. */
const MAIN_THREAD = 0xffff

/** An instance whose ejections are managed. */
export interface ManagedInstance extends Judged {
  readonly address: string
}

/** The required part of a service. */
export interface ManagedService {
  readonly name: string
  /** False if its instances are never ejected. */
  readonly passive: PassiveOptions | false
  readonly instances: readonly ManagedInstance[]
}

/** The dependencies of the keeper. */
export interface EjectionManagerTools extends Toolbox {
  readonly board: HealthBoard
  readonly metrics: Metrics
  /** Called when ejections start and end. */
  readonly onTransition?: TransitionListener
}

/** One service and the state of its ejections. */
interface Kept extends ManagedService {
  readonly counts: Counts
  readonly stalls: Stalls | null
  readonly known: Map<ManagedInstance, Known>
}

/** Metrics of one service's ejections. */
class Counts {
  readonly of: (reason: EjectionReason) => Counter
  private readonly held: HeldMetrics

  constructor(metrics: Metrics, service: string) {
    this.held = metrics.hold()
    this.of = valueOfEach(ejectionReasons, (reason) =>
      this.held.counter('sallyport_ejections_total', { service, reason }),
    )
  }

  close(): void {
    this.held.release()
  }
}

interface Known {
  /** Total number of ejections as of the last check. */
  total: number
  /** Whether it was ejected at the last check. */
  held: boolean
}

/**
 * Manages ejections in the main thread: ends them on time, ejects stalled instances, and reports both. Workers eject instances themselves,
 * visible to all threads immediately, and do not depend on this.
 */
export class EjectionManager {
  private readonly tools: EjectionManagerTools
  private services: readonly Kept[] = []
  private version = -1
  private lastCheck: number
  private held = 0
  private readonly cancel: () => void

  constructor(tools: EjectionManagerTools) {
    this.tools = tools
    this.lastCheck = tools.clock.now()
    this.cancel = tools.clock.every(TICK, () => this.look())
  }

  /** Manages the ejections of these services from now on. */
  configure(services: readonly ManagedService[]): void {
    const before = new Map(this.services.map((service) => [service.name, service]))
    this.services = services.map((service) => this.keep(service, before.get(service.name)))
    const names = new Set(services.map(({ name }) => name))
    for (const [name, { counts }] of before) if (!names.has(name)) counts.close()
    this.version = -1
  }

  stop(): void {
    this.cancel()
  }

  private keep(service: ManagedService, before: Kept | undefined): Kept {
    const { board, random, metrics } = this.tools
    const { passive, instances, name } = service
    const counts = before?.counts ?? new Counts(metrics, name)
    const old = new Map(Array.from(before?.known ?? [], ([{ slot }, known]) => [slot, known]))
    const known = new Map(
      instances.map((instance) => [
        instance,
        old.get(instance.slot) ?? { total: board.ejections.total(instance.slot), held: false },
      ]),
    )
    const judged = passive !== false && instances.filter(({ weight }) => weight > 0).length > 1
    const judge = judged ? new Judge(passive, instances, { board, random, holder: MAIN_THREAD }) : null
    const stalls = judge === null ? null : new Stalls(judge, instances, board, before?.stalls)
    return { ...service, counts, known, stalls }
  }

  /**
   * 1. Report instances that were ejected or returned since the last check.
   * 2. End ejections that are due.
   * 3. Look for stalled instances.
   */
  private look(): void {
    const { clock, board } = this.tools
    const now = clock.now()
    const late = now - this.lastCheck - TICK > STANDSTILL
    this.lastCheck = now
    if (board.version !== this.version || this.held > 0) {
      this.version = board.version
      this.held = 0
      for (const service of this.services) for (const instance of service.instances) this.lookAt(service, instance, now)
    }
    for (const { stalls } of this.services) {
      if (late) stalls?.forget()
      stalls?.look(now)
    }
  }

  private lookAt(service: Kept, instance: ManagedInstance, now: number): void {
    const { board } = this.tools
    const known = service.known.get(instance)
    if (known === undefined) return
    const ejection = board.ejections.of(instance.slot)
    // 1.
    const total = board.ejections.total(instance.slot)
    if (total !== known.total) {
      known.total = total
      known.held = true
      if (ejection !== null) this.reportEjected(service, instance, ejection)
    }
    if (ejection === null) {
      if (known.held) this.reportReadmitted(service, instance, 'it has replied')
      known.held = false
      return
    }
    // 2.
    const why = this.endOf(service, instance, ejection, now)
    if (why === null) {
      this.held++
      return
    }
    known.held = false
    // The first failure ejects the instance again, as the problem may persist.
    const row = service.passive === false ? 0 : service.passive.consecutive - 1
    if (board.ejections.end(instance.slot, now, row)) this.reportReadmitted(service, instance, why)
  }

  /** Why the ejection ends now; null if it does not. */
  private endOf(
    service: Kept,
    { slot }: ManagedInstance,
    { reason, since, until }: Ejection,
    now: number,
  ): string | null {
    const { board } = this.tools
    if (service.passive === false) return 'passive health is off'
    if (now >= until) return 'its time is over'
    const early = reason === 'stall' || now >= since + (until - since) / 2
    if (early && board.ejections.hasPassedSince(slot, since)) return 'a check has passed'
    const left = service.instances.some((other) => other.slot !== slot && other.weight > 0 && board.usable(other.slot))
    return left || !board.fit(slot) ? null : 'no other instance is usable'
  }

  private reportEjected({ name, counts }: Kept, { address }: ManagedInstance, ejection: Ejection): void {
    const { reason, since, until, times } = ejection
    counts.of(reason).add(1)
    const seconds = Math.round((until - since) / 1000)
    const fields = { service: name, instance: address, reason: ejectionWords(ejection), seconds, times }
    this.tools.log.warn(fields, 'instance is ejected')
    this.tools.onTransition?.(name, address, 'ejected', ejectionWords(ejection))
  }

  private reportReadmitted({ name }: Kept, { address }: ManagedInstance, why: string): void {
    this.tools.log.info({ service: name, instance: address, reason: why }, 'instance is back after an ejection')
    this.tools.onTransition?.(name, address, 'returned', why)
  }
}
