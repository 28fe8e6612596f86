import type { Counter } from '../../core/metrics.ts'
import { Bytes } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { RetryOptions } from './index.ts'
import type { RetryBudget } from './retry-budget.ts'

/** RFC 9110 section 9.2.2, and QUERY (safe, therefore idempotent). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'])

/** RFC 9110 section 9.2.1, and QUERY. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])

/** Minimum randomized delay, in milliseconds, before a retry on an instance that has just failed other requests. */
const MIN_WAIT = 25
const MAX_WAIT = 250

/** Whether sending the request twice has the same effect as sending it once, and its body is fully available. */
export function mayRepeat({ method, body }: Exchange): boolean {
  return IDEMPOTENT.has(method) && (body === null || body instanceof Bytes)
}

/** Whether the method is safe, that is, requests no changes. */
export function isSafe({ method }: Exchange): boolean {
  return SAFE.has(method)
}

/** Decides which requests to one service are retried on another instance. */
export class Retry {
  readonly budget: RetryBudget
  private readonly options: RetryOptions
  private readonly statuses: ReadonlySet<number>
  private readonly calls: ReadonlySet<string>
  private readonly exhausted: Counter
  private readonly random: () => number

  /** `exhausted` counts requests that were not retried only because the budget was exhausted. */
  constructor(options: RetryOptions, budget: RetryBudget, exhausted: Counter, random: () => number) {
    this.options = options
    this.budget = budget
    this.statuses = new Set(options.statuses)
    this.calls = new Set(options.grpc)
    this.exhausted = exhausted
    this.random = random
  }

  /** Whether a reply with that status is retried. */
  isFor(status: number): boolean {
    return this.statuses.has(status)
  }

  /** Whether the request may be retried after `times` retries. */
  allows(exchange: Exchange, times: number): boolean {
    return times < this.options.attempts && this.covers(exchange)
  }

  /** Whether the options declare that the request may be sent twice, and its body was kept. */
  covers(exchange: Exchange): boolean {
    const { method, body, headers } = exchange
    const { body: largest, idempotencyKey } = this.options
    if (body !== null && !(body instanceof Bytes && body.length <= largest)) return false
    if (IDEMPOTENT.has(method)) return true
    if (exchange.grpc !== null) return this.allowsCall(exchange.path)
    return idempotencyKey && (method === 'POST' || method === 'PATCH') && headers.has('Idempotency-Key')
  }

  /** Whether the gRPC method, at the end of the path, is configured as safe to repeat. */
  private allowsCall(path: string): boolean {
    const method = path.lastIndexOf('/')
    const service = path.lastIndexOf('/', method - 1) + 1
    return this.calls.has(path.slice(service)) || this.calls.has(`${path.slice(service, method)}/*`)
  }

  /** Whether the budget allows one more retry. */
  spend(): boolean {
    const may = this.budget.spend()
    if (!may) this.exhausted.add(1)
    return may
  }

  /** Delay before using an instance with this many consecutive failures, in milliseconds. */
  wait(row: number): number {
    return row === 0 ? 0 : MIN_WAIT + (MAX_WAIT - MIN_WAIT) * this.random()
  }
}
