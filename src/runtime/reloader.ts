import type { OwnCode } from '../config/plan/side.ts'
import type { LoadedCode } from '../config/loaded-code.ts'
import { ConfigError, formatProblem, type Problem } from '../config/problems.ts'
import { type Judged, refusalOf } from '../config/refusal.ts'
import { restartOnly } from '../config/restart-only.ts'
import { logWarnings } from '../config/log-warnings.ts'
import type { Warning } from '../config/warnings.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { InstanceChange } from '../front/next-generation.ts'
import type { PreparedFleet, Fleet } from './fleet.ts'
import type { ProcessPrepared, ProcessScope } from './process-scope.ts'

/** A configuration that is as it should be, to take the place of the running one. */
export interface Candidate extends Judged {
  /** Policies of the user's own in it, as they were when it was read. */
  readonly code: readonly OwnCode[]
  /** What those were loaded from, for threads that are to load the same. */
  readonly modules: LoadedCode
  /** Tells apart everything that it consists of: two configurations with the same one are the same. */
  readonly revision: string
  /** What is odd in it, and no obstacle. */
  readonly warnings: readonly Warning[]
}

/** A configuration that is running. */
export interface Applied extends Candidate {
  /** Number of the configuration within this process, starting at 1. */
  readonly generation: number
  /** Since when, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly since: number
}

/** What became of a reload. */
export type Outcome =
  | { readonly outcome: 'applied' | 'unchanged'; readonly applied: Applied }
  /** The running one stays. */
  | {
      readonly outcome: 'refused'
      readonly applied: Applied
      readonly problems: readonly Problem[]
      /** All of them in one. */
      readonly error: Error
    }

/** How a configuration takes the place of another. */
export interface Reload {
  /** Even if the file looks incomplete. Default false. */
  readonly force?: boolean
  /** It goes back to one that was applied before. Default false. */
  readonly back?: boolean
}

/** A text that was applied before. */
export interface Earlier {
  readonly text: string
  readonly revision: string
  readonly generation: number
  readonly since: number
}

/** A reload that is over. */
export interface PastReload {
  readonly outcome: Outcome['outcome'] | 'rolled_back'
  /** When it was over, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
  /** Why it was refused; none where it was not. */
  readonly problems: readonly Problem[]
}

/** What is known of the configurations of a process. */
export interface Reloads {
  /** The running configuration. */
  readonly applied: Applied
  /** What was applied before and can be gone back to, the latest first. */
  readonly earlier: readonly Earlier[]
  /** The last reload that is over, or the start where that could not go by the file; null before there was one. */
  readonly lastReload: PastReload | null
  /** Whether the last one left the gateway with what was read. */
  readonly lastSuccessful: boolean
  /** Why requests do not go to the instances that were found last; null where they do. */
  readonly instancesProblem: string | null
}

export interface ReloaderOptions {
  readonly first: Candidate
  /** Resolves when the process has begun, which no reload comes before. */
  readonly begun: Promise<void>
  /** Why a newer one was refused, which it stands in for; null where it does not. */
  readonly refused: ConfigError | null
  readonly scope: ProcessScope
  readonly fleet: Fleet
  /** Told where the gateway listens from now on. */
  readonly listening: (addresses: readonly Address[]) => void
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** Texts that can be gone back to. */
const EARLIER = 5

const STOPPING = 'the gateway is stopping'
const NONE: InstanceChange['services'] = new Map()

/** What has been made ready. */
interface Ready {
  readonly process: ProcessPrepared
  readonly fleet: PreparedFleet
}

/**
 * Exchanges the configuration of a process while it runs: all of it in all threads, or nothing. One at a time, in the order
 * in which they are asked for.
 */
export class Reloader implements Reloads {
  private readonly options: Omit<ReloaderOptions, 'first' | 'begun' | 'refused'>
  private current: Applied
  /** Resolves when the last reload that was asked for is over. Never rejects. */
  private last: Promise<unknown>
  private past: PastReload | null = null
  private texts: readonly Earlier[] = []
  private successful: boolean
  private duration = 0
  private closed = false
  /** Instances by which the main thread goes, and not all others do. */
  private unfinished = NONE
  private exchangeProblem: string | null = null
  /** Ends the wait of the reload that is under way. */
  private interrupt = (): void => {}
  /** Reloads that were asked for and are not over. */
  private underWay = 0

  constructor(options: ReloaderOptions) {
    const { first, begun, refused, ...lasting } = options
    const { scope, clock, metrics } = lasting
    this.options = lasting
    this.last = begun
    this.successful = refused === null
    scope.board.outdated = refused !== null
    if (refused !== null) this.past = { outcome: 'refused', at: clock.wall(), problems: refused.problems }
    this.current = { ...first, generation: 1, since: clock.wall() }
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

  /**
   * Applies what `read` resolves with, once those are over that were asked for before. Never rejects.
   */
  reload(read: () => Promise<Candidate>, how: Reload = {}): Promise<Outcome> {
    this.underWay += 1
    const outcome = this.last
      .then(async () => this.remember(await this.run(read, how), how))
      .finally(() => (this.underWay -= 1))
    this.last = outcome
    return outcome
  }

  /**
   * Has the instances that were found take the place of those before, in its turn. Resolves with false where they cannot be had
   * yet, or not all threads go by them: it is to be called again then. Never rejects.
   */
  exchangeInstances(): Promise<boolean> {
    const { generation } = this.current
    this.underWay += 1
    const over = this.last
      .then(() => this.exchange())
      .catch((error: unknown) => {
        this.exchangeProblem = error instanceof Error ? error.message : String(error)
        if (!this.closed) this.options.log.error({ generation, error }, 'Instances that were found cannot be used')
        return false
      })
      .finally(() => (this.underWay -= 1))
    this.last = over
    return over
  }

  /** No other configuration is applied any more. Resolves when nothing is under way; null where nothing is now. */
  close(): Promise<unknown> | null {
    this.closed = true
    this.interrupt()
    return this.underWay === 0 ? null : this.last
  }

  private async run(read: () => Promise<Candidate>, how: Reload): Promise<Outcome> {
    const { clock } = this.options
    const begun = clock.now()
    let candidate: Candidate
    let ready: Ready
    try {
      this.checkOpen()
      candidate = await this.unlessStopping(read(), () => {})
      if (candidate.revision === this.current.revision) return this.unchanged(candidate)
      this.judge(candidate, how.force === true)
      ready = await this.prepare(candidate)
    } catch (error) {
      return this.refused(error)
    }
    return this.commit(candidate, ready, begun, how.back === true)
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
    // With those that a thread could not take before: here they are in force already.
    this.unfinished = new Map([...this.unfinished, ...(prepared?.services ?? NONE)])
    const services = [...this.unfinished.keys()]
    if (services.length > 0) await fleet.exchange({ number: this.current.generation, services: this.unfinished })
    this.exchanged()
    if (services.length === 0) return true
    log.info({ services, took_ms: Math.round(clock.now() - begun) }, 'Instances were exchanged')
    return true
  }

  /** All threads go by the instances that were found last. */
  private exchanged(): void {
    this.unfinished = NONE
    this.exchangeProblem = null
  }

  /** Throws RefusedError where it must not take the place of the running one, however good it is. */
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
    back: boolean,
  ): Promise<Outcome> {
    const { clock, log, listening } = this.options
    this.texts = textsAfter(this.texts, this.current, back ? candidate.text : null)
    this.current = { ...candidate, generation: this.current.generation + 1, since: clock.wall() }
    process.commit()
    await fleet.commit()
    this.exchanged()
    this.duration = clock.now() - begun
    this.count(back ? 'rolled_back' : 'applied')
    this.succeed()
    listening(fleet.addresses)
    logWarnings(candidate.warnings, log)
    const { generation, revision, config } = this.current
    const fields = { generation, revision, routes: config.routes.length, services: Object.keys(config.services).length }
    log.info({ ...fields, took_ms: Math.round(this.duration) }, 'Configuration applied')
    return { outcome: 'applied', applied: this.current }
  }

  private unchanged({ text }: Candidate): Outcome {
    // Comments, for one, are different.
    this.current = { ...this.current, text }
    this.count('unchanged')
    this.succeed()
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

  private remember(outcome: Outcome, { back = false }: Reload): Outcome {
    const problems = outcome.outcome === 'refused' ? outcome.problems : []
    const name = back && outcome.outcome === 'applied' ? 'rolled_back' : outcome.outcome
    this.past = { outcome: name, at: this.options.clock.wall(), problems }
    return outcome
  }

  private succeed(): void {
    this.successful = true
    this.options.scope.board.outdated = false
  }

  /** What `making` comes to. Rejects as soon as the gateway is stopping; what comes of it after that is given up. */
  private async unlessStopping<Thing>(making: Promise<Thing>, giveUp: (thing: Thing) => void): Promise<Thing> {
    await this.orStopping(making)
    if (!this.closed) return making
    making.then(giveUp, () => {})
    throw new Error(STOPPING)
  }

  /** Resolves when that has come to something, or as soon as the gateway is stopping. */
  private async orStopping(making: Promise<unknown>): Promise<void> {
    // One for each wait: a promise for all of them would remember everybody who has ever waited.
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

/** What can be gone back to from now on: also what was running until now, or what there was before the text that is back. */
function textsAfter(texts: readonly Earlier[], left: Applied, back: string | null): readonly Earlier[] {
  if (back !== null) return texts.slice(texts.findIndex(({ text }) => text === back) + 1)
  const { text, revision, generation, since } = left
  return text === null ? texts : [{ text, revision, generation, since }, ...texts].slice(0, EARLIER)
}
