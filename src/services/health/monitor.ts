import { isDeepStrictEqual } from 'node:util'
import type { Toolbox } from '../../core/toolbox.ts'
import { type OutgoingEncryption, OutgoingTls, type OutgoingTlsOptions } from '../../tls/outgoing.ts'
import type { Instance } from '../instance.ts'
import type { ProxyVersion } from '../../proxy-protocol/written-header.ts'
import type { HealthBoard, HealthState } from './board.ts'
import type { Ejection } from './ejections.ts'
import type { TransitionListener } from './history.ts'
import type { Probe, ProbeOutcome } from './probe.ts'
import type { RecoveryPace } from './recovery-pace.ts'

/** Health check options of a service. Durations in milliseconds. */
export interface HealthOptions {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Request body, "" for none. */
  readonly body: string
  /** From the end of one check to the start of the next, plus or minus a tenth; at most a second for an unhealthy instance. */
  readonly interval: number
  /** Timeout of the whole check, from connecting to the end of the body. */
  readonly timeout: number
  /** Number of consecutive failures that make a healthy instance unhealthy. */
  readonly unhealthyAfter: number
  /** Number of consecutive successes that make an unhealthy instance healthy. */
  readonly healthyAfter: number
  /** Status codes that count as success. */
  readonly status: readonly number[]
  /** If set, grpc.health.v1 is called instead, for this service; "" for the instance as a whole. */
  readonly grpc?: string | undefined
}

/** Health report of an instance, with reasons. */
export interface InstanceReport {
  readonly address: string
  readonly state: HealthState
  /** Whether an operator has drained it. */
  readonly drained: boolean
  /** Why and until when the instance is ejected; null if it is not. */
  readonly ejection: Ejection | null
  /** Number of consecutive failed checks, including the last one. */
  readonly failures: number
  /** Result of the last check, or null before the first one. */
  readonly reason: string | null
  /** When the current state began: milliseconds since 1970-01-01T00:00:00Z. */
  readonly since: number
  /** When the last check ended, in the same unit, or null before the first one. */
  readonly checkedAt: number | null
  /** Duration of the last check, in milliseconds, or null before the first one. */
  readonly duration: number | null
}

/** Dependencies of every monitor. */
export interface MonitorContext extends Toolbox {
  readonly board: HealthBoard
  readonly probe: Probe
  readonly pace: RecoveryPace
  /** Called whenever the state of an instance changes. */
  readonly onTransition?: TransitionListener
}

/** The instance that a monitor checks. */
export interface MonitorTarget extends Pick<Instance, 'address' | 'host' | 'port' | 'slot'> {
  readonly service: string
}

/** How one instance is checked and connected to, and the Host header it expects. */
export interface MonitorOptions extends HealthOptions {
  readonly authority: string
  /** Null for an unencrypted connection. */
  readonly tls: OutgoingTlsOptions | null
  readonly proxyProtocol: ProxyVersion | 'off'
  readonly http2: boolean
}

/** Checks one instance, one check at a time, and keeps its slot on the board up to date. */
export class InstanceMonitor {
  readonly target: MonitorTarget
  private readonly context: MonitorContext
  private options: MonitorOptions | false
  private encryption: OutgoingEncryption | null
  private readonly firstCheck = Promise.withResolvers<void>()
  private running = false
  /** Cancels the check that is in progress or scheduled; null if there is none. */
  private callOff: (() => void) | null = null
  /** When the last check ended, on the monotonic clock, while the next one has not started; otherwise null. */
  private paused: number | null = null
  /** Whether the next result decides immediately, because the request was changed and there is no result yet. */
  private fresh = true
  /** Number of consecutive results that contradict the state on the board. */
  private streak = 0
  private failures = 0
  private since: number
  private last: Pick<InstanceReport, 'reason' | 'checkedAt' | 'duration'> = NEVER_CHECKED

  constructor(target: MonitorTarget, options: MonitorOptions | false, context: MonitorContext) {
    this.target = target
    this.options = options
    this.context = context
    this.encryption = this.encrypt()
    this.since = context.clock.wall()
    if (options === false) this.trust()
  }

  /** Resolves after the first check; immediately if checks are off or stopped. */
  get checked(): Promise<void> {
    return this.firstCheck.promise
  }

  start(): void {
    if (this.running) return
    this.running = true
    this.check()
  }

  /** Stops checking for good; the board keeps its state. */
  stop(): void {
    this.running = false
    this.cancel()
    this.firstCheck.resolve()
  }

  /** Applies new options. The current state is kept; if the request has changed, only until the first result, which decides immediately. */
  configure(options: MonitorOptions | false): void {
    if (this.goesBy(options)) return
    const before = this.options
    this.options = options
    if (before !== false && options !== false && askTheSame(before, options)) return this.reschedule(options)
    this.cancel()
    this.encryption = this.encrypt()
    this.fresh = true
    this.streak = 0
    if (options === false) this.trust()
    if (this.running) this.check()
  }

  /** Whether these options are already in use. */
  goesBy(options: MonitorOptions | false): boolean {
    return isDeepStrictEqual(options, this.options)
  }

  /** Applies new TLS options from the next check on; nothing else changes. */
  exchangeTls(tls: OutgoingTlsOptions): void {
    const { options } = this
    if (options === false || options.tls === null) return
    this.options = { ...options, tls }
    this.encryption = this.encrypt()
  }

  report(): InstanceReport {
    const { address, slot } = this.target
    const { board } = this.context
    const { failures, since, last } = this
    const known = { state: board.state(slot), drained: board.drained(slot), ejection: board.ejections.of(slot) }
    return { address, ...known, failures, since, ...last }
  }

  private encrypt(): OutgoingEncryption | null {
    const { options, target, context } = this
    if (options === false || options.tls === null) return null
    return new OutgoingTls(options.tls, context.clock).to(target.host, options.http2 ? 'h2' : 'http/1.1')
  }

  private trust(): void {
    this.last = { ...NEVER_CHECKED, reason: 'checks are off' }
    this.failures = 0
    this.become('healthy')
    this.firstCheck.resolve()
  }

  private cancel(): void {
    this.callOff?.()
    this.callOff = this.paused = null
  }

  /** A check in progress continues unchanged; the next one follows after the new interval. */
  private reschedule(options: MonitorOptions): void {
    const { paused } = this
    if (paused === null) return
    this.cancel()
    this.pause(paused, options)
  }

  /** Schedules the next check an interval after `since`, or earlier if the instance is unhealthy. */
  private pause(since: number, { interval }: MonitorOptions): void {
    const { clock, random, board, pace } = this.context
    const spread = 0.9 + 0.2 * random()
    const isUnhealthy = board.state(this.target.slot) === 'unhealthy'
    const due = isUnhealthy ? pace.next(since, interval, spread) : since + interval * spread
    this.paused = since
    this.callOff = clock.after(Math.max(due - clock.now(), 0), () => this.check())
  }

  private check(): void {
    const { options, target } = this
    const { clock, probe } = this.context
    this.paused = null
    if (options === false) return
    const start = clock.now()
    const conclude = (outcome: ProbeOutcome): void => {
      cancelTimeout()
      // Uses the latest options: only those that do not affect the request can have changed during the check.
      const current = this.options === false ? options : this.options
      const end = clock.now()
      this.record(outcome, end - start, current)
      this.pause(end, current)
    }
    const cancelTimeout = clock.after(options.timeout, () => {
      cancelProbe()
      conclude(new Error(`no complete answer within ${options.timeout} ms`))
    })
    const cancelProbe = probe(
      { ...options, host: target.host, port: target.port, encryption: this.encryption },
      conclude,
    )
    this.callOff = () => {
      cancelTimeout()
      cancelProbe()
    }
  }

  private record(outcome: ProbeOutcome, duration: number, options: MonitorOptions): void {
    const success = outcome === 'SERVING' || (typeof outcome === 'number' && options.status.includes(outcome))
    this.last = { reason: describe(outcome, success), checkedAt: this.context.clock.wall(), duration }
    this.failures = success ? 0 : this.failures + 1
    if (success) this.context.board.ejections.checkPassed(this.target.slot, this.context.clock.now() - duration)
    const seen = success ? 'healthy' : 'unhealthy'
    const threshold = this.fresh ? 1 : success ? options.healthyAfter : options.unhealthyAfter
    this.fresh = false
    this.streak = seen === this.context.board.state(this.target.slot) ? 0 : this.streak + 1
    if (this.streak >= threshold) this.become(seen)
    this.firstCheck.resolve()
  }

  private become(state: HealthState): void {
    const { board, clock, log, onTransition } = this.context
    const { service, address, slot } = this.target
    if (board.state(slot) === state) return
    board.set(slot, state)
    this.streak = 0
    this.since = clock.wall()
    const fields = { service, instance: address, reason: this.last.reason }
    if (state === 'healthy' || state === 'unhealthy') onTransition?.(service, address, state, this.last.reason)
    if (state === 'unhealthy') log.warn(fields, 'instance is unhealthy')
    else log.info(fields, 'instance is healthy')
  }
}

/** Neutral values for the options that affect scheduling and thresholds only. */
const ANY_TIME = { interval: 0, timeout: 0, unhealthyAfter: 0, healthyAfter: 0 }

/** Whether both send the same request and accept the same replies. */
function askTheSame(one: MonitorOptions, other: MonitorOptions): boolean {
  return isDeepStrictEqual({ ...one, ...ANY_TIME }, { ...other, ...ANY_TIME })
}

const NEVER_CHECKED = { reason: null, checkedAt: null, duration: null } as const

function describe(outcome: ProbeOutcome, success: boolean): string {
  if (outcome === 'SERVING') return outcome
  if (typeof outcome === 'number') return success ? `status ${outcome}` : `unexpected status ${outcome}`
  // A name with several addresses fails with one error per address and no message of its own.
  if (outcome instanceof AggregateError) return outcome.errors.map((error: Error) => error.message).join(', ')
  return outcome.message
}
