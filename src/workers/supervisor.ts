import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Admin } from '../admin/server.ts'
import { loadChain } from '../config/policy-files.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { type Clock, LONGEST_DELAY, pause, systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Counter } from '../core/metrics.ts'
import { Answers, type Threads, type Topic } from '../core/threads.ts'
import { newUuid } from '../core/uuid.ts'
import { HealthBoard } from '../services/health/board.ts'
import { HealthChecker } from '../services/health/checker.ts'
import type { SlotTable } from '../services/health/slots.ts'
import { SharedTable } from '../stores/memory/table.ts'
import { watchEvictions } from '../stores/memory/watch-evictions.ts'
import { answerLogLevel, levelOf } from '../telemetry/log-level.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { MetricsHub } from '../telemetry/metrics/hub.ts'
import { watchProcess } from '../front/process-metrics.ts'
import { automaticWorkers, cpuQuota } from './cpu-quota.ts'
import { Line } from './line.ts'
import { tidyHeap } from './tidy-heap.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { warnOfOpenFiles } from './open-files.ts'

/** How long a worker that died is not replaced, in milliseconds: doubled while they die at once, up to the last. */
const RESTART_DELAY = 100
const RESTART_DELAY_MAXIMUM = 10_000
/** How long after the end of the drain a worker may take to be gone, in milliseconds. */
const STOP_GRACE = 5_000
/** A worker that lived this long, in milliseconds, did not die at once. */
const SOUND_LIFE = 30_000

/** How long a worker may take to answer a question, in milliseconds. */
const PATIENCE = 1_000

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
  private readonly board = HealthBoard.create()
  private readonly checker: HealthChecker
  private readonly slots: SlotTable
  private readonly limits: SharedTable
  private readonly sampleKey = newUuid()
  private readonly hub: MetricsHub
  private readonly restarts: Counter
  private readonly workers = new Map<Worker, Line>()
  private readonly size: number
  private restartDelay = RESTART_DELAY
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
    answerLogLevel(this.answers, output)
    this.clock = clock
    this.addresses = config.listeners.map(({ address }) => address)
    this.checker = new HealthChecker({ board: this.board, clock, random: Math.random, log })
    this.slots = this.checker.update(config.services)
    this.limits = SharedTable.create(config.stores.memory.entries)
    this.hub = new MetricsHub(this, this.answers, clock)
    const { board, slots, limits } = this
    watchProcess(this.hub.metrics, { config, board, slots, limits, workers: () => this.workers.size, clock })
    const lost = this.hub.metrics.counter('sallyport_log_lines_lost_total', {})
    output.watchLost((lines) => lost.add(lines))
    this.restarts = this.hub.metrics.counter('sallyport_worker_restarts_total', {})
  }

  /**
   * Starts the admin listener and the workers; resolves when all of them listen. Rejects, with nothing left running, when
   * one cannot.
   */
  async start(): Promise<void> {
    try {
      this.admin = await this.startAdmin()
      // The first one finds out the ports where the configuration leaves them open.
      this.addresses = await this.startWorker(0, true)
      await Promise.all(Array.from({ length: this.size - 1 }, (_, i) => this.startWorker(i + 1)))
    } catch (error) {
      this.stopping = this.closing = true
      await this.admin?.close()
      await Promise.all([...this.workers.keys()].map((worker) => worker.terminate()))
      throw error
    }
    this.keepAlive = setInterval(() => {}, LONGEST_DELAY)
    tidyHeap()
    this.checker.start()
    this.stopWatching = watchEvictions(this.limits, this.clock, this.log)
    const listeners = this.addresses.map(formatAddress)
    const admin = this.admin === null ? null : formatAddress(this.admin.address)
    this.log.info(
      { listeners, admin, workers: this.size, services: Object.keys(this.config.services).length },
      'Sallyport is listening',
    )
    warnOfOpenFiles(this.config, this.size, this.log)
    void this.checker.firstRound.then(() => {
      this.ready = true
      this.tellAll({ type: 'ready' })
    })
  }

  /** Threads of the workers that are running. */
  get threads(): number[] {
    return [...this.workers.keys()].map((worker) => worker.threadId)
  }

  async askAll<Asked, Answer>({ name, answers }: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return answers(await this.ask(name, asked))
  }

  private async ask(topic: string, asked: unknown): Promise<unknown[]> {
    const answers = await Promise.all([
      this.answers.answer(topic, asked),
      ...[...this.workers.values()].map((line) => line.ask(topic, asked)),
    ])
    return answers.flat()
  }

  /**
   * Lets load balancers notice, then every exchange end, each for as long as the configuration says; resolves when the
   * workers are gone. `signal` is what asked for it.
   */
  async stop(signal: string): Promise<void> {
    const { shutdownDelay, drainTimeout } = this.config
    this.stopping = true
    this.log.info({ signal, delay_ms: shutdownDelay, timeout_ms: drainTimeout }, 'Sallyport is stopping')
    if (shutdownDelay > 0) {
      this.tellAll({ type: 'retire' })
      await pause(shutdownDelay, this.clock)
    }
    this.closing = true
    this.checker.stop()
    this.stopWatching()
    const gone = [...this.workers.keys()].map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    this.tellAll({ type: 'drain', timeout: drainTimeout })
    // One that does not even run its timers any more is ended from here.
    const cancel = this.clock.after(Math.min(drainTimeout + STOP_GRACE, LONGEST_DELAY), () => {
      for (const worker of this.workers.keys()) void worker.terminate()
    })
    await Promise.all(gone)
    cancel()
    await this.admin?.close()
    clearInterval(this.keepAlive)
  }

  /** Answers operators, where the configuration says so: what it takes is loaded only then. */
  private async startAdmin(): Promise<Admin | null> {
    const { config, board, slots, checker, clock, log } = this
    if (config.admin === false) return null
    const { startAdmin } = await import('../admin/server.ts')
    return startAdmin(config.admin, {
      config,
      policies: await loadChain(config.policyFiles),
      board,
      slots,
      report: () => checker.report(),
      readiness: () => (this.stopping ? 'draining' : this.ready ? 'ready' : 'starting'),
      addresses: () => this.addresses,
      threads: this,
      clock,
      log,
    })
  }

  /** `first`: no worker listens yet, and nobody else may. */
  private startWorker(number: number, first = false): Promise<readonly Address[]> {
    const { size, slots, addresses } = this
    // One that takes the place of another logs what that one logged.
    const config = { ...this.config, log: { ...this.config.log, level: levelOf(this.output) } }
    // The running file says how workers are written: TypeScript in a checkout, JavaScript once published.
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const worker = new Worker(new URL(file, import.meta.url))
    const [board, limits, sampleKey] = [this.board.buffer, this.limits.buffer, this.sampleKey]
    this.tell(worker, {
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
    })
    const started = this.clock.now()
    let listening = false
    const line = new Line({
      send: (message) => this.tell(worker, message),
      answer: (topic, asked) => this.ask(topic, asked),
      clock: this.clock,
      patience: PATIENCE,
    })
    this.workers.set(worker, line)
    return new Promise((resolve, reject) => {
      let failure: unknown = null
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'ask' || message.type === 'answer') return line.receive(message)
        if (message.type === 'series') return this.hub.learn(worker, message.series)
        if (message.type === 'drained') {
          if (message.cutOff > 0)
            this.log.warn({ connections: message.cutOff }, 'Connections were cut off at the deadline')
          return
        }
        listening = true
        if (this.ready) this.tell(worker, { type: 'ready' })
        if (this.stopping) this.tell(worker, { type: 'retire' })
        resolve(message.addresses)
      })
      worker.on('error', (error) => (failure = error))
      worker.on('exit', (code) => {
        this.workers.delete(worker)
        this.hub.retire(worker)
        line.close()
        if (!listening)
          return reject(failure instanceof Error ? failure : new Error(`a worker ended with code ${code}`))
        if (!this.closing) this.replace(number, failure, code, this.clock.now() - started)
      })
    })
  }

  private replace(number: number, error: unknown, code: number, lived: number): void {
    this.restartDelay = lived > SOUND_LIFE ? RESTART_DELAY : Math.min(this.restartDelay * 2, RESTART_DELAY_MAXIMUM)
    this.restarts.add(1)
    this.log.error({ error, code, restart_ms: this.restartDelay }, 'A worker died; another one takes its place')
    this.clock.after(this.restartDelay, () => {
      if (this.closing) return
      this.startWorker(number).catch((failure: unknown) => {
        if (!this.closing) this.replace(number, failure, 1, 0)
      })
    })
  }

  private tell(worker: Worker, message: ToWorker): void {
    worker.postMessage(message)
  }

  private tellAll(message: ToWorker): void {
    for (const worker of this.workers.keys()) this.tell(worker, message)
  }
}
