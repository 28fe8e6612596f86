import { type Address, formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/error-facts.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { RestartReason } from '../runtime/process-metrics.ts'
import type { ListeningHandle } from '../listener/acceptor.ts'
import { copySockets } from './copy-sockets.ts'
import type { Listening } from './messages.ts'
import type { RunningWorker, WorkerEnd } from './running-worker.ts'

/** Delay before replacing a worker that died before it listened, in milliseconds: doubled each time, up to the maximum. */
const RESTART_DELAY = 100
const RESTART_DELAY_MAXIMUM = 10_000
/** Time limit for the thread of a replaced worker to end, in milliseconds: a thread blocked in a system call may never end. */
const TERMINATION = 5_000

/** The parts of a worker that a slot uses. */
export type SlotWorker = Pick<RunningWorker, 'listening' | 'ended' | 'threadId' | 'terminate' | 'abandonThread'>

/** The parts of the fleet that a slot uses. */
export interface SlotOwner<One extends SlotWorker> {
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'counter'>
  /** Whether ended workers are no longer replaced. */
  readonly closing: () => boolean
  /** Starts a worker with that number, on copies of the sockets with those descriptors (by address), or otherwise on new sockets. */
  readonly run: (number: number, sockets: ReadonlyMap<string, number>) => One
  readonly listens: (number: number, worker: One) => void
  readonly exited: (number: number, worker: One) => void
}

/**
 * The slot of one worker, which is replaced whenever it ends. The slot keeps a copy of each listening socket of its worker, so that
 * connections made during a replacement wait for the next worker in the same queue.
 */
export class WorkerSlot<One extends SlotWorker = RunningWorker> {
  /** Null between two workers. */
  worker: One | null = null

  private readonly number: number
  private readonly owner: SlotOwner<One>
  private listening: Listening | null = null
  /** By address. */
  private readonly copies = new Map<string, ListeningHandle>()
  /** Whether a copy of a socket on that address is wanted. */
  private isWanted = (_address: string): boolean => true
  /** Resolves when the copies exist or cannot be made. */
  private copied: Promise<void> = Promise.resolve()
  /** Whether a worker has listened at least once. */
  private hasListened = false
  private stuckWorker: One | null = null
  /** A worker that is still running with a previous configuration. */
  private outdatedWorker: One | null = null
  private delay = 0
  /** Resolves when the slot has a listening worker, or when one could not be started. */
  private filling = Promise.withResolvers<void>()

  constructor(number: number, owner: SlotOwner<One>) {
    this.number = number
    this.owner = owner
  }

  /** Whether connections to the addresses are queued here. */
  get hasSockets(): boolean {
    return this.listening !== null || this.copies.size > 0
  }

  /** The sockets of its worker; null while no worker listens. */
  get sockets(): Listening | null {
    return this.listening
  }

  /** Resolves when it has a listening worker, or when the last worker died before listening. */
  get filled(): Promise<void> {
    return this.filling.promise
  }

  /** Starts a worker; resolves with the addresses it listens on, and rejects if it ends first. */
  async start(): Promise<readonly Address[]> {
    const worker = this.owner.run(this.number, new Map([...this.copies].map(([address, { fd }]) => [address, fd])))
    this.worker = worker
    void worker.ended.then((end) => this.over(worker, end))
    const listening = await worker.listening
    this.listening = listening
    this.hasListened = true
    this.delay = 0
    this.filling.resolve()
    this.owner.listens(this.number, worker)
    return listening.addresses
  }

  /** Updates where the worker listens, if it is still the current one. */
  moved(worker: One, listening: Listening): void {
    if (this.worker === worker) this.listening = listening
  }

  /** The sockets of its worker that have not been copied yet. */
  get uncopied(): Listening {
    const { addresses = [], descriptors = [] } = this.listening ?? {}
    const missing = addresses.flatMap((address, i) => {
      const descriptor = descriptors[i]
      return descriptor === undefined || this.copies.has(formatAddress(address)) ? [] : [{ address, descriptor }]
    })
    return {
      addresses: missing.map(({ address }) => address),
      descriptors: missing.map(({ descriptor }) => descriptor),
    }
  }

  /** Keeps the copies of its worker's sockets on those addresses, once they have been made, and closes them at the end. Must not reject. */
  keep(addresses: readonly Address[], copying: Promise<readonly ListeningHandle[]>): void {
    this.copied = Promise.all([copying, this.copied]).then(([copies]) => {
      for (const [i, copy] of copies.entries()) {
        // The number of copies does not exceed that of the addresses, and they are in the same order.
        const address = formatAddress(addresses[i]!)
        // A copy of the same socket, if the worker was replaced while others were starting.
        this.copies.get(address)?.close()
        this.copies.set(address, copy)
      }
      this.closeUnwanted()
      if (this.owner.closing()) this.release()
    })
  }

  /** Closes copies for all other addresses, which have no listeners any more. */
  listenOnly(addresses: readonly Address[]): void {
    const wanted = new Set(addresses.map((address) => formatAddress(address)))
    this.isWanted = (address) => wanted.has(address)
    this.closeUnwanted()
  }

  /** Closes the copies: connections are only queued while the worker lives. */
  release(): void {
    for (const copy of this.copies.values()) copy.close()
    this.copies.clear()
  }

  private closeUnwanted(): void {
    for (const [address, copy] of this.copies) {
      if (this.isWanted(address)) continue
      copy.close()
      this.copies.delete(address)
    }
  }

  /** Its worker has been blocked for that many milliseconds: reports what it is executing, and replaces it. */
  async replaceStuck(blocked: number): Promise<void> {
    const { worker } = this
    if (worker === null) return
    const { locate } = await import('./locate.ts')
    const place = await locate(worker.threadId, this.owner.clock)
    if (this.worker !== worker) return
    this.stuckWorker = worker
    const fields = { worker: this.number, blocked_ms: Math.round(blocked), ...place }
    this.owner.log.error(fields, 'A worker is stuck and is replaced')
    this.end(worker)
  }

  /** Terminates the worker, if it is still the current one, because another configuration is running, which the next worker will use. */
  exchange(worker: One): void {
    if (this.worker !== worker) return
    this.outdatedWorker = worker
    this.owner.log.error({ worker: this.number }, 'A worker did not apply a configuration and is replaced')
    this.end(worker)
  }

  /** Terminates the worker; if the thread does not end in time, the slot is refilled anyway. */
  private end(worker: One): void {
    worker.terminate()
    this.owner.clock.after(TERMINATION, () => {
      if (this.worker !== worker) return
      worker.abandonThread()
      this.over(worker, { error: null, code: 1, listened: true })
    })
  }

  private over(worker: One, end: WorkerEnd): void {
    if (this.worker !== worker) return
    if (this.listening !== null) this.filling = Promise.withResolvers()
    this.worker = this.listening = null
    this.owner.exited(this.number, worker)
    // In this case, the caller that started the gateway is informed.
    if (this.owner.closing() || !this.hasListened) return
    const outdated = this.outdatedWorker === worker
    const reason = this.stuckWorker === worker ? 'stuck' : outdated ? 'reload' : reasonOf(end)
    this.stuckWorker = this.outdatedWorker = null
    if (!end.listened) this.filling.resolve()
    if (!end.listened && !outdated) {
      // Other workers, if any, then receive the connections; otherwise clients should not be left waiting.
      this.release()
      this.delay = Math.min(Math.max(this.delay * 2, RESTART_DELAY), RESTART_DELAY_MAXIMUM)
    }
    this.owner.metrics.counter('sallyport_worker_restarts_total', { reason }).add(1)
    const fields = { worker: this.number, reason, error: end.error, code: end.code, restart_ms: this.delay }
    if (reason !== 'stuck' && reason !== 'reload') this.owner.log.error(fields, 'A worker died and is replaced')
    if (this.delay === 0) void this.again()
    else this.owner.clock.after(this.delay, () => void this.again())
  }

  private async again(): Promise<void> {
    // The worker may have died while the copies were being made: connections are queued in them.
    await this.copied
    if (this.owner.closing()) return
    try {
      await this.start()
    } catch {
      // The reason is reported when the worker ends.
      return
    }
    await hold([this], this.owner.log)
  }
}

function reasonOf({ error, listened }: WorkerEnd): RestartReason {
  if (!listened) return 'start'
  if (error === null) return 'exit'
  const memory = codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY'
  return memory ? 'memory' : 'error'
}

/** Makes every slot keep copies of its worker's sockets. One program makes all missing copies; resolves when they are done. */
export async function hold(slots: readonly Pick<WorkerSlot, 'uncopied' | 'keep'>[], log: Logger): Promise<void> {
  const missing = slots.map((slot) => ({ slot, ...slot.uncopied })).filter(({ descriptors }) => descriptors.length > 0)
  if (missing.length === 0) return
  const descriptors = missing.flatMap((each) => each.descriptors)
  const addresses = missing.flatMap((each) => each.addresses)
  const copying = copySockets(descriptors, addresses).catch((error: unknown) => {
    log.warn({ error }, 'Connections are refused while a worker is replaced')
    return []
  })
  let before = 0
  for (const { slot, addresses: own } of missing) {
    const [start, end] = [before, (before += own.length)]
    slot.keep(
      own,
      copying.then((copies) => copies.slice(start, end)),
    )
  }
  await copying
}
