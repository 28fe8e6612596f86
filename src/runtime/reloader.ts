import { ConfigError, formatProblem } from '../config/problems.ts'
import { refusalOf } from '../config/refusal.ts'
import { restartOnly } from '../config/restart-only.ts'
import { logWarnings } from '../config/log-warnings.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { InstanceChange } from '../front/next-generation.ts'
import type { PreparedFleet, Fleet } from './fleet.ts'
import { originOf } from './origin.ts'
import type { ProcessPrepared, ProcessScope } from './process-scope.ts'
import {
  type Applied,
  type Candidate,
  type Earlier,
  earlierAfter,
  type Outcome,
  type PastReload,
  type Reload,
  type Reloads,
} from './reloads.ts'

export interface ReloaderOptions {
  readonly first: Candidate
  /** Resolves when the process has started; no reload runs before that. */
  readonly begun: Promise<void>
  /** Why a newer configuration was rejected, in whose place the initial one is used; null if none was. */
  readonly refused: ConfigError | null
  readonly scope: ProcessScope
  readonly fleet: Fleet
  /** Called with the addresses on which the gateway listens from now on. */
  readonly listening: (addresses: readonly Address[]) => void
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

const STOPPING = 'the gateway is stopping'
const NONE: InstanceChange['services'] = new Map()

/** What has been prepared. */
interface Ready {
  readonly process: ProcessPrepared
  readonly fleet: PreparedFleet
}

/**
 * Replaces the configuration of a running process: completely and in all threads, or not at all. Reloads run one at a time, in the order in
 * which they were requested.
 */
export class Reloader implements Reloads {
  private readonly options: Omit<ReloaderOptions, 'first' | 'begun' | 'refused'>
  private current: Applied
  /** Resolves when the most recently requested reload is complete. Never rejects. */
  private last: Promise<unknown>
  private past: PastReload | null = null
  private texts: readonly Earlier[] = []
  private successful: boolean
  private duration = 0
  private closed = false
  /** Instances that are in effect in the main thread, but not in all other threads. */
  private unfinished = NONE
  private exchangeProblem: string | null = null
  /** Interrupts the wait of the reload in progress. */
  private interrupt = (): void => {}
  /** Number of requested reloads that are not complete. */
  private underWay = 0

  constructor(options: ReloaderOptions) {
    const { first, begun, refused, ...lasting } = options
    const { scope, clock, metrics } = lasting
    this.options = lasting
    this.last = begun
    this.successful = refused === null
    scope.board.outdated = refused !== null
    if (refused !== null) this.past = { outcome: 'refused', at: clock.wall(), problems: refused.problems }
    this.current = { ...first, generation: 1, since: clock.wall(), origin: originOf('started'), rewritten: null }
    for (const outcome of ['applied', 'refused', 'unchanged', 'rolled_back'])
      metrics.counter('sallyport_config_reloads_total', { outcome })
    metrics.watch('sallyport_config_last_reload_successful', {}, () => (this.successful ? 1 : 0))
    metrics.watch('sallyport_config_loaded_timestamp_seconds', {}, () => this.current.since / 1000)
    metrics.watch('sallyport_config_reload_seconds', {}, () => this.duration / 1000)
    metrics.watchAll('sallyport_config_info', () => [{ labels: { revision: this.current.revision }, value: 1 }])
  }

  get applied(): Applied {
    return this.current
  }

  get earlier(): readonly Earlier[] {
    return this.texts
  }

  get lastReload(): PastReload | null {
    return this.past
  }

  get lastSuccessful(): boolean {
    return this.successful
  }

  get instancesProblem(): string | null {
    return this.exchangeProblem
  }

  /** Applies the result of `read` after all previously requested reloads. Never rejects. */
  reload(read: () => Promise<Candidate>, how: Reload = {}): Promise<Outcome> {
    this.underWay += 1
    const outcome = this.last
      .then(async () => this.supersededOf(how) ?? this.remember(await this.run(read, how), how))
      .finally(() => (this.underWay -= 1))
    this.last = outcome
    return outcome
  }

  /**
   * Puts the discovered instances into effect when its turn comes. Resolves with false if they are not available yet or not in effect in
   * all threads; it must be called again then. Never rejects.
   */
  exchangeInstances(): Promise<boolean> {
    const { generation } = this.current
    this.underWay += 1
    const over = this.last
      .then(() => this.exchange())
      .catch((error: unknown) => {
        this.exchangeProblem = error instanceof Error ? error.message : String(error)
        if (!this.closed) this.options.log.error({ generation, error }, 'Discovered instances cannot be used')
        return false
      })
      .finally(() => (this.underWay -= 1))
    this.last = over
    return over
  }

  /** Accepts no further configurations. Resolves when nothing is in progress; returns null if nothing is now. */
  close(): Promise<unknown> | null {
    this.closed = true
    this.interrupt()
    return this.underWay === 0 ? null : this.last
  }

  /** The outcome if what it was to replace is no longer running. */
  private supersededOf({ instead = this.current }: Reload): Outcome | null {
    return instead === this.current ? null : { outcome: 'unchanged', applied: this.current }
  }

  private async run(read: () => Promise<Candidate>, how: Reload): Promise<Outcome> {
    const { clock } = this.options
    const begun = clock.now()
    let candidate: Candidate
    let ready: Ready
    try {
      this.checkOpen()
      candidate = await this.unlessStopping(read(), () => {})
      if (candidate.revision === this.current.revision) return this.unchanged(candidate, how)
      this.judge(candidate, how.force === true)
      ready = await this.prepare(candidate)
    } catch (error) {
      return this.refused(error)
    }
    return this.commit(candidate, ready, begun, how)
  }

  private async exchange(): Promise<boolean> {
    const { scope, fleet, clock, log } = this.options
    this.checkOpen()
    const begun = clock.now()
    const prepared = await scope.prepareInstances()
    await this.orStopping(prepared?.warm(scope.config.reload.warm) ?? Promise.resolve())
    if (this.closed) {
      prepared?.abandon()
      return false
    }
    prepared?.commit()
    // Includes those that a thread could not switch to before: in the main thread they are already in effect.
    this.unfinished = new Map([...this.unfinished, ...(prepared?.services ?? NONE)])
    const services = [...this.unfinished.keys()]
    if (services.length > 0) await fleet.exchange({ number: this.current.generation, services: this.unfinished })
    this.exchanged()
    if (services.length === 0) return true
    log.info({ services, took_ms: Math.round(clock.now() - begun) }, 'Discovered instances are in use')
    return true
  }

  /** The most recently discovered instances are in effect in all threads. */
  private exchanged(): void {
    this.unfinished = NONE
    this.exchangeProblem = null
  }

  /** Throws RefusedError if the configuration must not replace the running one, even though it is valid. */
  private judge(candidate: Candidate, force: boolean): void {
    const restarts = restartOnly(this.current.config, candidate.config)
    const problems = restarts.map((path) => ({
      path,
      message: 'has changed, and that needs a restart: restart the gateway, or change it back',
    }))
    const doubt = force ? null : refusalOf(this.current, candidate)
    if (doubt !== null)
      problems.push({ path: '', message: `${doubt}; to apply it anyway, reload with --force (by HTTP: ?force=true)` })
    if (problems.length > 0) throw new ConfigError(problems)
  }

  private async prepare({ config, modules }: Candidate): Promise<Ready> {
    const { scope, fleet } = this.options
    this.checkOpen()
    const process = await scope.prepare(config)
    try {
      this.checkOpen()
      const { slots, discovered } = process
      const preparing = fleet.prepare({ number: this.current.generation + 1, config, modules, slots, discovered })
      const prepared = await this.unlessStopping(preparing, ({ abandon }) => abandon())
      await this.orStopping(process.warm(config.reload.warm))
      if (!this.closed) return { process, fleet: prepared }
      prepared.abandon()
      throw new Error(STOPPING)
    } catch (error) {
      process.abandon()
      throw error
    }
  }

  private async commit(
    candidate: Candidate,
    { process, fleet }: Ready,
    begun: number,
    { back, origin = originOf('reloaded'), rewritten = null }: Reload,
  ): Promise<Outcome> {
    const { clock, log, listening } = this.options
    this.texts = back ?? earlierAfter(this.texts, this.current, candidate.text)
    this.current = { ...candidate, generation: this.current.generation + 1, since: clock.wall(), origin, rewritten }
    process.commit()
    await fleet.commit()
    this.exchanged()
    this.duration = clock.now() - begun
    this.count(back === undefined ? 'applied' : 'rolled_back')
    this.succeed()
    listening(fleet.addresses)
    logWarnings(candidate.warnings, log)
    const { generation, revision, config } = this.current
    const fields = { generation, revision, routes: config.routes.length, services: Object.keys(config.services).length }
    log.info({ ...fields, took_ms: Math.round(this.duration) }, 'Configuration applied')
    return { outcome: 'applied', applied: this.current }
  }

  private unchanged({ text }: Candidate, how: Reload): Outcome {
    const { back = this.texts, own = false, origin = originOf('reloaded') } = how
    const { rewritten: before, text: textBefore } = this.current
    this.texts = back
    const rewritten = text === textBefore ? before : { at: this.options.clock.wall(), origin }
    this.current = { ...this.current, text, rewritten: how.rewritten === undefined ? rewritten : how.rewritten }
    this.succeed()
    if (own) return { outcome: 'unchanged', applied: this.current }
    this.count('unchanged')
    this.options.log.info({ revision: this.current.revision }, 'Configuration unchanged')
    return { outcome: 'unchanged', applied: this.current }
  }

  private refused(thrown: unknown): Outcome {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const problems = error instanceof ConfigError ? error.problems : [{ path: '', message: error.message }]
    this.count('refused')
    this.successful = false
    const { generation, revision } = this.current
    this.options.log.error(
      { generation, revision, problems: problems.map(formatProblem) },
      'Configuration refused: the running one is kept',
    )
    return { outcome: 'refused', applied: this.current, problems, error }
  }

  private remember(outcome: Outcome, { back, own = false }: Reload): Outcome {
    if (own && outcome.outcome === 'unchanged') return outcome
    const problems = outcome.outcome === 'refused' ? outcome.problems : []
    const name = back !== undefined && outcome.outcome === 'applied' ? 'rolled_back' : outcome.outcome
    this.past = { outcome: name, at: this.options.clock.wall(), problems }
    return outcome
  }

  private succeed(): void {
    this.successful = true
    this.options.scope.board.outdated = false
  }

  /** Resolves with the result of `making`. Rejects as soon as the gateway is stopping; a later result is passed to `giveUp`. */
  private async unlessStopping<Thing>(making: Promise<Thing>, giveUp: (thing: Thing) => void): Promise<Thing> {
    await this.orStopping(making)
    if (!this.closed) return making
    making.then(giveUp, () => {})
    throw new Error(STOPPING)
  }

  /** Resolves when `making` settles, or as soon as the gateway is stopping. */
  private async orStopping(making: Promise<unknown>): Promise<void> {
    // A new promise for each wait: a single long-lived promise would retain the reactions of all previous waits.
    const stopping = Promise.withResolvers<void>()
    this.interrupt = stopping.resolve
    if (this.closed) stopping.resolve()
    await Promise.race([making, stopping.promise])
  }

  private checkOpen(): void {
    if (this.closed) throw new Error(STOPPING)
  }

  private count(outcome: PastReload['outcome']): void {
    this.options.metrics.counter('sallyport_config_reloads_total', { outcome }).add(1)
  }
}
