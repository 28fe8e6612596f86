import { serviceSchema } from '../../src/config/service-schema.ts'
import type { Clock } from '../../src/core/clock.ts'
import { present } from '../../src/core/present.ts'
import { Holder } from '../../src/core/shared.ts'
import { Bytes } from '../../src/http/body.ts'
import { Deadlines } from '../../src/http/deadlines.ts'
import { Headers } from '../../src/http/headers.ts'
import type { Lane, LanePool, ReplyListener } from '../../src/http/lane.ts'
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts'
import { Reply } from '../../src/http/reply.ts'
import { connectionKey } from '../../src/services/connection-key.ts'
import { createForward } from '../../src/services/forward.ts'
import { HealthBoard } from '../../src/services/health/board.ts'
import { LiveInstance, liveInstances } from '../../src/services/live-instance.ts'
import { EjectionManager } from '../../src/services/passive/ejection-manager.ts'
import { CurrentService } from '../../src/services/current-service.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { ThreadMetrics } from '../../src/telemetry/metrics/thread-metrics.ts'
import { makeExchange } from './exchange.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { seeded } from './simulation.ts'

/** A simulated service and its random requests; times are in milliseconds. */
export interface FailingService {
  /** The settings `passive` and `retry` of the service. */
  readonly settings: Readonly<Record<'passive' | 'retry', unknown>>
  /** The fraction of its requests that each instance answers with 503. */
  readonly failing: readonly number[]
  /** The mean duration of a request, and how many are served at the same time; at most `queue` others wait. */
  readonly mean: number
  readonly slots: number
  readonly queue: number
  /** Requests per millisecond. */
  readonly rate: number
  readonly duration: number
  readonly seed: number
}

/** The result; fractions are relative to the number of requests. */
export interface FailingServiceResult {
  readonly failed: number
  readonly attempts: number
  readonly ejections: number
}

/** Lets a service with real passive health checks and retries forward requests to simulated instances; deterministic. */
export async function simulateFailing(simulation: FailingService): Promise<FailingServiceResult> {
  const { settings, failing, rate, duration, seed } = simulation
  const clock = new ManualClock()
  const random = seeded(seed)
  const exponential = (mean: number): number => -mean * Math.log(1 - random())
  const board = HealthBoard.create(failing.length)
  const metrics = new ThreadMetrics(() => {}, clock)
  const instances = failing.map((share) => new FailingInstance(clock, simulation, share, random))
  const urls = failing.map((_, slot) => `http://instance-${slot}:80`)
  const addresses = failing.map((_, slot) => `instance-${slot}:80`)
  const holder = new Holder({})
  for (const [slot, pool] of instances.entries()) {
    const address = present(addresses[slot], 'address')
    liveInstances.get(holder, `orders ${address} ${connectionKey(null, 'off')}`, () => {
      return new LiveInstance('orders', address, pool, metrics)
    })
  }
  const options = serviceSchema.parse({ instances: urls, balancer: 'round-robin', ...settings })
  const place = { slots: new Map(addresses.map((address, slot) => [address, slot])), previous: null }
  const tools = { board, deadlines: new Deadlines(clock), random, metrics, stickyKeys: [], holder, zone: null }
  const service = new CurrentService('orders', options, place, null, tools)
  const keeper = new EjectionManager({ board, clock, random, log: createMemoryLogger('error').log, metrics })
  keeper.configure([{ name: 'orders', passive: options.passive, instances: service.current.instances }])
  const forward = createForward(service, {
    rewrite: null,
    rewriteHost: null,
    prefixField: '',
    hedge: true,
    priority: 'normal',
    total: 0,
    timeouts: { responseTimeout: 30_000, idleTimeout: 30_000 },
  })
  const replies: Promise<Reply>[] = []
  const arrive = (): void => {
    if (clock.now() < duration) clock.after(exponential(1 / rate), arrive)
    replies.push(Promise.resolve(forward(makeExchange())))
  }
  clock.after(exponential(1 / rate), arrive)
  clock.advance(duration + 10_000)
  keeper.stop()
  const settled = await Promise.allSettled(replies)
  const failures = settled.filter((each) => each.status === 'rejected' || each.value.status !== 200)
  return {
    failed: failures.length / replies.length,
    attempts: instances.reduce((sum, { asked }) => sum + asked, 0) / replies.length,
    ejections: failing.reduce((sum, _, slot) => sum + board.ejections.total(slot), 0),
  }
}

/** An instance and its lanes, of which one is always free. */
class FailingInstance implements Lane, LanePool {
  readonly size = { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 }
  asked = 0
  private readonly clock: Clock
  private readonly bounds: FailingService
  private readonly share: number
  private readonly random: () => number
  private readonly waiting: ReplyListener[] = []
  private busy = 0

  constructor(clock: Clock, bounds: FailingService, share: number, random: () => number) {
    this.clock = clock
    this.bounds = bounds
    this.share = share
    this.random = random
  }

  take(): Lane {
    return this
  }

  /** Never called, because a lane is always free. */
  acquire(): Promise<Lane> {
    return Promise.reject(new Error('a new lane is requested'))
  }

  exchange(_: OutgoingRequest, listener: ReplyListener): void {
    this.asked++
    if (this.busy < this.bounds.slots) return this.serve(listener)
    if (this.waiting.length < this.bounds.queue) return void this.waiting.push(listener)
    this.clock.after(0.2, () => reply(listener, 503))
  }

  cancel(): void {}
  giveBack(): void {}
  configure(): void {}
  close(): void {}

  private serve(listener: ReplyListener): void {
    this.busy++
    this.clock.after(-this.bounds.mean * Math.log(1 - this.random()), () => {
      this.busy--
      const next = this.waiting.shift()
      if (next !== undefined) this.serve(next)
      reply(listener, this.random() < this.share ? 503 : 200)
    })
  }
}

function reply(listener: ReplyListener, status: number): void {
  listener.replied(new Reply(status, Headers.of(), Bytes.fromLatin1('')), false)
  listener.finished()
}
