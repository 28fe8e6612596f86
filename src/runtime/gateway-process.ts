import type { ConfigError } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import { type Clock, pause } from '../core/clock.ts'
import type { TopicHandlers } from '../core/threads.ts'
import type { Readiness } from '../front/built-in-routes.ts'
import type { Policy } from '../policies/policy.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import type { ConfigurationSource } from './configuration-source.ts'
import type { Fleet } from './fleet.ts'
import { ProcessScope } from './process-scope.ts'
import { InstanceChanges } from './instance-changes.ts'
import { Reloader } from './reloader.ts'
import type { Candidate, Outcome, Reload, Reloads } from './reloads.ts'

/**
 * How long connected clients may send another request while new connections go to another process, in milliseconds; a request sent while
 * its connection is being closed would be lost.
 */
const TIMEOUT = 5_000

/** The information and actions available to operators. */
export type OperatorSources = ProcessScope['operated'] & {
  /** Every policy available to a configuration, in chain order. */
  readonly policies: (config: GatewayConfig) => Promise<readonly Policy[]>
  readonly readiness: () => Readiness
  /** Addresses on which requests are accepted. */
  readonly addresses: () => readonly Address[]
  readonly reloads: Reloads
  /** Null if the gateway is embedded in a program that provides the configuration. */
  readonly source: ConfigurationSource | null
}

/** The admin API server. */
export interface Operators {
  readonly address: Address
  close(): Promise<void>
}

export interface GatewayProcessOptions {
  /** The initial configuration. */
  readonly first: Candidate
  /** Why a newer configuration was rejected, in whose place the initial one is used; none by default. */
  readonly refused?: ConfigError | null
  readonly output: LogOutput
  readonly clock: Clock
  readonly random: () => number
  /** The handlers of the main thread. */
  readonly answers: TopicHandlers
  readonly fleet: Fleet
  /** Null if the gateway is embedded in a program that provides the configuration. */
  readonly source: ConfigurationSource | null
  /** Every policy available to the configuration, in chain order; only needed if operators ask for it. */
  readonly policies: (config: GatewayConfig) => Promise<readonly Policy[]>
  /** Starts the admin API. Rejects with an Error that says what to do. */
  readonly startOperators: (
    options: Exclude<GatewayConfig['admin'], false>,
    sources: OperatorSources,
  ) => Promise<Operators>
}

/** A gateway from start to end, with whatever threads handle its requests. */
export class GatewayProcess {
  readonly scope: ProcessScope
  /** Resolves when every instance has been checked once and GET /health/ready reports readiness. Pending until the start. */
  readonly ready: Promise<void>
  /** All options except the initial configuration, which may be replaced and should not be kept in memory. */
  private readonly options: Omit<GatewayProcessOptions, 'first'>
  private readonly reloader: Reloader
  private readonly changes: InstanceChanges
  private readonly becomeReady: () => void
  private readonly begin: () => void
  private state: Readiness = 'starting'
  private listening: readonly Address[]
  private operators: Operators | null = null

  constructor(options: GatewayProcessOptions) {
    const { first, refused = null, ...lasting } = options
    const { output, clock, random, answers, fleet } = lasting
    const { config } = first
    this.options = lasting
    const ready = Promise.withResolvers<void>()
    this.ready = ready.promise
    this.becomeReady = ready.resolve
    this.listening = config.listeners.map(({ address }) => address)
    this.scope = new ProcessScope({
      config,
      output,
      clock,
      random,
      answers,
      threads: fleet,
      size: fleet.size,
      workers: () => fleet.running,
      running: () => ({ readiness: this.state, applied: this.reloader.applied }),
    })
    const begun = Promise.withResolvers<void>()
    this.begin = begun.resolve
    this.reloader = new Reloader({
      first,
      begun: begun.promise,
      refused,
      scope: this.scope,
      fleet,
      listening: (addresses) => (this.listening = addresses),
      clock,
      log: output.log,
      metrics: this.scope.hub.metrics,
    })
    this.changes = new InstanceChanges({ clock, exchange: () => this.reloader.exchangeInstances() })
  }

  /** The addresses it listens on: the configured listeners with their actual ports. */
  get addresses(): readonly Address[] {
    return this.listening
  }

  /** Status of its configurations. */
  get reloads(): Reloads {
    return this.reloader
  }

  /** The address of the admin API, or null if the configuration has no admin listener. */
  get adminAddress(): Address | null {
    return this.operators?.address ?? null
  }

  /**
   * Starts the admin API and the handling of requests; resolves when it listens. If another process may accept on the same sockets, it does
   * so only once it is ready. If it rejects, nothing is left running.
   */
  async start(): Promise<void> {
    const { scope } = this
    const { fleet } = this.options
    let checked: Promise<void> | null = null
    try {
      // Before operators can ask for anything, which would otherwise only happen here.
      scope.joinReplicas()
      this.operators = await this.answerOperators()
      scope.watchInstances(() => this.changes.note())
      await scope.discover()
      if (fleet.onInheritedSockets) {
        await (checked = scope.start())
        fleet.becomeReady()
      }
      this.listening = await fleet.start(scope)
    } catch (error) {
      await this.operators?.close()
      await scope.stop()
      throw error
    }
    checked ??= scope.start()
    this.begin()
    void checked.then(() => {
      if (this.state === 'starting') this.state = 'ready'
      fleet.becomeReady()
      this.becomeReady()
    })
  }

  /** Replaces the running configuration with the result of `read`. Never rejects. */
  reload(read: () => Promise<Candidate>, how: Reload = {}): Promise<Outcome> {
    return this.reloader.reload(read, how)
  }

  /**
   * Waits for load balancers to notice the shutdown, then for exchanges to finish, each for as long as configured; resolves when done, with
   * false if a thread cannot be terminated.
   */
  async stop(): Promise<boolean> {
    const { clock, fleet } = this.options
    const { shutdownDelay, drainTimeout } = this.scope.config
    this.state = 'draining'
    fleet.retire()
    this.begin()
    this.changes.stop()
    this.scope.settle()
    const settled = this.reloader.close()
    if (shutdownDelay > 0) await pause(shutdownDelay, clock)
    // Proceeds immediately if there is nothing to wait for.
    if (settled !== null) await settled
    const stopped = this.scope.stop()
    const ended = await fleet.drain(drainTimeout, fleet.onInheritedSockets ? TIMEOUT : 0)
    await stopped
    await this.operators?.close()
    return ended
  }

  private async answerOperators(): Promise<Operators | null> {
    const { policies, source, startOperators } = this.options
    const { config } = this.scope
    if (config.admin === false) return null
    return startOperators(config.admin, {
      ...this.scope.operated,
      policies,
      readiness: () => this.state,
      addresses: () => this.listening,
      reloads: this.reloader,
      source,
    })
  }
}
