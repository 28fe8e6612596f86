import assert from 'node:assert/strict'
import test from 'node:test'
import { laterSeed, newSeed } from './ticket-seed.ts'

test('a seed from secrets is the same everywhere and always', () => {
  const secrets = ['a'.repeat(32), 'b'.repeat(32)]
  assert.deepEqual(newSeed(secrets, 7), newSeed(secrets, 8))
  assert.deepEqual(laterSeed(newSeed(secrets, 7), 9), newSeed(secrets, 7))
})

test('a random seed advances in the same steps everywhere, and never back', () => {
  const seed = newSeed([], 7)
  assert.notDeepEqual(newSeed([], 7), seed)
  assert.notDeepEqual(laterSeed(seed, 8).roots, seed.roots)
  assert.deepEqual(laterSeed(laterSeed(seed, 8), 10), laterSeed(seed, 10))
  assert.deepEqual(laterSeed(seed, 6), seed)
})

test('a clock that leaps by years costs no time', () => {
  const seed = newSeed([], 7)
  assert.notDeepEqual(laterSeed(seed, 10_000_000).roots, seed.roots)
})
