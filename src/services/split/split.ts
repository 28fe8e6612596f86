import { numberOf, rendezvousScore } from '../../core/rendezvous.ts'
import { LowDiscrepancySequence } from '../../core/low-discrepancy-sequence.ts'
import { cookieValues } from '../../http/cookies.ts'
import type { BalancedRequest } from '../balancers/balancer.ts'
import { hashKey } from '../balancers/hash-key.ts'
import type { SplitConfig } from './split-schema.ts'

interface Part {
  readonly name: string
  readonly weight: number
  readonly seed: number
}

/**
 * Chooses the service of each request:
 * 1. the service named by the request itself
 * 2. otherwise the service for the request's key, the same in every worker and every gateway; when weights change, no more keys move than
 *    necessary
 * 3. otherwise by evenly spaced steps around a circle on which each service has its share, which approximates the weights better than
 *    random choices
 */
export class Split {
  private readonly parts: readonly Part[]
  private readonly names: ReadonlySet<string>
  private readonly total: number
  private readonly header: string | null
  private readonly cookie: string | null
  private readonly keyOf: (request: BalancedRequest) => string | null
  private readonly steps: LowDiscrepancySequence

  /** `random` makes workers start at different positions. */
  constructor({ services, header, cookie, sticky }: SplitConfig, random: () => number) {
    const entries = Object.entries(services)
    this.parts = entries
      .filter(([, weight]) => weight > 0)
      .map(([name, weight]) => ({ name, weight, seed: numberOf(name) }))
    this.names = new Set(entries.map(([name]) => name))
    this.total = this.parts.reduce((sum, { weight }) => sum + weight, 0)
    this.header = header ?? null
    this.cookie = cookie ?? null
    this.keyOf = sticky === undefined ? () => null : hashKey(sticky)
    this.steps = new LowDiscrepancySequence(random())
  }

  /** Whether the request has named the service itself, so that it needs no cookie to be sent to it again. */
  isKept(request: BalancedRequest): boolean {
    return this.namedService(request) !== null
  }

  /** The name of the chosen service. */
  choose(request: BalancedRequest): string {
    // 1.
    const named = this.namedService(request)
    if (named !== null) return named
    // 2.
    const key = this.keyOf(request)
    if (key !== null) return this.highest(numberOf(key))
    // 3.
    return this.shareAt(this.steps.next() * this.total)
  }

  private namedService({ headers }: BalancedRequest): string | null {
    const { names } = this
    const value = this.header === null ? undefined : headers.get(this.header)
    if (value !== undefined && names.has(value)) return value
    if (this.cookie === null) return null
    return cookieValues(headers, this.cookie).find((each) => names.has(each)) ?? null
  }

  private highest(key: number): string {
    let found = ''
    let top = -Infinity
    for (const { name, weight, seed } of this.parts) {
      const score = rendezvousScore(key, seed, weight)
      if (score <= top) continue
      found = name
      top = score
    }
    return found
  }

  private shareAt(place: number): string {
    let end = 0
    for (const { name, weight } of this.parts) {
      end += weight
      if (place < end) return name
    }
    return this.parts.at(-1)?.name ?? ''
  }
}
