import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import * as fc from 'fast-check'
import type { KeyClaim, HeldKey, RepeatStore, StoredReply } from '../../src/policies/idempotency/store.ts'

/** A store under test, and ways to let its time pass. */
export interface OpenRepeatStore {
  readonly store: RepeatStore
  /** Every lease expires. */
  readonly lapse: () => Promise<void>
  /** The retention time of every key expires as well. */
  readonly end: () => Promise<void>
}

const TTL = 3_600_000
const PLENTY = 1_000_000
const KEYS = ['a', 'b']
const CLIENTS = ['192.0.2.1', 'key:partner']

const place = fc.record({ client: fc.constantFrom(...CLIENTS), id: fc.constantFrom(...KEYS) })
const reply: fc.Arbitrary<StoredReply> = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  fields: fc.constantFrom('', 'X: 1', 'X: é'),
  body: fc.option(fc.uint8Array({ maxLength: 20 })),
  digest: fc.option(fc.string()),
})

/** A possible step; `of` selects one of the requests that have claimed something. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('claim' as const),
    place,
    head: fc.constantFrom('h1', 'h2'),
    forward: fc.boolean(),
  }),
  fc.record({ do: fc.constant('keep' as const), of: fc.nat(), reply }),
  fc.record({ do: fc.constantFrom('spend' as const, 'release' as const, 'renew' as const), of: fc.nat() }),
  fc.record({ do: fc.constantFrom('lapse' as const, 'end' as const) }),
)

type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

/** What is known of a key. */
interface Known {
  readonly token: string
  readonly head: string
  state: 'lock' | 'lapsed' | 'spent' | StoredReply
}

/** Which of all requests with a key is the first, and what the others receive, as documented in docs/idempotency.md. */
class Model {
  private readonly keys = new Map<string, Known>()

  claim(id: string, token: string, head: string, forward: boolean): KeyClaim {
    const known = this.keys.get(id)
    const removed = known?.state === 'spent' || known?.state === 'lapsed'
    if (known === undefined || (removed && forward)) {
      this.keys.set(id, { token, head, state: 'lock' })
      return { is: 'claimed' }
    }
    if (removed) return { is: 'spent', head: known.head }
    if (typeof known.state === 'string') return { is: 'outstanding', head: known.head }
    return { is: 'stored', head: known.head, reply: known.state }
  }

  /** The reply of a request that still holds the key, even if it has not been heard of for long. */
  settle(id: string, token: string, state: Known['state'] | null): void {
    const known = this.keys.get(id)
    if (known?.token !== token || (known.state !== 'lock' && known.state !== 'lapsed')) return
    if (state === null) this.keys.delete(id)
    else known.state = state
  }

  lapse(): void {
    for (const known of this.keys.values()) if (known.state === 'lock') known.state = 'lapsed'
  }

  end(): void {
    this.keys.clear()
  }
}

const idOf = ({ place: { client, id } }: HeldKey): string => `${client} ${id}`

async function run(steps: readonly Step[], { store, lapse, end }: OpenRepeatStore): Promise<void> {
  const model = new Model()
  const requests: HeldKey[] = []
  for (const [i, each] of steps.entries()) {
    if (each.do === 'lapse' || each.do === 'end') {
      model[each.do]()
      await (each.do === 'lapse' ? lapse() : end())
      continue
    }
    if (each.do === 'claim') {
      const { head, forward } = each
      const held = { place: each.place, token: String(i) }
      requests.push(held)
      const claimant = { ...held, head, ttl: TTL, forward }
      const foreseen = await store.look(claimant)
      const claim = await store.claim(claimant)
      assert.deepEqual(plain(claim), plain(model.claim(idOf(held), held.token, head, forward)))
      assert.deepEqual(plain(foreseen), plain(claim))
      continue
    }
    const held = 'of' in each ? requests[each.of % requests.length] : undefined
    if (held === undefined) continue
    if (each.do === 'renew') {
      await store.renew([held])
      model.settle(idOf(held), held.token, 'lock')
      continue
    }
    model.settle(idOf(held), held.token, each.do === 'keep' ? each.reply : each.do === 'spend' ? 'spent' : null)
    if (each.do === 'keep') assert.equal(await store.keep(held, each.reply, PLENTY), true)
    else if (each.do === 'spend') assert.equal(await store.spend(held, PLENTY), true)
    else assert.equal(await store.release(held), true)
  }
}

/** Byte arrays are equal whatever their class. */
function plain(claim: KeyClaim | null): unknown {
  if (claim === null || claim.is !== 'stored') return claim
  const { body, ...rest } = claim.reply
  return { ...claim, reply: { ...rest, body: body === null ? null : [...body] } }
}

/** The behavior of every store, for any order of steps; `open` opens an empty one. */
export function repeatContract(
  name: string,
  runs: number,
  setUp: (t: TestContext) => Promise<() => OpenRepeatStore>,
): void {
  test(`${name}: exactly one request with a key is the first, and the others get its outcome`, async (t) => {
    const open = await setUp(t)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const opened = open()
        await opened.end()
        await run(steps, opened)
      }),
      { numRuns: runs },
    )
  })
}
