import { present } from '../core/present.ts'
import { availableParallelism } from 'node:os'
import type { LoadedCode } from '../config/loaded-code.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { type Clock, MAX_DELAY, pause } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { TopicHandlers, Topic } from '../core/threads.ts'
import { exchangeTopic, type InstanceChange, type NextGeneration } from '../front/next-generation.ts'
import type { Fleet, PreparedFleet } from '../runtime/fleet.ts'
import { heapLimit, watchMemory } from '../runtime/memory.ts'
import type { ProcessScope } from '../runtime/process-scope.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import { levelOf } from '../telemetry/log-settings.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { automaticWorkers, cpuQuota } from './cpu-quota.ts'
import { InheritedSockets } from './inherited-sockets.ts'
import { Heartbeats } from './heartbeats.ts'
import { becomeReadyTopic, drainTopic, retireTopic } from './messages.ts'
import { openFilesNeeded, warnOfOpenFiles } from './open-files.ts'
import { COMMITMENT, type PreparedWorkers, prepareWorkers, WorkerLostError } from './prepare-workers.ts'
import { RunningWorker } from './running-worker.ts'
import { tidyHeap } from './tidy-heap.ts'
import { hold, type SlotOwner, WorkerSlot } from './worker-slot.ts'
import { beginThread } from './worker-thread.ts'

/** Grace period for a worker to end after its drain, in milliseconds. */
const STOP_GRACE = 5_000
/** Time limit for a forced termination, in milliseconds: a thread blocked in a system call may never end. */
const TERMINATION = 2_000
/** How long a new configuration waits for workers that are being replaced, in milliseconds. */
const REPLACEMENT = 60_000

/** Number of attempts to prepare a configuration if workers end in the process. */
const ATTEMPTS = 2

export interface WorkerFleetOptions {
  readonly config: GatewayConfig
  /** The code that its custom policies were loaded from. */
  readonly modules: LoadedCode
  readonly output: LogOutput
  readonly clock: Clock
  /** The handlers of the main thread. */
  readonly answers: TopicHandlers
  /** Passed sockets that listeners of a configuration may use; none by default. */
  readonly inherited?: InheritedSockets
}

/** Manages the worker threads and keeps the configured number of them running. */
export class WorkerFleet implements Fleet {
  readonly size: number
  private readonly options: Omit<WorkerFleetOptions, 'config' | 'modules'>
  private readonly log: Logger
  private readonly inherited: InheritedSockets
  private readonly heartbeats: Heartbeats
  /** Threads that have not ended, including those that were already replaced. */
  private readonly alive = new Set<RunningWorker>()
  /** Empty before the start. */
  private slots: readonly WorkerSlot[] = []
  private addresses: readonly Address[]
  /** Number of the configuration that new workers start with. */
  private generation = 1
  private modules: LoadedCode
  /** Descriptors of passed sockets for the addresses; null for each address without one. */
  private found: readonly (number | null)[] = []
  /** The highest number of open files that any configuration has required so far, and the inputs of the last calculation. */
  private files = 0
  private counted: { readonly config: GatewayConfig; readonly discovered: Discovered } | null = null
  private ready = false
  private retired = false
  /** Whether ended workers are no longer replaced. */
  private closing = false
  private stopWatching = (): void => {}
  /** Keeps the process alive while there is no worker: after the only worker dies, nothing else would. */
  private keepAlive: NodeJS.Timeout | undefined

  constructor(options: WorkerFleetOptions) {
    const { config, modules, inherited: sockets = new InheritedSockets({}, process.pid), ...lasting } = options
    const { output, clock } = lasting
    this.options = lasting
    this.log = output.log
    this.inherited = sockets
    this.size = config.workers === 'auto' ? automaticWorkers(availableParallelism(), cpuQuota()) : config.workers
    this.modules = modules
    this.addresses = config.listeners.map(({ address }) => address)
    this.heartbeats = new Heartbeats(this.size, config.workerTimeout, clock, (number, blocked) => {
      void this.slots[number]?.replaceStuck(blocked)
    })
  }

  get onInheritedSockets(): boolean {
    return this.inherited.size > 0
  }

  get running(): number {
    return this.workers.length
  }

  async start(scope: ProcessScope): Promise<readonly Address[]> {
    const { clock, output } = this.options
    const lost = scope.hub.metrics.counter('sallyport_log_lines_lost_total', {})
    output.watchLost((lines) => lost.add(lines))
    this.found = await this.inherited.findAll(this.addresses, this.log)
    const owner = this.slotOwner(scope)
    this.slots = Array.from({ length: this.size }, (_, number) => new WorkerSlot(number, owner))
    try {
      // The first worker determines the ports that the configuration leaves open.
      const [first, ...others] = this.slots
      this.addresses = await present(first, 'first worker').start()
      await Promise.all(others.map((slot) => slot.start()))
    } catch (error) {
      this.closing = true
      this.heartbeats.close()
      await Promise.all(this.workers.map((worker) => (worker.terminate(), worker.ended)))
      throw error
    }
    await hold(this.slots, this.log)
    this.keepAlive = setInterval(() => {}, MAX_DELAY)
    tidyHeap()
    if (scope.memory !== null) this.stopWatching = watchMemory(scope.memory, clock, this.log)
    this.countFiles(scope.config, scope.discovered)
    return this.addresses
  }

  async prepare(next: NextGeneration): Promise<PreparedFleet> {
    const { inherited } = this
    const found = await inherited.find(next.config.listeners.map(({ address }) => address))
    const { addresses, abandon, commit } = await this.prepareAll(next, found)
    return {
      addresses,
      abandon,
      commit: async () => {
        this.found = found
        this.modules = next.modules
        await this.commit(next.number, addresses, commit)
        inherited.warn(addresses, found, this.log)
        this.countFiles(next.config, next.discovered)
      },
    }
  }

  async exchange(change: InstanceChange): Promise<void> {
    // Includes workers started in the meantime with the previous instances.
    const before = this.slots.map((slot) => ({ slot, worker: slot.worker }))
    await Promise.all(
      before.map(async ({ slot, worker }) => {
        if (worker === null) return
        const [exchanged = false] = exchangeTopic.answers(await worker.ask(exchangeTopic.name, change, COMMITMENT))
        if (!exchanged) slot.exchange(worker)
      }),
    )
    const found = Array.from(change.services, ([name, { instances }]) => [name, instances] as const)
    if (this.counted !== null)
      this.countFiles(this.counted.config, { ...this.counted.discovered, ...Object.fromEntries(found) })
  }

  becomeReady(): void {
    this.ready = true
    this.tellAll(becomeReadyTopic, null)
  }

  retire(): void {
    this.retired = true
    this.tellAll(retireTopic, this.left)
  }

  async drain(timeout: number, gracePeriod: number): Promise<boolean> {
    this.closing = true
    this.stopWatching()
    for (const slot of this.slots) slot.release()
    this.tellAll(drainTopic, { timeout, gracePeriod })
    await this.within(timeout + STOP_GRACE, this.workers)
    // A worker that does not even run its timers any more is terminated from here.
    for (const worker of this.alive) worker.terminate()
    await this.within(TERMINATION, [...this.alive])
    this.heartbeats.close()
    clearInterval(this.keepAlive)
    return this.alive.size === 0
  }

  async askAll<Question, Answer>({ name, answers }: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return answers(await this.ask(name, question))
  }

  askMain<Question, Answer>(topic: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return this.options.answers.askMain(topic, question)
  }

  /** Tries again if a worker ends in the process: that says nothing about the configuration, unless it happens again. */
  private async prepareAll(next: NextGeneration, found: readonly (number | null)[]): Promise<PreparedWorkers> {
    for (let attempt = 1; ; attempt++) {
      await this.whole()
      const listening = this.slots.flatMap(({ sockets, worker }) =>
        sockets === null || worker === null ? [] : [worker],
      )
      try {
        return await prepareWorkers(listening, next, found)
      } catch (error) {
        if (!(error instanceof WorkerLostError) || attempt === ATTEMPTS || this.closing) throw error
      }
    }
  }

  private async commit(
    generation: number,
    addresses: readonly Address[],
    commit: PreparedWorkers['commit'],
  ): Promise<void> {
    this.generation = generation
    this.addresses = addresses
    // Done before the workers switch: connections on a copy of a socket that they have closed would never be accepted.
    for (const slot of this.slots) slot.listenOnly(addresses)
    // Includes workers started in the meantime with the previous configuration.
    const before = this.slots.map((slot) => ({ slot, worker: slot.worker }))
    const committed = await commit()
    for (const { slot, worker } of before) {
      if (worker === null) continue
      const descriptors = committed.get(worker)
      if (descriptors === undefined) slot.exchange(worker)
      else slot.moved(worker, { addresses, descriptors })
    }
    await hold(this.slots, this.log)
  }

  /** Resolves when every slot has a listening worker, except for slots whose workers cannot be started; or after a timeout. */
  private async whole(): Promise<void> {
    if (this.slots.every(({ sockets }) => sockets !== null)) return
    const filled = Promise.all(this.slots.map((slot) => slot.filled))
    await Promise.race([filled, pause(REPLACEMENT, this.options.clock)])
  }

  /** Warns if more open files are required than ever before, and than the limit allows. */
  private countFiles(config: GatewayConfig, discovered: Discovered): void {
    this.counted = { config, discovered }
    const { files, size, log } = this
    const needed = openFilesNeeded(config, discovered, size)
    if (needed <= files) return
    this.files = needed
    warnOfOpenFiles(needed, log)
  }

  /** Addresses on which other processes accept connections once this process stops. */
  private get left(): readonly Address[] {
    return this.addresses.filter((_each, i) => (this.found[i] ?? null) !== null)
  }

  private get workers(): RunningWorker[] {
    return this.slots.map(({ worker }) => worker).filter((worker) => worker !== null)
  }

  private async ask(topic: string, question: unknown): Promise<unknown[]> {
    const answers = await Promise.all([
      this.options.answers.answer(topic, question),
      ...this.workers.map((worker) => worker.ask(topic, question)),
    ])
    return answers.flat()
  }

  /** Resolves when these workers have ended, or after that many milliseconds. */
  private async within(gracePeriod: number, workers: readonly RunningWorker[]): Promise<void> {
    const ended = Promise.all(workers.map((worker) => worker.ended))
    await Promise.race([ended, pause(gracePeriod, this.options.clock)])
  }

  private slotOwner(scope: ProcessScope): SlotOwner<RunningWorker> {
    return {
      log: this.log,
      clock: this.options.clock,
      metrics: scope.hub.metrics,
      closing: () => this.closing,
      run: (number, sockets) => this.run(number, sockets, scope),
      listens: (number, worker) => {
        this.heartbeats.watch(number)
        scope.stores.workerListens(number)
        if (this.retired) worker.tell(retireTopic, this.left)
        else if (this.ready) worker.tell(becomeReadyTopic, null)
      },
      exited: (number, worker) => {
        this.heartbeats.forget(number)
        scope.hub.retire(worker)
        scope.board.forget(number)
        scope.stores.workerEnded(number, worker.threadId, this.options.clock)
      },
    }
  }

  private run(number: number, copies: ReadonlyMap<string, number>, scope: ProcessScope): RunningWorker {
    const { size, addresses, generation, modules } = this
    const sockets = addresses.map((address, i) => copies.get(formatAddress(address)) ?? this.found[i] ?? null)
    const { slots, discovered, sampleKey, memory } = scope
    const heap = memory === null ? null : heapLimit(memory, size)
    // A replacement uses the current log level.
    const config = { ...scope.config, log: { ...scope.config.log, level: levelOf(this.options.output) } }
    const [board, stores, beats] = [scope.board.buffer, scope.stores.memory, this.heartbeats.memory]
    // Other workers that are still starting may be listening by the time this one does.
    const first = !this.slots.some(({ hasSockets, worker }) => hasSockets || worker !== null)
    const running = new RunningWorker({
      start: {
        worker: number,
        config,
        modules,
        generation,
        size,
        board,
        slots,
        discovered,
        stores,
        sampleKey,
        addresses,
        first,
        sockets,
        // A worker started during the shutdown must not report itself as ready.
        ready: this.ready && !this.retired,
        beats,
      },
      thread: beginThread(number, heap),
      clock: this.options.clock,
      log: this.log,
      answer: (topic, asked, alone) => (alone ? this.options.answers.answer(topic, asked) : this.ask(topic, asked)),
      learn: (worker, series) => scope.hub.learn(worker, series),
      cutOff: (connections) => {
        if (connections > 0) this.log.warn({ connections }, 'Connections were closed at the deadline')
      },
    })
    this.alive.add(running)
    void running.ended.then(() => this.alive.delete(running))
    return running
  }

  private tellAll<Message>(topic: Topic<Message, null>, message: Message): void {
    for (const worker of this.workers) worker.tell(topic, message)
  }
}
