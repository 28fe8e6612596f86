import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Failure } from './failure.ts'

/** Until the first look whether it is over, in milliseconds; twice as long until each next one, up to the last. */
const PROBE_FIRST = 100
const PROBE_LAST = 2000

/** After so many milliseconds without one the next outage is a new one, and looked after as often. */
const STEADY = 10_000

/** What is wrong at the moment. */
export interface Trouble {
  /** What is not to be had: "all" of Redis, or what one use asks of it. */
  readonly use: string
  readonly cause: string
  /** Wall-clock milliseconds. */
  readonly since: number
}

/** Asks whether an outage is over: null when it is, else what still fails. Never rejects. */
export type Probe = () => Promise<Failure | null>

/** Whether Redis can be used, or one use of it. It is logged when an outage begins and when it ends, with the cause. */
export class Outage {
  private readonly clock: Clock
  private readonly log: Logger
  private readonly use: string
  private failure: Failure | null = null
  private since = 0
  private ended = -STEADY
  private delay = PROBE_FIRST
  private without = 0
  private closed = false
  private probe: Probe | null = null
  private cancel: (() => void) | null = null

  constructor(clock: Clock, log: Logger, use: string) {
    this.clock = clock
    this.log = log
    this.use = use
  }

  get down(): boolean {
    return this.failure !== null
  }

  /** Null for nothing. */
  get trouble(): Trouble | null {
    const { use, failure, since } = this
    return failure === null ? null : { use, cause: failure.cause, since }
  }

  /** Counts something that is done without Redis. */
  missed(): void {
    this.without++
  }

  /** Unless there is one already; `probe` ends it. */
  begin(failure: Failure, probe: Probe): void {
    if (this.down || this.closed) return
    const { use } = this
    if (this.clock.now() - this.ended > STEADY) this.delay = PROBE_FIRST
    this.failure = failure
    this.since = this.clock.wall()
    this.without = 0
    this.probe = probe
    const { cause, error } = failure
    this.log.warn({ use, cause, error }, 'Redis cannot be used: the gateway goes on without it')
    this.probeLater()
  }

  /** Looks at once whether it is over: something has changed. */
  probeNow(): void {
    if (this.cancel === null) return
    this.cancel()
    void this.look()
  }

  /** Nothing is asked or logged any more. */
  close(): void {
    this.closed = true
    this.cancel?.()
    this.cancel = null
  }

  private probeLater(): void {
    this.cancel = this.clock.after(this.delay, () => void this.look())
    this.delay = Math.min(this.delay * 2, PROBE_LAST)
  }

  private async look(): Promise<void> {
    this.cancel = null
    const failure = (await this.probe?.()) ?? null
    if (this.closed) return
    if (failure === null) return this.end()
    this.failure = failure
    this.probeLater()
  }

  private end(): void {
    const { use, without: decisions } = this
    const cause = this.failure?.cause
    this.failure = null
    this.ended = this.clock.now()
    const fields = { use, cause, decisions }
    this.log.info(fields, 'Redis can be used again; so many decisions were made without it')
  }
}
