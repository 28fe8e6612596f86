import { GatewayError } from '../core/errors.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import type { Lane } from './lane.ts'
import type { PoolBounds } from './pool-options.ts'
import type { FairQueue } from './fair-queue.ts'

/** Interval at which a waiting request looks again for a lane, in milliseconds. */
const LOOK = 500

export interface LaneWaiterOptions<L extends Lane> {
  /** Address of the client that made the request. */
  readonly client: string
  /** The list in which it waits. */
  readonly queue: FairQueue<LaneWaiter<L>>
  readonly deadlines: Deadlines
  /** Longest wait in milliseconds. */
  readonly timeout: number
  /** Called periodically to find it a lane. */
  readonly retry: () => void
  readonly resolve: (lane: L) => void
  readonly reject: (error: unknown) => void
}

/** A request that waits for a lane. */
export class LaneWaiter<L extends Lane> implements Timed {
  deadline: number
  watchIndex = -1
  readonly client: string
  readonly resolve: LaneWaiterOptions<L>['resolve']
  readonly reject: LaneWaiterOptions<L>['reject']
  private readonly queue: FairQueue<LaneWaiter<L>>
  private readonly deadlines: Deadlines
  private readonly retry: () => void
  /** Milliseconds left to wait after the next attempt. */
  private left: number

  constructor({ client, queue, deadlines, timeout, retry, resolve, reject }: LaneWaiterOptions<L>) {
    this.client = client
    this.queue = queue
    this.deadlines = deadlines
    this.retry = retry
    this.resolve = resolve
    this.reject = reject
    const first = Math.min(LOOK, timeout)
    this.left = timeout - first
    this.deadline = deadlines.in(first)
    deadlines.watch(this)
  }

  leave(): void {
    this.queue.delete(this)
    this.deadlines.forget(this)
  }

  giveUp(): void {
    this.leave()
    this.reject(tooBusy())
  }

  onDeadline(): void {
    if (this.left <= 0) return this.giveUp()
    const next = Math.min(LOOK, this.left)
    this.left -= next
    this.deadline = this.deadlines.now + next
    this.retry()
  }
}

/** A pool in which requests wait for lanes. */
export interface Waitable<L extends Lane> {
  readonly waiting: FairQueue<LaneWaiter<L>>
  readonly deadlines: Deadlines
  readonly options: Pick<PoolBounds, 'queue' | 'queueTimeout'>
  /** Frees a lane for that client, if another client has occupied one for too long. */
  makeRoom(client: string): void
}

/**
 * Waits for a lane of the pool. Rejects with GatewayError 'too-busy' where the queue is full and none of its requests
 * can be dropped, or once the waiting time is over.
 */
export function joinQueue<L extends Lane>(pool: Waitable<L>, client: string): Promise<L> {
  const { waiting, deadlines, options } = pool
  const { queue, queueTimeout: timeout } = options
  if (waiting.size >= queue) {
    const last = waiting.lastBeyond(queue / 2, client)
    if (last === undefined) return Promise.reject(tooBusy())
    last.giveUp()
  }
  return new Promise((resolve, reject) => {
    const retry = (): void => pool.makeRoom(client)
    waiting.add(new LaneWaiter({ client, queue: waiting, deadlines, timeout, retry, resolve, reject }))
    retry()
  })
}

/** The error for a full queue, or for a wait that took too long. */
function tooBusy(): GatewayError {
  return new GatewayError('too-busy', 'The gateway has too many requests waiting for this service; try again later.', {
    headers: [['Retry-After', '1']],
  })
}
