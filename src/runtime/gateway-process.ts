import type { ConfigError } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import { type Clock, pause } from '../core/clock.ts'
import type { Answers } from '../core/threads.ts'
import type { Readiness } from '../front/own-routes.ts'
import type { Policy } from '../policies/policy.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import type { ConfigurationSource } from './configuration-source.ts'
import type { Fleet } from './fleet.ts'
import { ProcessScope } from './process-scope.ts'
import { InstanceChanges } from './instance-changes.ts'
import { type Candidate, type Outcome, type Reload, Reloader, type Reloads } from './reloader.ts'

/**
 * How long clients that are connected may ask for something once more where new ones come to another process meanwhile, in
 * milliseconds: what they send while their connection is closed would be lost.
 */
const PATIENCE = 5_000

/** What operators are told of, and act on. */
export type OperatorSources = ProcessScope['operated'] & {
  /** Every policy that a configuration may name, in the order of the chain. */
  readonly policies: (config: GatewayConfig) => Promise<readonly Policy[]>
  readonly readiness: () => Readiness
  /** Where requests are accepted. */
  readonly addresses: () => readonly Address[]
  readonly reloads: Reloads
  /** Null where the program that the gateway is part of has given it its configuration. */
  readonly source: ConfigurationSource | null
}

/** What answers operators. */
export interface Operators {
  readonly address: Address
  close(): Promise<void>
}

export interface GatewayProcessOptions {
  /** The configuration that it starts with. */
  readonly first: Candidate
  /** Why a newer one was refused, which it stands in for; none by default. */
  readonly refused?: ConfigError | null
  readonly output: LogOutput
  readonly clock: Clock
  readonly random: () => number
  /** What the main thread answers. */
  readonly answers: Answers
  readonly fleet: Fleet
  /** Null where the program that the gateway is part of gives it its configuration. */
  readonly source: ConfigurationSource | null
  /** Every policy that the configuration may name, in the order of the chain: for operators, who may never ask. */
  readonly policies: (config: GatewayConfig) => Promise<readonly Policy[]>
  /** Begins to answer operators. Rejects with an Error that says what to do. */
  readonly startOperators: (
    options: Exclude<GatewayConfig['admin'], false>,
    sources: OperatorSources,
  ) => Promise<Operators>
}

/** A gateway from its start to its end, whatever threads answer its requests. */
export class GatewayProcess {
  readonly scope: ProcessScope
  /** Resolves when every instance has been checked once and GET /health/ready says so. Pending until it has started. */
  readonly ready: Promise<void>
  /** All but what the process begins with, as others take its place. */
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

  /** Where it listens: the listeners of the configuration with their actual ports. */
  get addresses(): readonly Address[] {
    return this.listening
  }

  /** What is known of its configurations. */
  get reloads(): Reloads {
    return this.reloader
  }

  /** Where operators are answered, or null where the configuration has no admin listener. */
  get adminAddress(): Address | null {
    return this.operators?.address ?? null
  }

  /**
   * Begins to answer operators and requests; resolves when it listens. Where somebody else may accept from the same sockets it
   * does so once it is ready. Rejects, with nothing left running, when it cannot.
   */
  async start(): Promise<void> {
    const { scope } = this
    const { fleet } = this.options
    let checked: Promise<void> | null = null
    try {
      this.operators = await this.answerOperators()
      scope.watchInstances(() => this.changes.note())
      await scope.discover()
      if (fleet.onGivenSockets) {
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

  /**
   * Has the configuration that `read` resolves with take the place of the running one. Never rejects.
   */
  reload(read: () => Promise<Candidate>, how: Reload = {}): Promise<Outcome> {
    return this.reloader.reload(read, how)
  }

  /**
   * Lets load balancers notice, then every exchange end, each for as long as the configuration says; resolves when all is
   * over, with false where a thread cannot be ended.
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
    // At once, where there is nothing to wait for.
    if (settled !== null) await settled
    const stopped = this.scope.stop()
    const ended = await fleet.drain(drainTimeout, fleet.onGivenSockets ? PATIENCE : 0)
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
