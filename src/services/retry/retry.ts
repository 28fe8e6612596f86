import type { Counter } from '../../core/metrics.ts'
import { Bytes } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { RetryOptions } from './index.ts'
import type { RetryBudget } from './retry-budget.ts'

/** RFC 9110 section 9.2.2, and QUERY (safe, so idempotent). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'])

/** RFC 9110 section 9.2.1, and QUERY. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])

/** A retry on an instance that has just failed others waits for so long, in milliseconds, at random. */
const LEAST_WAIT = 25
const LONGEST_WAIT = 250

/** Whether sending it a second time does no more than sending it once, and all of it is at hand. */
export function mayRepeat({ method, body }: Exchange): boolean {
  return IDEMPOTENT.has(method) && (body === null || body instanceof Bytes)
}

/** Whether it asks for nothing to be changed. */
export function isSafe({ method }: Exchange): boolean {
  return SAFE.has(method)
}

/** Which requests to one service are sent to another instance when one has failed. */
export class Retry {
  readonly budget: RetryBudget
  private readonly options: RetryOptions
  private readonly statuses: ReadonlySet<number>
  private readonly calls: ReadonlySet<string>
  private readonly exhausted: Counter
  private readonly random: () => number

  /** `exhausted` counts requests that would have been sent again if the budget had allowed it. */
  constructor(options: RetryOptions, budget: RetryBudget, exhausted: Counter, random: () => number) {
    this.options = options
    this.budget = budget
    this.statuses = new Set(options.statuses)
    this.calls = new Set(options.grpc)
    this.exhausted = exhausted
    this.random = random
  }

  /** Whether another instance is asked in place of a reply with that status. */
  isFor(status: number): boolean {
    return this.statuses.has(status)
  }

  /** Whether the request may be sent again that has been so often already. */
  allows(exchange: Exchange, times: number): boolean {
    const { method, body, headers } = exchange
    const { attempts, body: largest, idempotencyKey } = this.options
    if (times >= attempts) return false
    if (body !== null && !(body instanceof Bytes && body.length <= largest)) return false
    if (IDEMPOTENT.has(method)) return true
    if (exchange.grpc !== null) return this.allowsCall(exchange.path)
    return idempotencyKey && (method === 'POST' || method === 'PATCH') && headers.has('Idempotency-Key')
  }

  /** Whether the method, which ends the path, is one of those that may be sent again. */
  private allowsCall(path: string): boolean {
    const method = path.lastIndexOf('/')
    const service = path.lastIndexOf('/', method - 1) + 1
    return this.calls.has(path.slice(service)) || this.calls.has(`${path.slice(service, method)}/*`)
  }

  /** Whether the budget allows one more. */
  spend(): boolean {
    const may = this.budget.spend()
    if (!may) this.exhausted.add(1)
    return may
  }

  /** How long to wait before the instance is asked that has failed so many requests in a row, in milliseconds. */
  wait(row: number): number {
    return row === 0 ? 0 : LEAST_WAIT + (LONGEST_WAIT - LEAST_WAIT) * this.random()
  }
}
