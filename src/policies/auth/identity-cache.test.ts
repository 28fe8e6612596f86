import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { CredentialError } from './credential-error.ts'
import { identityOf } from './identity.ts'
import { IdentityCache, type Verified } from './identity-cache.ts'

const alice = identityOf({ id: 'alice', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {} })

function setUp(size = 100) {
  const clock = new ManualClock()
  return { clock, cache: new IdentityCache(size, 30_000, clock) }
}

function verified(parts: Partial<Verified> = {}): () => Promise<Verified> {
  return () => Promise.resolve({ identity: alice, expires: Infinity, lifetime: Infinity, ...parts })
}

const inactive = () => Promise.reject(new CredentialError('inactive'))

test('a verified token is known without waiting', async () => {
  const { cache } = setUp()
  assert.equal(cache.find('a'), null)
  assert.equal(await cache.resolve('a', verified()), alice)
  assert.equal(cache.find('a'), alice)
})

test('a token is dropped when it expires', async () => {
  const { cache, clock } = setUp()
  await cache.resolve('a', verified({ expires: clock.wall() + 1000 }))
  clock.advance(999)
  assert.equal(cache.find('a'), alice)
  clock.advance(1)
  assert.equal(cache.find('a'), null)
  assert.equal(cache.size, 0)
})

test('a token is verified again after its cache time', async () => {
  const { cache, clock } = setUp()
  await cache.resolve('a', verified({ lifetime: 30_000 }))
  clock.advance(29_999)
  assert.equal(cache.find('a'), alice)
  clock.advance(1)
  assert.equal(cache.find('a'), null)
})

test('simultaneous requests with one token share one verification', async () => {
  const { cache } = setUp()
  let count = 0
  const { promise, resolve } = Promise.withResolvers<Verified>()
  const verify = () => {
    count++
    return promise
  }
  const waiting = Array.from({ length: 100 }, () => cache.resolve('a', verify))
  resolve(await verified()())
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([alice]))
  assert.equal(count, 1)
})

test('a failed verification fails all who wait, and is retried by the next request', async () => {
  const { cache } = setUp()
  const waiting = [1, 2].map(() => cache.resolve('a', () => Promise.reject(new CredentialError('signature'))))
  const outcomes = await Promise.allSettled(waiting)
  assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  assert.equal(cache.find('a'), null)
  assert.equal(await cache.resolve('a', verified()), alice)
})

test('a revoked token is rejected from the cache for its cache time', async () => {
  const { cache, clock } = setUp()
  await assert.rejects(cache.resolve('a', inactive))
  clock.advance(29_999)
  assert.throws(() => cache.find('a'), { reason: 'inactive' })
  clock.advance(1)
  assert.equal(cache.find('a'), null)
})

test('the cache never exceeds its size', async () => {
  const { cache } = setUp(100)
  for (let i = 0; i < 1000; i++) {
    await cache.resolve(`good-${i}`, verified())
    assert.ok(cache.size <= 100)
  }
})

test('revoked tokens do not evict valid ones, and are bounded too', async () => {
  const { cache } = setUp(100)
  await cache.resolve('a', verified())
  for (let i = 0; i < 1000; i++) await assert.rejects(cache.resolve(`bad-${i}`, inactive))
  assert.equal(cache.find('a'), alice)
  assert.ok(cache.size <= 101)
})

test('after clear nothing is known, including verifications in progress', async () => {
  const { cache } = setUp()
  await cache.resolve('a', verified())
  const { promise, resolve } = Promise.withResolvers<Verified>()
  const old = cache.resolve('b', () => promise)
  cache.clear()
  assert.equal(cache.find('a'), null)
  let requested = false
  const fresh = cache.resolve('b', () => {
    requested = true
    return Promise.reject(new CredentialError('signature'))
  })
  assert.ok(requested)
  resolve(await verified()())
  assert.equal(await old, alice)
  await assert.rejects(fresh)
  assert.equal(cache.find('b'), null)
})
