import type { Clock } from '../core/clock.ts'
import { OutageLog, type OutageTools } from '../core/outage-log.ts'
import type { Failure } from './failure.ts'

/** Delay before the first probe, in milliseconds; doubled for each following one, up to the maximum. */
const MIN_PROBE_DELAY = 100
const MAX_PROBE_DELAY = 2000

/** After this many milliseconds without an outage, the next one counts as new and is probed at the initial pace. */
const STEADY = 10_000

/** A current problem. */
export interface Trouble {
  /** What is unavailable: "all" of Redis, or a single use of it. */
  readonly use: string
  readonly cause: string
  /** Wall-clock milliseconds. */
  readonly since: number
}

/** Checks whether an outage is over: resolves with null if so, otherwise with the remaining failure. Never rejects. */
export type Probe = () => Promise<Failure | null>

/** Tracks the availability of Redis, or of one use of it, in one thread. The outages of all threads are logged as one. */
export class Outage {
  private readonly clock: Clock
  private readonly log: OutageLog
  private readonly use: string
  private failure: Failure | null = null
  private since = 0
  private ended = -STEADY
  private delay = MIN_PROBE_DELAY
  private without = 0
  private closed = false
  private probe: Probe | null = null
  private cancel: (() => void) | null = null

  constructor(use: string, tools: OutageTools) {
    this.use = use
    this.clock = tools.clock
    this.log = new OutageLog(
      {
        fields: { use },
        begins: 'Redis cannot be used: the gateway continues without it',
        ends: 'Redis can be used again; decisions counts those made without it',
        isProbed: true,
      },
      tools,
    )
  }

  get down(): boolean {
    return this.failure !== null
  }

  /** Null if there is no outage. */
  get trouble(): Trouble | null {
    const { use, failure, since } = this
    return failure === null ? null : { use, cause: failure.cause, since }
  }

  /** Counts something that was done without Redis. */
  missed(): void {
    this.without++
  }

  /** Starts an outage unless there is one already; `probe` determines when it ends. */
  begin(failure: Failure, probe: Probe): void {
    if (this.down || this.closed) return
    if (this.clock.now() - this.ended > STEADY) this.delay = MIN_PROBE_DELAY
    this.report(failure)
    this.since = this.clock.wall()
    this.without = 0
    this.probe = probe
    this.probeLater()
  }

  /** Probes immediately, because something has changed. */
  probeNow(): void {
    if (this.cancel === null) return
    this.cancel()
    void this.look()
  }

  /** Stops probing and logging. */
  close(): void {
    this.closed = true
    this.cancel?.()
    this.cancel = null
  }

  private probeLater(): void {
    this.cancel = this.clock.after(this.delay, () => void this.look())
    this.delay = Math.min(this.delay * 2, MAX_PROBE_DELAY)
  }

  private async look(): Promise<void> {
    this.cancel = null
    const failure = (await this.probe?.()) ?? null
    if (this.closed) return
    if (failure === null) return this.end()
    this.report(failure)
    this.probeLater()
  }

  private report(failure: Failure): void {
    this.failure = failure
    this.log.failed(failure.error, { cause: failure.cause })
  }

  private end(): void {
    this.failure = null
    this.ended = this.clock.now()
    this.log.worked(this.without)
  }
}
