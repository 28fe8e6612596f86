import type { Balancer, BalancerKind } from '../../src/services/balancers/balancer.ts'
import { Candidates } from '../../src/services/balancers/candidates.ts'
import { HealthBoard } from '../../src/services/health/board.ts'
import type { Instance } from '../../src/services/instance.ts'
import { makeExchange } from './exchange.ts'
import { makeOutcome } from './outcome.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** How long to wait for replies after the last request. */
const TIMEOUT = 80_000

/** What to simulate; times are in milliseconds. */
export interface Simulation {
  readonly kind: BalancerKind
  readonly workers: number
  /** Whether workers see each other's requests. */
  readonly shared: boolean
  /** The mean duration of a request on each instance, at a time since the start. */
  readonly means: readonly ((now: number) => number)[]
  /** The number of requests that one instance serves at the same time; others wait there. */
  readonly slots: number
  /** Requests per millisecond. */
  readonly rate: number
  readonly duration: number
  readonly seed: number
  /** When each instance joins the service; all are there from the start by default. */
  readonly joins?: readonly number[]
  /** Only requests that started within this time are measured; all by default. */
  readonly measured?: readonly [from: number, to: number]
}

/** The result: the durations of the requests in milliseconds, shortest first, and the number of requests of each instance. */
export interface Simulated {
  readonly latencies: readonly number[]
  readonly counts: readonly number[]
}

/** A service with random requests, balanced by several workers; deterministic. */
export function simulate(simulation: Simulation): Simulated {
  const { kind, workers, shared, means, slots, rate, duration, seed, joins = [], measured = [0, Infinity] } = simulation
  const clock = new ManualClock()
  const random = seeded(seed)
  const exponential = (mean: number): number => -mean * Math.log(1 - random())
  const servers = means.map((mean) => new Server(clock, slots, () => exponential(mean(clock.now()))))
  const board = HealthBoard.create(means.length)
  for (const [slot, at] of joins.entries()) {
    if (at === 0) continue
    board.set(slot, 'pending')
    clock.after(at, () => board.set(slot, 'healthy'))
  }
  const gateways = Array.from({ length: workers }, () => {
    const own = shared ? board : HealthBoard.create(means.length)
    const instances = means.map((_, slot) => new SimulatedInstance(slot, own))
    return kind.create(new Candidates(instances, board), { clock, random }, null)
  })
  const latencies: number[] = []
  const request = makeExchange()
  const arrive = (): void => {
    if (clock.now() < duration) clock.after(exponential(1 / rate), arrive)
    const balancer: Balancer<SimulatedInstance> = gateways[Math.floor(random() * workers)]!
    const instance = balancer.pick(request, null)!
    const start = clock.now()
    instance.begin()
    servers[instance.slot]!.serve(() => {
      instance.end()
      balancer.ended?.(makeOutcome(instance, { took: clock.now() - start }))
      if (start >= measured[0] && start < measured[1]) latencies.push(clock.now() - start)
    })
  }
  clock.after(exponential(1 / rate), arrive)
  // Requests that are still waiting then are not counted.
  clock.advance(duration + TIMEOUT)
  return { latencies: latencies.toSorted((a, b) => a - b), counts: servers.map(({ served }) => served) }
}

/** The percentile `part` of the latencies. */
export function percentile({ latencies }: Simulated, part: number): number {
  return latencies[Math.floor(latencies.length * part)]!
}

class SimulatedInstance implements Instance {
  readonly host: string
  readonly address: string
  readonly port = 80
  readonly weight = 1
  readonly slot: number
  private readonly board: HealthBoard

  constructor(slot: number, board: HealthBoard) {
    this.host = `instance-${slot}`
    this.address = `${this.host}:80`
    this.slot = slot
    this.board = board
  }

  get inFlight(): number {
    return this.board.requests.of(this.slot)
  }

  begin(): void {
    this.board.requests.begin(this.slot)
  }

  end(): void {
    this.board.requests.end(this.slot)
  }
}

class Server {
  served = 0
  private readonly clock: ManualClock
  private readonly time: () => number
  private free: number
  private readonly waiting: (() => void)[] = []

  constructor(clock: ManualClock, slots: number, time: () => number) {
    this.clock = clock
    this.time = time
    this.free = slots
  }

  serve(done: () => void): void {
    this.served++
    if (this.free > 0) this.start(done)
    else this.waiting.push(done)
  }

  private start(done: () => void): void {
    this.free--
    this.clock.after(this.time(), () => {
      this.free++
      const next = this.waiting.shift()
      if (next !== undefined) this.start(next)
      done()
    })
  }
}

/** A small generator of uniform numbers with the same sequence in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
