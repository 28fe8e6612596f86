import type { z } from 'zod'
import type { Exchange } from '../../src/http/exchange.ts'
import type { Lane, LanePool, ReplyListener } from '../../src/http/lane.ts'
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts'
import { PendingReply } from '../../src/http/pending-reply.ts'
import type { Reply } from '../../src/http/reply.ts'
import { Deadlines } from '../../src/http/deadlines.ts'
import { Attempts } from '../../src/services/attempts.ts'
import type { Outcome } from '../../src/services/outcome.ts'
import type { PooledInstance } from '../../src/services/pooled-instance.ts'
import { RequestForm } from '../../src/services/request-form.ts'
import type { Service } from '../../src/services/service.ts'
import { HealthBoard } from '../../src/services/health/board.ts'
import { Hedge } from '../../src/services/hedge/hedge.ts'
import { hedgeBudget, hedgeSchema } from '../../src/services/hedge/index.ts'
import { WindowCounts } from '../../src/services/health/window-counts.ts'
import { retrySchema } from '../../src/services/retry/index.ts'
import { Retry } from '../../src/services/retry/retry.ts'
import { BUDGET_KINDS, RetryBudget } from '../../src/services/retry/retry-budget.ts'
import { StalledAttempts } from '../../src/services/stalled-attempts.ts'
import { makeExchange } from './exchange.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** An instance whose lanes are controlled by the test; it does not use the network. */
export class ScriptedInstance implements Lane {
  readonly address: string
  readonly authority: string
  readonly slot: number
  readonly weight = 1
  inFlight = 0
  sent = 0
  cancelled = 0
  /** The requests sent to it. */
  readonly requests: OutgoingRequest[] = []
  /** Waits for the reply to the last request. */
  listener: ReplyListener | null = null
  /** Settles the wait for a lane, if none is free. */
  lanes: { resolve: (lane: Lane) => void; reject: (error: Error) => void } | null = null
  /** Whether a lane is free immediately. */
  free = true

  constructor(slot: number) {
    this.slot = slot
    this.address = this.authority = `instance-${slot}:80`
  }

  readonly pool: Pick<LanePool, 'take' | 'acquire'> = {
    take: () => (this.free ? this : null),
    acquire: () => {
      const { promise, resolve, reject } = Promise.withResolvers<Lane>()
      this.lanes = { resolve, reject }
      return promise
    },
  }

  exchange(request: OutgoingRequest, listener: ReplyListener): void {
    this.requests.push(request)
    this.listener = listener
  }

  cancel(): void {
    this.cancelled++
  }

  giveBack(): void {}
  begin = (): void => void this.inFlight++
  end = (): void => void this.inFlight--
  beginExchange = (): void => void this.sent++
  endExchange = (): void => void this.sent--
}

/** The outcome of an attempt as reported, in words. */
export type Report = Pick<Outcome, 'phase' | 'status' | 'reason' | 'fault' | 'took' | 'streamed' | 'again'> & {
  readonly slot: number
  readonly kind: 'ended' | 'passed' | 'brokeOff'
}

export interface AttemptsSetUp {
  readonly retry?: z.input<typeof retrySchema>
  readonly hedge?: z.input<typeof hedgeSchema>
  readonly total?: number
  /** How many other requests two instances already have. */
  readonly others?: number
  /** The instance that the client is bound to. */
  readonly bound?: number
  /** The number of consecutive failures of each instance. */
  readonly rows?: readonly number[]
  /** The value of the random number. */
  readonly drawn?: number
}

function makeRetry(
  { retry: options, drawn = 0.5 }: AttemptsSetUp,
  counts: WindowCounts,
  deadlines: Deadlines,
  exhausted: () => void,
): Retry | null {
  if (options === undefined) return null
  const parsed = retrySchema.parse(options)
  if (parsed === false) return null
  return new Retry(parsed, new RetryBudget(counts, 0, parsed, deadlines), { add: exhausted }, () => drawn)
}

function makeHedge(
  { hedge: options }: AttemptsSetUp,
  counts: WindowCounts,
  deadlines: Deadlines,
  report: string[],
): Hedge | null {
  if (options === undefined) return null
  const parsed = hedgeSchema.parse(options)
  if (parsed === false) return null
  const { clock } = deadlines
  const budget = new RetryBudget(counts, 0, hedgeBudget(parsed), deadlines, 'hedge')
  const counter = (metric: unknown, labels: object) => {
    const words = [String(metric).replace(/^sallyport_|_total$/g, ''), ...('outcome' in labels ? [labels.outcome] : [])]
    return { add: () => void report.push(words.join(' ')) }
  }
  return new Hedge('users', parsed, { clock, metrics: { counter }, budget })
}

/** A service whose instances are tried in order, and everything reported about it. */
export function makeService(instances: readonly ScriptedInstance[], clock: ManualClock, set: AttemptsSetUp = {}) {
  const { rows = [], others = 0, bound } = set
  const deadlines = new Deadlines(clock)
  const board = HealthBoard.create(instances.length)
  const counts = new WindowCounts(new Int32Array(WindowCounts.cellsFor(1, BUDGET_KINDS)), 1, BUDGET_KINDS, 1, 0)
  const reported: Report[] = []
  const retries: string[] = []
  const hedges: string[] = []
  const report = (kind: Report['kind'], outcome: Outcome): void => {
    const { phase, status, reason, fault, took, streamed, again, instance } = outcome
    reported.push({ kind, slot: instance.slot, phase, status, reason, fault, took, streamed, again })
  }
  const retry = makeRetry(set, counts, deadlines, () => retries.push('exhausted'))
  const hedge = makeHedge(set, counts, deadlines, hedges)
  for (let i = 0; i < others; i++) hedge?.spend()
  const service = {
    clock,
    deadlines,
    retry,
    hedge,
    repeats: retry?.budget ?? hedge?.budget ?? null,
    stalled: new StalledAttempts(board, deadlines),
    failuresOf: ({ slot }: PooledInstance) => rows[slot] ?? 0,
    sticky: bound === undefined ? null : { bound: () => instances[bound], bind: () => {} },
    limit: null,
    balancer: {
      pick: (_: unknown, tried: readonly PooledInstance[] | null) =>
        instances.find((instance) => !(tried ?? []).some(({ slot }) => slot === instance.slot)) ?? null,
    },
    retries: { count: (reason: string) => void retries.push(reason) },
    beginners: [],
    listeners: [
      {
        ended: (outcome: Outcome) => report('ended', outcome),
        passed: (outcome: Outcome) => report('passed', outcome),
        brokeOff: (outcome: Outcome) => report('brokeOff', outcome),
      },
      ...(hedge === null ? [] : [hedge]),
    ],
  } as unknown as Service
  return { service, board, reported, retries, hedges }
}

/** The form of requests with that total timeout in milliseconds. */
export function makeForm(total = 0): RequestForm {
  return new RequestForm('client', {
    rewrite: null,
    rewriteHost: null,
    prefixField: '',
    hedge: true,
    timeouts: { responseTimeout: 1, idleTimeout: 1 },
    priority: 'normal',
    total,
  })
}

/** The attempts to answer one exchange, by instances that are tried in order. */
export function setUpAttempts(
  instances: readonly ScriptedInstance[],
  parts: Partial<Exchange> = {},
  set: AttemptsSetUp = {},
) {
  const clock = new ManualClock()
  const { service, ...others } = makeService(instances, clock, set)
  const exchange = makeExchange(parts)
  const pending = new PendingReply(exchange)
  const result: { reply: Reply | null; error: unknown } = { reply: null, error: null }
  pending.promise.then(
    (reply) => (result.reply = reply),
    (error: unknown) => (result.error = error),
  )
  new Attempts(service, makeForm(set.total), exchange.path, exchange, pending).begin()
  return { clock, deadlines: service.deadlines, ...others, exchange, result }
}

/** Lets the handlers of settled promises run. */
export const received = (): Promise<unknown> => new Promise(setImmediate)
