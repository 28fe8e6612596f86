import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import * as fc from 'fast-check'
import {
  type Algorithm,
  algorithms,
  type Decision,
  type Limit,
  type Meter,
} from '../../src/policies/rate-limit/meter.ts'
import { type Decided, promises } from './limit-model.ts'

/** A store under test. */
export interface LimitStore {
  meter(limit: Limit): Meter
  /** Lets that many milliseconds pass. */
  advance(ms: number): Promise<void> | void
  /** Milliseconds that have passed. */
  now(): number
}

export interface ContractOptions {
  /** The number of request sequences on which the promises are tested. */
  readonly runs: number
  /** The time between two arrivals is a multiple of this, in milliseconds: long where keys age in real time as well. Default 100. */
  readonly step?: number
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The behavior of every store, for every algorithm. */
export function limitContract(
  name: string,
  open: (t: TestContext) => Promise<LimitStore> | LimitStore,
  { runs, step = 100 }: ContractOptions,
): void {
  let clients = 0
  for (const algorithm of algorithms) {
    const check = (behavior: string, body: (store: Harness) => Promise<void>): void => {
      test(`${name}, ${algorithm}: ${behavior}`, async (t) => body(new Harness(await open(t), algorithm, ++clients)))
    }

    check('admits exactly the limit, counting down, and then rejects', async (store) => {
      const meter = store.meter('5/m')
      for (const remaining of [4, 3, 2, 1, 0]) {
        const { admitted, quotas } = await store.decide(meter)
        assert.deepEqual([admitted, quotas[0]!.remaining, quotas[0]!.wait], [true, remaining, 0])
        assert.ok(quotas[0]!.reset > 0)
      }
      for (let i = 0; i < 3; i++) {
        const { admitted, quotas } = await store.decide(meter)
        assert.deepEqual([admitted, quotas[0]!.remaining], [false, 0])
        assert.ok(quotas[0]!.wait > 0)
      }
    })

    check('gives the exact time to wait', async (store) => {
      const meter = store.meter('6/m')
      await store.take(meter, 6)
      const { wait } = (await store.decide(meter, 2)).quotas[0]!
      await store.advance(wait - 500)
      assert.equal((await store.decide(meter, 2)).admitted, false)
      await store.advance(500)
      assert.equal((await store.decide(meter, 2)).admitted, true)
    })

    check('forgets old usage', async (store) => {
      const meter = store.meter('4/m')
      for (let round = 0; round < 3; round++) {
        await store.take(meter, 4)
        assert.equal((await store.decide(meter)).admitted, false)
        await store.advance(2 * MINUTE)
      }
    })

    check('charges nothing for a rejected request', async (store) => {
      const meter = store.meter('10/m')
      await store.take(meter, 8)
      for (let i = 0; i < 20; i++) assert.equal((await store.decide(meter, 3)).admitted, false)
      assert.equal((await store.decide(meter, 2)).admitted, true)
    })

    check('charges the cost of a request', async (store) => {
      const meter = store.meter('100/m')
      assert.equal((await store.decide(meter, 60)).quotas[0]!.remaining, 40)
      assert.equal((await store.decide(meter, 41)).admitted, false)
      assert.equal((await store.decide(meter, 40)).quotas[0]!.remaining, 0)
    })

    check('resets one client without affecting others', async (store) => {
      const meter = store.meter('3/m', '5/h')
      const other = `${store.client}-b`
      await meter.decide(other, 2)
      for (let round = 0; round < 3; round++) {
        await store.take(meter, 3)
        assert.equal((await store.decide(meter)).admitted, false)
        assert.equal(await meter.forget(store.client), true)
        const { quotas } = await store.decide(meter, 0)
        assert.deepEqual(
          quotas.map(({ remaining }) => remaining),
          [3, 5],
        )
      }
      assert.equal((await meter.decide(other, 0))?.quotas[0]!.remaining, 1)
    })

    check('reports without charging if the cost is 0', async (store) => {
      const meter = store.meter('2/m')
      for (let i = 0; i < 5; i++) {
        const { admitted, quotas } = await store.decide(meter, 0)
        assert.deepEqual([admitted, quotas[0]!.remaining], [true, 2])
      }
      await store.take(meter, 2)
      assert.equal((await store.decide(meter, 0)).admitted, false)
    })

    check('admits if all quotas admit, and charges none if one rejects', async (store) => {
      const meter = store.meter('3/m', '5/h')
      await store.take(meter, 3)
      for (let i = 0; i < 5; i++) {
        const { admitted, quotas } = await store.decide(meter)
        assert.equal(admitted, false)
        assert.deepEqual(
          quotas.map(({ remaining }) => remaining),
          [0, 2],
        )
        assert.ok(quotas[0]!.wait > 0)
        assert.equal(quotas[1]!.wait, 0)
      }
      await store.advance(2 * MINUTE)
      await store.take(meter, 2)
      const last = await store.decide(meter)
      assert.equal(last.admitted, false)
      assert.ok(last.quotas[1]!.wait > 0)
      assert.ok(last.quotas[0]!.remaining > 0)
    })

    check('counts clients and limits separately, and the same limit together', async (store) => {
      const meter = store.meter('2/m')
      await store.take(meter, 2)
      assert.equal((await store.decide(meter)).admitted, false)
      assert.equal((await store.decide(store.meter('2/m'))).admitted, false)
      assert.equal((await store.decide(store.named('other', '2/m'))).admitted, true)
      assert.equal((await meter.decide(`${store.client}-b`, 1))?.admitted, true)
    })

    check('admits no more than the limit of simultaneous requests', async (store) => {
      const meter = store.meter('40/m', '50/h')
      const decisions = await Promise.all(Array.from({ length: 100 }, () => store.decide(meter)))
      assert.equal(decisions.filter(({ admitted }) => admitted).length, 40)
    })

    check('never exceeds the limit, whatever the arrival times and costs', async (store) => {
      const arrivals = fc.array(fc.record({ after: fc.nat(30), cost: fc.integer({ min: 1, max: 4 }) }), {
        minLength: 5,
        maxLength: 40,
        size: 'max',
      })
      const limits = fc.integer({ min: 4, max: 12 })
      let run = 0
      await fc.assert(
        fc.asyncProperty(limits, arrivals, async (limit, requests) => {
          const quota = { limit, window: 80 * step }
          const meter = store.meter(quota)
          const start = store.now()
          const client = `${store.client}-${++run}`
          const decided: Decided[] = []
          for (const { after, cost } of requests) {
            await store.advance(after * step)
            const decision = await meter.decide(client, cost)
            decided.push({ at: store.now() - start, cost, admitted: decision?.admitted ?? false })
          }
          promises[algorithm](decided, quota)
        }),
        { numRuns: runs },
      )
    })
  }
}

/** A store, an algorithm, and a client of its own. */
class Harness {
  readonly client: string
  private readonly store: LimitStore
  private readonly algorithm: Algorithm

  constructor(store: LimitStore, algorithm: Algorithm, number: number) {
    this.store = store
    this.algorithm = algorithm
    this.client = `client-${number}`
  }

  meter(...rates: (string | { limit: number; window: number })[]): Meter {
    return this.named('tier', ...rates)
  }

  named(name: string, ...rates: (string | { limit: number; window: number })[]): Meter {
    return this.store.meter({ name, algorithm: this.algorithm, quotas: rates.map(quotaOf) })
  }

  async decide(meter: Meter, cost = 1): Promise<Decision> {
    const decision = await meter.decide(this.client, cost)
    assert.ok(decision !== null)
    return decision
  }

  /** Uses up that many single requests. */
  async take(meter: Meter, requests: number): Promise<void> {
    for (let i = 0; i < requests; i++) assert.equal((await this.decide(meter)).admitted, true)
  }

  async advance(ms: number): Promise<void> {
    await this.store.advance(ms)
  }

  now(): number {
    return this.store.now()
  }
}

function quotaOf(rate: string | { limit: number; window: number }) {
  if (typeof rate !== 'string') return rate
  const [limit, unit] = rate.split('/')
  return { limit: Number(limit), window: unit === 'h' ? HOUR : MINUTE }
}
