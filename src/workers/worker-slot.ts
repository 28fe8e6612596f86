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

/** How long a worker is not replaced that died before it listened, in milliseconds: doubled each time, up to the last. */
const RESTART_DELAY = 100
const RESTART_DELAY_MAXIMUM = 10_000
/** How long the thread of a worker that is replaced may take to end, in milliseconds: what is in a call of the system may not end at all. */
const TERMINATION = 5_000

/** What a slot needs of a worker. */
export type SlotWorker = Pick<RunningWorker, 'listening' | 'ended' | 'threadId' | 'terminate' | 'forsake'>

/** What a slot needs of the fleet. */
export interface SlotOwner<One extends SlotWorker> {
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'counter'>
  /** Workers that end are not replaced any more. */
  readonly closing: () => boolean
  /** Starts a worker with that number, on copies of the sockets with those descriptors, by their addresses, or else on sockets of its own. */
  readonly run: (number: number, sockets: ReadonlyMap<string, number>) => One
  readonly listens: (number: number, worker: One) => void
  readonly gone: (number: number, worker: One) => void
}

/**
 * The place of one worker, which always has one. It keeps a copy of each listening socket of its worker, so that
 * connections made while the worker is replaced wait for the next one in the same queue.
 */
export class WorkerSlot<One extends SlotWorker = RunningWorker> {
  /** Null between two. */
  worker: One | null = null

  private readonly number: number
  private readonly owner: SlotOwner<One>
  private listening: Listening | null = null
  /** By their addresses. */
  private readonly copies = new Map<string, ListeningHandle>()
  /** Whether copies of a socket on that address are wanted. */
  private wants = (_address: string): boolean => true
  /** Resolves when copies are there, or are not to be had. */
  private copied: Promise<void> = Promise.resolve()
  /** It has listened at least once. */
  private sound = false
  private stuckWorker: One | null = null
  /** The one that goes by a configuration that is not the running one any more. */
  private outdatedWorker: One | null = null
  private delay = 0
  /** Resolves when it has a worker that listens, or one could not be started. */
  private filling = Promise.withResolvers<void>()

  constructor(number: number, owner: SlotOwner<One>) {
    this.number = number
    this.owner = owner
  }

  /** Whether connections to the addresses come here. */
  get holds(): boolean {
    return this.listening !== null || this.copies.size > 0
  }

  /** Where its worker listens; null while it has none that does. */
  get sockets(): Listening | null {
    return this.listening
  }

  /** Resolves when it has a worker that listens, or the last one has died before it did. */
  get filled(): Promise<void> {
    return this.filling.promise
  }

  /** Starts a worker; resolves with where it listens, and rejects when it ends before. */
  async start(): Promise<readonly Address[]> {
    const worker = this.owner.run(this.number, new Map([...this.copies].map(([address, { fd }]) => [address, fd])))
    this.worker = worker
    void worker.ended.then((end) => this.over(worker, end))
    const listening = await worker.listening
    this.listening = listening
    this.sound = true
    this.delay = 0
    this.filling.resolve()
    this.owner.listens(this.number, worker)
    return listening.addresses
  }

  /** Its worker, if it is still that one, listens there now. */
  moved(worker: One, listening: Listening): void {
    if (this.worker === worker) this.listening = listening
  }

  /** The sockets of its worker of which there is no copy yet. */
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

  /** Keeps the copies of its worker's sockets on those addresses that are being made, and closes them in the end. Must not reject. */
  keep(addresses: readonly Address[], copying: Promise<readonly ListeningHandle[]>): void {
    this.copied = Promise.all([copying, this.copied]).then(([copies]) => {
      for (const [i, copy] of copies.entries()) {
        // No more copies than addresses, in the same order.
        const address = formatAddress(addresses[i]!)
        // Of the same socket, where the worker took the place of another one while others started.
        this.copies.get(address)?.close()
        this.copies.set(address, copy)
      }
      this.closeUnwanted()
      if (this.owner.closing()) this.release()
    })
  }

  /** There are listeners on these addresses alone: connections to others wait here no longer. */
  listenOnly(addresses: readonly Address[]): void {
    const wanted = new Set(addresses.map((address) => formatAddress(address)))
    this.wants = (address) => wanted.has(address)
    this.closeUnwanted()
  }

  /** Connections wait here no longer than its worker lives. */
  release(): void {
    for (const copy of this.copies.values()) copy.close()
    this.copies.clear()
  }

  private closeUnwanted(): void {
    for (const [address, copy] of this.copies) {
      if (this.wants(address)) continue
      copy.close()
      this.copies.delete(address)
    }
  }

  /** Its worker has not come to its events for so many milliseconds: says where it is, and replaces it. */
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

  /** Ends its worker, if it is still that one, as another configuration is running: the next one goes by that. */
  exchange(worker: One): void {
    if (this.worker !== worker) return
    this.outdatedWorker = worker
    this.owner.log.error({ worker: this.number }, 'A worker did not apply a configuration and is replaced')
    this.end(worker)
  }

  /** Ends its worker; where the thread does not come to its end in time, its place is filled all the same. */
  private end(worker: One): void {
    worker.terminate()
    this.owner.clock.after(TERMINATION, () => {
      if (this.worker !== worker) return
      worker.forsake()
      this.over(worker, { error: null, code: 1, listened: true })
    })
  }

  private over(worker: One, end: WorkerEnd): void {
    if (this.worker !== worker) return
    if (this.listening !== null) this.filling = Promise.withResolvers()
    this.worker = this.listening = null
    this.owner.gone(this.number, worker)
    // Who started the gateway is told.
    if (this.owner.closing() || !this.sound) return
    const outdated = this.outdatedWorker === worker
    const reason = this.stuckWorker === worker ? 'stuck' : outdated ? 'reload' : reasonOf(end)
    this.stuckWorker = this.outdatedWorker = null
    if (!end.listened) this.filling.resolve()
    if (!end.listened && !outdated) {
      // The others have the connections, if there are others, and else nobody lets them wait for long.
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
    // The worker may have died while they were made: what has connected waits in them.
    await this.copied
    if (this.owner.closing()) return
    try {
      await this.start()
    } catch {
      // Its end says why.
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

/** Has each of the slots keep copies of its worker's sockets, those that there are not all made by one program; resolves when they are made. */
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
