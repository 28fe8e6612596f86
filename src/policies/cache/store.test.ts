import assert from 'node:assert/strict'
import test from 'node:test'
import { makeCacheEntry } from '../../../test/support/cache-entry.ts'
import { MemoryCacheStore } from './memory-store.ts'
import type { CacheStore } from './store.ts'

/** What every store does. */
const stores: Readonly<Record<string, () => CacheStore>> = {
  memory: () => new MemoryCacheStore(1_000_000),
}

for (const [name, create] of Object.entries(stores)) {
  test(`${name}: what was put under a key is found under it, and nowhere else`, async () => {
    const store = create()
    const entry = makeCacheEntry()
    store.put('k', entry)
    assert.deepEqual(await store.find('k'), [entry])
    assert.deepEqual(await store.find('l'), [])
  })

  test(`${name}: a newer entry takes the place of one with the same selecting values and stands first`, async () => {
    const store = create()
    const german = makeCacheEntry({ vary: ['accept-language'], selecting: ['de'] })
    const english = makeCacheEntry({ vary: ['accept-language'], selecting: ['en'] })
    const newer = makeCacheEntry({ vary: ['accept-language'], selecting: ['de'], born: 5 })
    store.put('k', german)
    store.put('k', english)
    assert.deepEqual(await store.find('k'), [english, german])
    store.put('k', newer)
    assert.deepEqual(await store.find('k'), [newer, english])
  })

  test(`${name}: one entry is removed without the others`, async () => {
    const store = create()
    const [a, b] = [
      makeCacheEntry({ vary: ['x'], selecting: ['1'] }),
      makeCacheEntry({ vary: ['x'], selecting: ['2'] }),
    ]
    store.put('k', a)
    store.put('k', b)
    store.remove('k', a)
    store.remove('k', makeCacheEntry())
    assert.deepEqual(await store.find('k'), [b])
    store.remove('k', b)
    assert.deepEqual(await store.find('k'), [])
  })

  test(`${name}: invalidation of a URL reaches all its keys, and the groups of what it forgets`, async () => {
    const store = create()
    store.put('1', makeCacheEntry({ groups: ['h g'] }))
    store.put('2', makeCacheEntry())
    store.put('3', makeCacheEntry({ url: 'h/b', groups: ['h g', 'h other'] }))
    store.put('4', makeCacheEntry({ url: 'h/c', groups: ['h other'] }))
    assert.equal(await store.invalidate('h/a'), 3)
    for (const key of ['1', '2', '3']) assert.deepEqual(await store.find(key), [])
    assert.equal((await store.find('4')).length, 1)
    assert.equal(await store.invalidate('h/a'), 0)
  })

  test(`${name}: a group is forgotten, with only those variants that are in it`, async () => {
    const store = create()
    const kept = makeCacheEntry({ vary: ['x'], selecting: ['1'] })
    store.put('k', kept)
    store.put('k', makeCacheEntry({ vary: ['x'], selecting: ['2'], groups: ['h g'] }))
    assert.equal(await store.invalidateGroup('h g'), 1)
    assert.deepEqual(await store.find('k'), [kept])
    assert.equal(await store.invalidateGroup('h g'), 0)
  })

  test(`${name}: everything below a prefix is forgotten`, async () => {
    const store = create()
    for (const url of ['h/a', 'h/a/b', 'h/b', 'i/a']) store.put(url, makeCacheEntry({ url }))
    assert.equal(await store.invalidatePrefix('h/a'), 2)
    assert.equal((await store.find('h/b')).length, 1)
    assert.equal((await store.find('i/a')).length, 1)
  })
}

test('memory: stays within its limit, and those used least recently go first', () => {
  const store = new MemoryCacheStore(10_000)
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) store.put(key, makeCacheEntry({ url: key }))
  assert.equal(store.size, 10_000)
  store.find('a')
  store.put('k', makeCacheEntry({ url: 'k' }))
  assert.equal(store.size, 10_000)
  assert.equal(store.find('a').length, 1)
  assert.equal(store.find('b').length, 0)
})

test('memory: does not take an entry that would drive out many others', () => {
  const store = new MemoryCacheStore(10_000)
  store.put('a', makeCacheEntry({ size: 1_251 }))
  assert.equal(store.size, 0)
})

test('memory: keeps no more than 64 variants of a key', () => {
  const store = new MemoryCacheStore(1_000_000)
  for (let i = 0; i < 70; i++) store.put('k', makeCacheEntry({ vary: ['x'], selecting: [String(i)] }))
  const entries = store.find('k')
  assert.equal(entries.length, 64)
  assert.deepEqual(entries[0]!.selecting, ['69'])
  assert.equal(store.size, 64_000)
})
