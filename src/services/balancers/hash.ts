import { z } from 'zod'
import { numberOf, rendezvousScore } from '../../core/rendezvous.ts'
import type { Instance } from '../instance.ts'
import type { BalancedRequest, Balancer, BalancerKind } from './balancer.ts'
import type { Candidates } from './candidates.ts'
import { hashBy, hashKey } from './hash-key.ts'
import { InTurn } from './in-turn.ts'

/** How far an instance may exceed its share of in-flight requests before its keys go elsewhere. */
const FACTOR = 1.25
/** An instance with fewer in-flight requests than this is never considered overloaded: a single browser sends six at a time. */
const FEW = 8

/** Schema of the options. */
export const hashOptions = z.strictObject({
  by: hashBy
    .default('ip')
    .describe(
      'What decides the instance: consumer (the user, or the owner of the API key; anonymous requests by address), ip, or a { header }, { cookie } or { query } parameter. Requests without it are balanced by least-requests. Default ip.',
    ),
})

export type HashOptions = z.output<typeof hashOptions>

/** Sends requests with the same key to the same instance, in every worker and every gateway. */
export function hash({ by }: HashOptions): BalancerKind {
  return {
    summary:
      'Requests with the same client address, or the same value of { hash: { by } }, go to the same instance, unless ' +
      'it has more than 1.25 times its share.',
    ignoresZones: true,
    create: (candidates, _, previous) =>
      new Hash(candidates, hashKey(by), new InTurn(candidates, true, isHash(previous) ? previous.others : previous)),
  }
}

/**
 * Weighted rendezvous hashing with bounded loads. Each instance gets a score for the key, and the highest score wins: when an instance is
 * added or removed, only its own keys move.
 */
class Hash<I extends Instance> implements Balancer<I> {
  /** Balancer for requests without a key. */
  readonly others: Balancer<I>
  private readonly candidates: Candidates<I>
  private readonly keyOf: (request: BalancedRequest) => string | null
  private list: readonly I[] = []
  private seeds: readonly number[] = []
  private weights = 0

  constructor(candidates: Candidates<I>, keyOf: (request: BalancedRequest) => string | null, others: Balancer<I>) {
    this.candidates = candidates
    this.keyOf = keyOf
    this.others = others
  }

  pick(request: BalancedRequest, tried: readonly I[] | null): I | null {
    const key = this.keyOf(request)
    if (key === null) return this.others.pick(request, tried)
    const list = this.candidates.current()
    if (list !== this.list) this.adopt(list)
    return this.highest(numberOf(key), tried)
  }

  private adopt(list: readonly I[]): void {
    this.list = list
    this.seeds = list.map(({ address }) => numberOf(address))
    this.weights = list.reduce((sum, { weight }) => sum + weight, 0)
  }

  private highest(key: number, tried: readonly I[] | null): I | null {
    const { list, seeds } = this
    const share = this.share()
    let [best, bestFree]: [I | null, I | null] = [null, null]
    let [top, topFree] = [-Infinity, -Infinity]
    for (let i = 0; i < list.length; i++) {
      const instance = list[i]
      if (instance === undefined || (tried !== null && tried.includes(instance))) continue
      const { inFlight, weight } = instance
      const score = rendezvousScore(key, seeds[i] ?? 0, weight)
      if (score > top) {
        best = instance
        top = score
      }
      if (score <= topFree || inFlight >= Math.max(FEW, Math.ceil(share * weight))) continue
      bestFree = instance
      topFree = score
    }
    return bestFree ?? best
  }

  /** How many in-flight requests an instance of weight 1 may have, including the new request. */
  private share(): number {
    let total = 1
    for (const { inFlight } of this.list) total += inFlight
    return (FACTOR * total) / this.weights
  }
}

function isHash<I extends Instance>(balancer: Balancer<I> | null): balancer is Hash<I> {
  return balancer instanceof Hash
}
