import { availableParallelism } from 'node:os'
import { type Admin, startAdmin } from '../admin/server.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { type Clock, LONGEST_DELAY, pause, systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { Answers, type Threads, type Topic } from '../core/threads.ts'
import { levelOf } from '../telemetry/log-level.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { heapLimit, watchMemory } from '../runtime/memory.ts'
import { ProcessScope } from '../runtime/process-scope.ts'
import { automaticWorkers, cpuQuota } from './cpu-quota.ts'
import { Heartbeats } from './heartbeats.ts'
import type { ToWorker } from './messages.ts'
import { warnOfOpenFiles } from './open-files.ts'
import { RunningWorker } from './running-worker.ts'
import { tidyHeap } from './tidy-heap.ts'
import { hold, type SlotOwner, WorkerSlot } from './worker-slot.ts'

/** How long after the end of the drain a worker may take to be gone, in milliseconds. */
const STOP_GRACE = 5_000
/** How long one that is ended by force may take, in milliseconds: what is in a call of the system may not end at all. */
const TERMINATION = 2_000

/** The main thread: checks the health of the instances once for all, and keeps as many workers running as it should. */
export class Supervisor implements Threads {
  /** What the main thread answers. */
  readonly answers: Answers
  /** Where the workers listen: the listeners of the configuration with their actual ports. */
  addresses: readonly Address[]

  /** Where operators are answered, or null where they are not. */
  admin: Admin | null = null

  private readonly config: GatewayConfig
  private readonly output: LogOutput
  private readonly log: Logger
  private readonly clock: Clock
  private readonly scope: ProcessScope
  private readonly heartbeats: Heartbeats
  private readonly workers: readonly WorkerSlot[]
  private readonly size: number
  /** Threads that have not ended, also those whose place another one has taken. */
  private readonly alive = new Set<RunningWorker>()
  private ready = false
  private stopping = false
  /** Workers that end are not replaced any more. */
  private closing = false
  private stopWatching = (): void => {}
  /** Keeps the process alive while there is no worker: after the death of the only one nothing else would. */
  private keepAlive: NodeJS.Timeout | undefined

  constructor(config: GatewayConfig, output: LogOutput, clock: Clock = systemClock) {
    const { log } = output
    this.config = config
    this.size = config.workers === 'auto' ? automaticWorkers(availableParallelism(), cpuQuota()) : config.workers
    this.output = output
    this.log = log
    this.answers = new Answers(log)
    this.clock = clock
    this.addresses = config.listeners.map(({ address }) => address)
    const { answers } = this
    this.scope = new ProcessScope({
      config,
      output,
      clock,
      random: Math.random,
      answers,
      threads: this,
      workers: () => this.running.length,
    })
    const lost = this.scope.hub.metrics.counter('sallyport_log_lines_lost_total', {})
    output.watchLost((lines) => lost.add(lines))
    const owner = this.slotOwner()
    this.workers = Array.from({ length: this.size }, (_, number) => new WorkerSlot(number, owner))
    this.heartbeats = new Heartbeats(this.size, config.workerTimeout, clock, (number, blocked) => {
      void this.workers[number]!.replaceStuck(blocked)
    })
  }

  /**
   * Starts the admin listener and the workers; resolves when all of them listen. Rejects, with nothing left running, when
   * one cannot.
   */
  async start(): Promise<void> {
    try {
      this.admin = await this.startAdmin()
      // The first one finds out the ports where the configuration leaves them open.
      const [first, ...others] = this.workers
      this.addresses = await first!.start()
      await Promise.all(others.map((slot) => slot.start()))
    } catch (error) {
      this.stopping = this.closing = true
      this.heartbeats.close()
      await this.admin?.close()
      await this.scope.stop()
      await Promise.all(this.running.map((worker) => (worker.terminate(), worker.ended)))
      throw error
    }
    await hold(this.workers, this.log)
    this.keepAlive = setInterval(() => {}, LONGEST_DELAY)
    tidyHeap()
    const { memory } = this.scope
    if (memory !== null) this.stopWatching = watchMemory(memory, this.clock, this.log)
    const checked = this.scope.start()
    const listeners = this.addresses.map(formatAddress)
    const admin = this.admin === null ? null : formatAddress(this.admin.address)
    this.log.info(
      { listeners, admin, workers: this.size, services: Object.keys(this.config.services).length },
      'Sallyport is listening',
    )
    warnOfOpenFiles(this.config, this.size, this.log)
    void checked.then(() => {
      this.ready = true
      this.tellAll({ type: 'ready' })
    })
  }

  /** Threads of the workers that are running. */
  get threads(): number[] {
    return this.running.map(({ threadId }) => threadId)
  }

  private get running(): RunningWorker[] {
    return this.workers.map(({ worker }) => worker).filter((worker) => worker !== null)
  }

  async askAll<Asked, Answer>({ name, answers }: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return answers(await this.ask(name, asked))
  }

  private async ask(topic: string, asked: unknown): Promise<unknown[]> {
    const answers = await Promise.all([
      this.answers.answer(topic, asked),
      ...this.running.map((worker) => worker.ask(topic, asked)),
    ])
    return answers.flat()
  }

  /**
   * Lets load balancers notice, then every exchange end, each for as long as the configuration says; resolves when the
   * workers are gone, with false where one of them cannot be ended. `signal` is what asked for it.
   */
  async stop(signal: string): Promise<boolean> {
    const { shutdownDelay, drainTimeout } = this.config
    this.stopping = true
    this.log.info({ signal, delay_ms: shutdownDelay, timeout_ms: drainTimeout }, 'Sallyport is stopping')
    if (shutdownDelay > 0) {
      this.tellAll({ type: 'retire' })
      await pause(shutdownDelay, this.clock)
    }
    this.closing = true
    const stopped = this.scope.stop()
    this.stopWatching()
    for (const slot of this.workers) slot.release()
    this.tellAll({ type: 'drain', timeout: drainTimeout })
    await this.within(drainTimeout + STOP_GRACE, this.running)
    // One that does not even run its timers any more is ended from here.
    for (const worker of this.alive) worker.terminate()
    await this.within(TERMINATION, [...this.alive])
    await stopped
    this.heartbeats.close()
    await this.admin?.close()
    clearInterval(this.keepAlive)
    return this.alive.size === 0
  }

  /** Resolves when these workers have ended, or after so many milliseconds. */
  private async within(patience: number, workers: readonly RunningWorker[]): Promise<void> {
    const ended = Promise.all(workers.map((worker) => worker.ended))
    await Promise.race([ended, pause(Math.min(patience, LONGEST_DELAY), this.clock)])
  }

  /** Answers operators, where the configuration says so. */
  private async startAdmin(): Promise<Admin | null> {
    const { config, scope } = this
    if (config.admin === false) return null
    const { operated } = scope
    return startAdmin(config.admin, {
      ...operated,
      policies: async () => (await import('../config/policy-files.ts')).loadChain(config.policyFiles),
      readiness: () => (this.stopping ? 'draining' : this.ready ? 'ready' : 'starting'),
      addresses: () => this.addresses,
    })
  }

  private slotOwner(): SlotOwner {
    const { log, clock } = this
    return {
      log,
      clock,
      metrics: this.scope.hub.metrics,
      closing: () => this.closing,
      run: (number, sockets) => this.run(number, sockets),
      listens: (number, worker) => {
        this.heartbeats.watch(number)
        if (this.ready) worker.tell({ type: 'ready' })
        if (this.stopping) worker.tell({ type: 'retire' })
      },
      gone: (number, worker) => {
        this.heartbeats.forget(number)
        this.scope.hub.retire(worker)
      },
    }
  }

  private run(number: number, sockets: readonly number[]): RunningWorker {
    const { size, addresses, scope } = this
    const { slots, sampleKey, memory } = scope
    // One that takes the place of another logs what that one logged.
    const config = { ...this.config, log: { ...this.config.log, level: levelOf(this.output) } }
    const [board, limits, beats] = [scope.board.buffer, scope.limits.buffer, this.heartbeats.memory]
    // Others that are still starting may listen by the time that this one does.
    const first = !this.workers.some(({ holds, worker }) => holds || worker !== null)
    const running = new RunningWorker({
      start: {
        type: 'start',
        worker: number,
        config,
        size,
        board,
        slots,
        limits,
        sampleKey,
        addresses,
        first,
        sockets,
        beats,
      },
      heap: memory === null ? null : heapLimit(memory, size),
      clock: this.clock,
      answer: (topic, asked) => this.ask(topic, asked),
      learn: (worker, series) => this.scope.hub.learn(worker, series),
      cutOff: (connections) => {
        if (connections > 0) this.log.warn({ connections }, 'Connections were cut off at the deadline')
      },
    })
    this.alive.add(running)
    void running.ended.then(() => this.alive.delete(running))
    return running
  }

  private tellAll(message: ToWorker): void {
    for (const worker of this.running) worker.tell(message)
  }
}
