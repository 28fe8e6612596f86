import { present } from '../core/present.ts'
import { availableParallelism } from 'node:os'
import type { LoadedCode } from '../config/loaded-code.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { type Clock, LONGEST_DELAY, pause } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Answers, Topic } from '../core/threads.ts'
import { exchangeTopic, type InstanceChange, type NextGeneration } from '../front/next-generation.ts'
import type { Fleet, PreparedFleet } from '../runtime/fleet.ts'
import { heapLimit, watchMemory } from '../runtime/memory.ts'
import type { ProcessScope } from '../runtime/process-scope.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import { levelOf } from '../telemetry/log-settings.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { automaticWorkers, cpuQuota } from './cpu-quota.ts'
import { GivenSockets } from './given-sockets.ts'
import { Heartbeats } from './heartbeats.ts'
import { becomeReadyTopic, drainTopic, retireTopic } from './messages.ts'
import { openFilesNeeded, warnOfOpenFiles } from './open-files.ts'
import { COMMITMENT, type PreparedWorkers, prepareWorkers, WorkerLostError } from './prepare-workers.ts'
import { RunningWorker } from './running-worker.ts'
import { tidyHeap } from './tidy-heap.ts'
import { hold, type SlotOwner, WorkerSlot } from './worker-slot.ts'
import { beginThread } from './worker-thread.ts'

/** How long after the end of the drain a worker may take to be gone, in milliseconds. */
const STOP_GRACE = 5_000
/** How long one that is ended by force may take, in milliseconds: what is in a call of the system may not end at all. */
const TERMINATION = 2_000
/** How long another configuration waits for workers that are just being replaced, in milliseconds. */
const REPLACEMENT = 60_000

/** How often a configuration is made ready in which workers end. */
const ATTEMPTS = 2

export interface WorkerFleetOptions {
  readonly config: GatewayConfig
  /** What policies of the user's own in it were loaded from. */
  readonly modules: LoadedCode
  readonly output: LogOutput
  readonly clock: Clock
  /** What the main thread answers. */
  readonly answers: Answers
  /** Sockets that the listeners of a configuration may be on; none by default. */
  readonly given?: GivenSockets
}

/** Worker threads, of which as many are kept running as there should be. */
export class WorkerFleet implements Fleet {
  readonly size: number
  private readonly options: Omit<WorkerFleetOptions, 'config' | 'modules'>
  private readonly log: Logger
  private readonly given: GivenSockets
  private readonly heartbeats: Heartbeats
  /** Threads that have not ended, also those whose place another one has taken. */
  private readonly alive = new Set<RunningWorker>()
  /** None before they are started. */
  private slots: readonly WorkerSlot[] = []
  private addresses: readonly Address[]
  /** Number of the configuration with which workers are started. */
  private generation = 1
  private modules: LoadedCode
  /** Descriptors of sockets that were given for the addresses; null for each that was not. */
  private found: readonly (number | null)[] = []
  /** The most open files that a configuration has let the process need, and by what they were counted last. */
  private files = 0
  private counted: { readonly config: GatewayConfig; readonly discovered: Discovered } | null = null
  private ready = false
  private retired = false
  /** Workers that end are not replaced any more. */
  private closing = false
  private stopWatching = (): void => {}
  /** Keeps the process alive while there is no worker: after the death of the only one nothing else would. */
  private keepAlive: NodeJS.Timeout | undefined

  constructor(options: WorkerFleetOptions) {
    const { config, modules, given = new GivenSockets({}, process.pid), ...lasting } = options
    const { output, clock } = lasting
    this.options = lasting
    this.log = output.log
    this.given = given
    this.size = config.workers === 'auto' ? automaticWorkers(availableParallelism(), cpuQuota()) : config.workers
    this.modules = modules
    this.addresses = config.listeners.map(({ address }) => address)
    this.heartbeats = new Heartbeats(this.size, config.workerTimeout, clock, (number, blocked) => {
      void this.slots[number]?.replaceStuck(blocked)
    })
  }

  get onGivenSockets(): boolean {
    return this.given.size > 0
  }

  get running(): number {
    return this.workers.length
  }

  async start(scope: ProcessScope): Promise<readonly Address[]> {
    const { clock, output } = this.options
    const lost = scope.hub.metrics.counter('sallyport_log_lines_lost_total', {})
    output.watchLost((lines) => lost.add(lines))
    this.found = await this.given.findAll(this.addresses, this.log)
    const owner = this.slotOwner(scope)
    this.slots = Array.from({ length: this.size }, (_, number) => new WorkerSlot(number, owner))
    try {
      // The first one finds out the ports where the configuration leaves them open.
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
    this.keepAlive = setInterval(() => {}, LONGEST_DELAY)
    tidyHeap()
    if (scope.memory !== null) this.stopWatching = watchMemory(scope.memory, clock, this.log)
    this.countFiles(scope.config, scope.discovered)
    return this.addresses
  }

  async prepare(next: NextGeneration): Promise<PreparedFleet> {
    const { given } = this
    const found = await given.find(next.config.listeners.map(({ address }) => address))
    const { addresses, abandon, commit } = await this.prepareAll(next, found)
    return {
      addresses,
      abandon,
      commit: async () => {
        this.found = found
        this.modules = next.modules
        await this.commit(next.number, addresses, commit)
        given.warn(addresses, found, this.log)
        this.countFiles(next.config, next.discovered)
      },
    }
  }

  async exchange(change: InstanceChange): Promise<void> {
    // Also those that have begun meanwhile, with the instances of then.
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

  async drain(timeout: number, patience: number): Promise<boolean> {
    this.closing = true
    this.stopWatching()
    for (const slot of this.slots) slot.release()
    this.tellAll(drainTopic, { timeout, patience })
    await this.within(timeout + STOP_GRACE, this.workers)
    // One that does not even run its timers any more is ended from here.
    for (const worker of this.alive) worker.terminate()
    await this.within(TERMINATION, [...this.alive])
    this.heartbeats.close()
    clearInterval(this.keepAlive)
    return this.alive.size === 0
  }

  async askAll<Asked, Answer>({ name, answers }: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return answers(await this.ask(name, asked))
  }

  askMain<Asked, Answer>(topic: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return this.options.answers.askMain(topic, asked)
  }

  /** Once more where a worker ends meanwhile: that says nothing of the configuration, unless it ends the next one too. */
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
    // Before the workers do: nobody would take what came to a copy of a socket that they have closed.
    for (const slot of this.slots) slot.listenOnly(addresses)
    // Also those that have begun meanwhile, with the configuration that was running then.
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

  /** Resolves when every slot has a worker that listens, but for those whose workers cannot be started; or after some time. */
  private async whole(): Promise<void> {
    if (this.slots.every(({ sockets }) => sockets !== null)) return
    const filled = Promise.all(this.slots.map((slot) => slot.filled))
    await Promise.race([filled, pause(REPLACEMENT, this.options.clock)])
  }

  /** Warns where more open files are needed than ever before, and than there may be. */
  private countFiles(config: GatewayConfig, discovered: Discovered): void {
    this.counted = { config, discovered }
    const { files, size, log } = this
    const needed = openFilesNeeded(config, discovered, size)
    if (needed <= files) return
    this.files = needed
    warnOfOpenFiles(needed, log)
  }

  /** Where others accept once this process stops. */
  private get left(): readonly Address[] {
    return this.addresses.filter((_each, i) => (this.found[i] ?? null) !== null)
  }

  private get workers(): RunningWorker[] {
    return this.slots.map(({ worker }) => worker).filter((worker) => worker !== null)
  }

  private async ask(topic: string, asked: unknown): Promise<unknown[]> {
    const answers = await Promise.all([
      this.options.answers.answer(topic, asked),
      ...this.workers.map((worker) => worker.ask(topic, asked)),
    ])
    return answers.flat()
  }

  /** Resolves when these workers have ended, or after so many milliseconds. */
  private async within(patience: number, workers: readonly RunningWorker[]): Promise<void> {
    const ended = Promise.all(workers.map((worker) => worker.ended))
    await Promise.race([ended, pause(Math.min(patience, LONGEST_DELAY), this.options.clock)])
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
        if (this.retired) worker.tell(retireTopic, this.left)
        else if (this.ready) worker.tell(becomeReadyTopic, null)
      },
      gone: (number, worker) => {
        this.heartbeats.forget(number)
        scope.hub.retire(worker)
        scope.board.forget(number)
      },
    }
  }

  private run(number: number, copies: ReadonlyMap<string, number>, scope: ProcessScope): RunningWorker {
    const { size, addresses, generation, modules } = this
    const sockets = addresses.map((address, i) => copies.get(formatAddress(address)) ?? this.found[i] ?? null)
    const { slots, discovered, sampleKey, memory } = scope
    const heap = memory === null ? null : heapLimit(memory, size)
    // One that takes the place of another logs what that one logged.
    const config = { ...scope.config, log: { ...scope.config.log, level: levelOf(this.options.output) } }
    const [board, stores, beats] = [scope.board.buffer, scope.stores.memory, this.heartbeats.memory]
    // Others that are still starting may listen by the time that this one does.
    const first = !this.slots.some(({ holds, worker }) => holds || worker !== null)
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
        // One that begins while the gateway stops must not be taken for one that stays.
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

  private tellAll<Told>(topic: Topic<Told, null>, told: Told): void {
    for (const worker of this.workers) worker.tell(topic, told)
  }
}
