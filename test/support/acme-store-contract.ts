import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Challenge } from '../../src/acme/challenge.ts'
import type { AcmeStore } from '../../src/acme/store.ts'

/** A store under test. */
export interface OpenStore {
  /** Opens the same store as another process would. */
  another: () => AcmeStore
  /** Makes the locks of these names expire. */
  expire: (...names: string[]) => Promise<void> | void
}

const MINUTE = 60_000
const NAME = '*.shop.test'

const challenge = (token: string): Challenge => ({
  type: 'http-01',
  domain: 'shop.test',
  token,
  keyAuthorization: `${token}.thumbprint`,
})

type Check = (opened: OpenStore) => Promise<void>

/** Opens an empty store until the end of a test. */
export type Open = (t: TestContext) => Promise<OpenStore>

/** The behavior of every ACME store; `setUp` starts what all of these tests need. */
export function acmeStoreContract(store: string, setUp: (t: TestContext) => Promise<Open>): void {
  test(store, async (t) => {
    const open = await setUp(t)
    for (const [behavior, check] of checks()) await t.test(behavior, async (inner) => check(await open(inner)))
  })
}

function checks(): ReadonlyMap<string, Check> {
  const all = new Map<string, Check>()
  const check = (behavior: string, body: Check): unknown => all.set(behavior, body)

  check('what the holder of a lock writes can be read by all', async ({ another }) => {
    const [a, b] = [another(), another()]
    assert.equal(await b.read(NAME, 'certificate'), null)
    const lock = (await a.acquire(NAME, MINUTE))!
    assert.equal(await a.write(lock, 'certificate', 'first\n{}'), true)
    assert.equal(await a.write(lock, 'attempts', 'ö'), true)
    assert.equal(await b.read(NAME, 'certificate'), 'first\n{}')
    assert.equal(await b.read(NAME, 'attempts'), 'ö')
    assert.equal(await a.write(lock, 'certificate', 'second'), true)
    assert.equal(await b.read(NAME, 'certificate'), 'second')
    assert.equal(await b.read('shop.test', 'certificate'), null)
  })

  check('a lock has one holder until it is released', async ({ another }) => {
    const [a, b] = [another(), another()]
    const lock = (await a.acquire(NAME, MINUTE))!
    assert.equal(await b.acquire(NAME, MINUTE), null)
    assert.notEqual(await b.acquire('shop.test', MINUTE), null)
    await a.release(lock)
    const next = (await b.acquire(NAME, MINUTE))!
    assert.ok(next.token > lock.token)
    assert.equal(await a.renew(lock, MINUTE), false)
    await a.release(lock)
    assert.equal(await b.renew(next, MINUTE), true)
  })

  check('one of many simultaneous attempts gets the lock', async ({ another }) => {
    const stores = Array.from({ length: 8 }, another)
    const locks = await Promise.all(stores.map((each) => each.acquire(NAME, MINUTE)))
    assert.equal(locks.filter((lock) => lock !== null).length, 1)
  })

  check('a stale holder can neither write nor renew the lock', async ({ another, expire }) => {
    const [a, b] = [another(), another()]
    const stale = (await a.acquire(NAME, MINUTE))!
    assert.equal(await a.write(stale, 'certificate', 'old'), true)
    await expire(NAME)
    assert.equal(await a.write(stale, 'certificate', 'after its time'), false)
    assert.equal(await a.renew(stale, MINUTE), false)
    const lock = (await b.acquire(NAME, MINUTE))!
    assert.ok(lock.token > stale.token)
    assert.equal(await a.write(stale, 'certificate', 'stale'), false)
    assert.equal(await b.read(NAME, 'certificate'), 'old')
    assert.equal(await b.write(lock, 'certificate', 'new'), true)
    assert.equal(await a.write(stale, 'certificate', 'stale'), false)
    assert.equal(await a.read(NAME, 'certificate'), 'new')
    await a.release(stale)
    assert.equal(await a.acquire(NAME, MINUTE), null)
  })

  check('a renewed lock does not expire', async ({ another, expire }) => {
    const [a, b] = [another(), another()]
    const lock = (await a.acquire(NAME, MINUTE))!
    assert.equal(await a.renew(lock, 60 * MINUTE), true)
    assert.equal(await b.acquire(NAME, MINUTE), null)
    await expire(NAME)
    assert.notEqual(await b.acquire(NAME, MINUTE), null)
  })

  check('challenges are visible to all until they are removed or expire', async ({ another }) => {
    const [a, b] = [another(), another()]
    assert.deepEqual(await b.challenges(), [])
    await a.present(challenge('first'), MINUTE)
    await a.present(challenge('second'), MINUTE)
    await a.present(challenge('over'), 0)
    const shown = await b.challenges()
    assert.deepEqual(
      shown.toSorted((x, y) => (x.token < y.token ? -1 : 1)),
      [challenge('first'), challenge('second')],
    )
    await a.withdraw(challenge('first'))
    assert.deepEqual(await b.challenges(), [challenge('second')])
  })

  check('every change has a new revision', async ({ another }) => {
    const [a, b] = [another(), another()]
    const seen = [await b.revision()]
    const look = async () => void seen.push(await b.revision())
    const lock = (await a.acquire(NAME, MINUTE))!
    await a.write(lock, 'certificate', 'text')
    await look()
    await a.present(challenge('first'), MINUTE)
    await look()
    await a.withdraw(challenge('first'))
    await look()
    assert.equal(new Set(seen).size, 4)
    assert.equal(await b.revision(), seen.at(-1))
  })

  check('the number of challenges is limited', async ({ another }) => {
    const a = another()
    for (let i = 0; i < 500; i++) await a.present(challenge(`token-${i}`), MINUTE)
    await assert.rejects(a.present(challenge('one-more'), MINUTE), /has 500/)
  })

  return all
}
