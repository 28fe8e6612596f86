import assert from 'node:assert/strict'
import test from 'node:test'
import { makeCacheEntry } from '../../../../test/support/cache-entry.ts'
import { memoryStores } from '../../../../test/support/memory-stores.ts'
import { Bytes } from '../../../http/body.ts'
import { Headers } from '../../../http/headers.ts'
import type { MemoryCacheStore } from './memory-store.ts'
import { SERIAL } from './layout.ts'

const LARGE = 20_000

const bodyOf = (store: MemoryCacheStore, key: string): Bytes => {
  const found = store.find('h/a', key, Headers.of())
  if (typeof found === 'string' || found.body === null) assert.fail(`${key} is not stored`)
  return found.body
}

test('concurrent replies share one copy of a large body', () => {
  const { stores } = memoryStores(1, 1_000_000, { localBytes: 0 })
  const [store] = stores
  store!.put('a', makeCacheEntry({ body: Bytes.fromBuffer(Buffer.alloc(LARGE, 'a')) }), 0)
  assert.equal(bodyOf(store!, 'a'), bodyOf(store!, 'a'))
})

test('a body that is being sent is never used for another reply, however many are stored meanwhile', () => {
  const { stores, memory } = memoryStores(1, 1_000_000)
  const [store] = stores
  store!.put('a', makeCacheEntry({ body: Bytes.fromBuffer(Buffer.alloc(LARGE, 'a')) }), 0)
  const sent = bodyOf(store!, 'a')
  // As after so many others.
  memory.numbers[SERIAL] = memory.number(SERIAL) + 2 ** 32 - 1
  store!.put('b', makeCacheEntry({ body: Bytes.fromBuffer(Buffer.alloc(LARGE, 'b')) }), 0)
  assert.equal(bodyOf(store!, 'b').toLatin1()[0], 'b')
  assert.equal(sent.toLatin1()[0], 'a')
})

test('a body of medium size is sent in one piece with its head', () => {
  const { stores } = memoryStores(1, 1_000_000)
  const [store] = stores
  store!.put('a', makeCacheEntry({ body: Bytes.fromBuffer(Buffer.alloc(LARGE, 'a')) }), 0)
  assert.equal(bodyOf(store!, 'a').behind('head ')?.toString('latin1'), `head ${'a'.repeat(LARGE)}`)
})
