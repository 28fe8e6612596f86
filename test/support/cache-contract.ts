import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Bytes } from '../../src/http/body.ts'
import type { CacheStore, CacheEntry } from '../../src/policies/cache/store.ts'
import { Headers } from '../../src/http/headers.ts'
import { makeCacheEntry } from './cache-entry.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'

/** A store under test, and a second view of it if several threads share it. */
export interface OpenStore {
  readonly store: CacheStore
  readonly other: CacheStore
  readonly clock: ManualClock
}

const X1 = { vary: ['x'], selecting: ['1'] }
const X2 = { vary: ['x'], selecting: ['2'] }

/** The contents of an entry, without the times that depend on where it is found. */
function essence({ body, ...entry }: CacheEntry): unknown {
  return { ...entry, body: body?.toBuffer().toString('latin1') ?? null }
}

/** Opens an empty store until the end of a test. */
export type Open = (t: TestContext) => Promise<OpenStore>

/** The behavior of every store; `setUp` starts what all of these tests need. */
export function cacheContract(name: string, setUp: (t: TestContext) => Promise<Open>): void {
  test(name, async (t) => {
    const open = await setUp(t)
    for (const [what, check] of statements()) await t.test(what, async (inner) => check(await open(inner)))
  })
}

type Check = (opened: OpenStore) => Promise<void>

function statements(): ReadonlyMap<string, Check> {
  const all = new Map<string, Check>()
  const statement = (what: string, check: Check): unknown => all.set(what, check)

  /** The result of a request for http://h/a under a key. */
  const find = (store: CacheStore, key = 'k', x = '', url = 'h/a') =>
    store.find(url, key, Headers.of(x === '' ? [] : [['X', x]]))

  const finds = async (store: CacheStore, expected: CacheEntry, key = 'k', x = ''): Promise<void> => {
    const found = await find(store, key, x, expected.url)
    if (typeof found === 'string') assert.fail(`${key} is a ${found}`)
    assert.deepEqual(essence(found), essence(expected))
  }

  const misses = async (store: CacheStore, key = 'k', url = 'h/a', x = ''): Promise<void> =>
    assert.equal(await find(store, key, x, url), 'uri-miss')

  statement('an entry is found under its key only', async ({ store, other }) => {
    const entry = makeCacheEntry({ etag: '"é"', lastModified: 'then', groups: ['h g'], maxStale: false, status: 404 })
    await store.put('k', entry, 0)
    await finds(store, entry)
    await finds(other, entry)
    await misses(other, 'l')
  })

  statement('peek finds an entry and changes nothing', async ({ store, other }) => {
    const entry = makeCacheEntry({ etag: '"é"' })
    const request = Headers.of()
    assert.equal(await other.peek(entry.url, 'k', request), 'uri-miss')
    await store.put('k', entry, 0)
    const before = other.usage()
    const found = await other.peek(entry.url, 'k', request)
    if (typeof found === 'string') assert.fail(found)
    assert.deepEqual(essence(found), essence(entry))
    assert.deepEqual(other.usage(), before)
  })

  for (const size of [0, 1, 14_000, 14_001, 65_536, 65_537, 200_000])
    statement(`a body of ${size} bytes comes back unchanged`, async ({ store, other }) => {
      const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) % 256))
      const entry = makeCacheEntry({ body: Bytes.fromBuffer(bytes) })
      await store.put('k', entry, 0)
      await finds(store, entry)
      await finds(other, entry)
    })

  statement('a reply without a body has none', async ({ store, other }) => {
    const entry = makeCacheEntry({ body: null })
    await store.put('k', entry, 0)
    await finds(other, entry)
  })

  statement('URLs with braces, stars and non-ASCII characters are literal', async ({ store, other }) => {
    const odd = makeCacheEntry({ url: 'h/{a}*[b]?c=}\xfc' })
    const plain = makeCacheEntry({ url: 'h/{a}xb?c=}' })
    await store.put('1', odd, 0)
    await store.put('2', plain, 0)
    await finds(other, odd, '1')
    assert.equal(await store.invalidatePrefix('h/{a}*[b]'), 1)
    await misses(other, '1', odd.url)
    await finds(other, plain, '2')
    assert.equal(await store.invalidate(plain.url), 1)
    await misses(other, '2', plain.url)
  })

  statement('ages are consistent across threads', async ({ store, other, clock }) => {
    clock.advance(5_000)
    const entry = makeCacheEntry({ born: clock.now() - 2_000 })
    await store.put('k', entry, clock.now())
    clock.advance(3_000)
    await finds(other, entry)
  })

  statement('a request gets the variant selected by its headers', async ({ store, other }) => {
    const [first, second] = [makeCacheEntry(X1), makeCacheEntry({ ...X2, status: 203 })]
    await store.put('k', first, 0)
    await store.put('k', second, 0)
    for (const each of [store, other]) {
      await finds(each, first, 'k', '1')
      await finds(each, second, 'k', '2')
      assert.equal(await find(each, 'k', '3'), 'vary-miss')
    }
  })

  statement('a newer entry replaces one with the same selecting headers', async ({ store, other }) => {
    const newer = makeCacheEntry({ ...X1, status: 203 })
    await store.put('k', makeCacheEntry(X1), 0)
    await store.put('k', makeCacheEntry(X2), 0)
    await store.put('k', newer, 0)
    await finds(store, newer, 'k', '1')
    await finds(other, newer, 'k', '1')
    assert.equal(await store.invalidate('h/a'), 2)
  })

  statement('if two variants match, the newer one is used', async ({ store, other, clock }) => {
    await store.put('k', makeCacheEntry(X1), clock.now())
    clock.advance(1)
    const newer = makeCacheEntry({ status: 203 })
    await store.put('k', newer, clock.now())
    await finds(other, newer, 'k', '1')
  })

  statement('an entry can reuse the body of another', async ({ store, other }) => {
    const former = makeCacheEntry({ body: Bytes.fromBuffer(Buffer.alloc(150_000, 'b')) })
    await store.put('k', former, 0)
    const fresh = makeCacheEntry({ body: former.body, lifetime: 70_000 })
    await store.put('k', fresh, 0)
    await finds(other, fresh)
    await store.invalidate('h/a')
    const again = makeCacheEntry({ body: former.body, lifetime: 80_000 })
    await store.put('k', again, 0)
    await finds(other, again)
  })

  statement('at most 64 variants of a key are kept, the newest ones', async ({ store, other, clock }) => {
    for (let i = 0; i < 70; i++) {
      clock.advance(1)
      await store.put('k', makeCacheEntry({ vary: ['x'], selecting: [String(i)] }), clock.now())
    }
    assert.equal(await find(other, 'k', '5'), 'vary-miss')
    assert.notEqual(await find(other, 'k', '6'), 'vary-miss')
    assert.equal(await store.invalidate('h/a'), 64)
  })

  statement('one variant can be removed without the others', async ({ store, other }) => {
    const [first, second] = [makeCacheEntry(X1), makeCacheEntry(X2)]
    await store.put('k', first, 0)
    await store.put('k', second, 0)
    store.remove('k', first)
    store.remove('k', makeCacheEntry())
    assert.equal(await find(store, 'k', '1'), 'vary-miss')
    await finds(other, second, 'k', '2')
    store.remove('k', second)
    await misses(store)
  })

  statement('invalidation of a URL covers all of its keys and the groups of its entries', async ({ store, other }) => {
    await store.put('1', makeCacheEntry({ groups: ['h g'] }), 0)
    await store.put('2', makeCacheEntry(), 0)
    await store.put('3', makeCacheEntry({ url: 'h/b', groups: ['h g', 'h other'] }), 0)
    await store.put('4', makeCacheEntry({ url: 'h/c', groups: ['h other'] }), 0)
    assert.equal(await other.invalidate('h/a'), 3)
    for (const key of ['1', '2']) await misses(store, key)
    await misses(store, '3', 'h/b')
    await finds(store, makeCacheEntry({ url: 'h/c', groups: ['h other'] }), '4')
    assert.equal(await store.invalidate('h/a'), 0)
  })

  statement('invalidation of a group only covers the variants in it', async ({ store, other }) => {
    const stored = makeCacheEntry({ ...X1, groups: ['h "g" 2'] })
    await store.put('k', stored, 0)
    await store.put('k', makeCacheEntry({ ...X2, groups: ['h g', 'h "g"'] }), 0)
    assert.equal(await other.invalidateGroup('h "g"'), 1)
    await finds(store, stored, 'k', '1')
    assert.equal(await find(store, 'k', '2'), 'vary-miss')
    assert.equal(await store.invalidateGroup('h "g"'), 0)
  })

  statement('invalidation of a prefix covers everything below it', async ({ store, other }) => {
    for (const url of ['h/a', 'h/a/b', 'h/b', 'i/a']) await store.put(url, makeCacheEntry({ url }), 0)
    assert.equal(await other.invalidatePrefix('h/a'), 2)
    await misses(store, 'h/a', 'h/a')
    await misses(store, 'h/a/b', 'h/a/b')
    await finds(store, makeCacheEntry({ url: 'h/b' }), 'h/b')
    await finds(store, makeCacheEntry({ url: 'i/a' }), 'i/a')
  })
  return all
}
