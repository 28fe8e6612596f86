import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { ManualClock } from '../../../testing/manual-clock.ts'
import type { StoredApiKey } from './api-key-store.ts'
import { GatewayError } from '../../../core/errors.ts'
import { SharedApiKeys } from './shared-api-keys.ts'

const CACHE = 10_000
const digestOf = (secret: string) => hash('sha256', secret, 'buffer')

/** A store of keys, by their secrets, that counts its lookups. */
function setUp(cacheSize = 100) {
  const clock = new ManualClock()
  const stored = new Map<string, StoredApiKey>()
  const counts = { asked: 0 }
  let down = false
  const store = {
    async find(sha256: string) {
      counts.asked++
      await Promise.resolve()
      if (down) throw new GatewayError('keys-unavailable')
      return stored.get(sha256) ?? null
    },
  }
  const keys = new SharedApiKeys(store, { cache: CACHE, cacheSize }, clock)
  return {
    clock,
    counts,
    keys,
    add: (secret: string, parts: Partial<StoredApiKey> = {}) => {
      const sha256 = hash('sha256', secret)
      const key = { id: secret, sha256, prefix: 'sp_', owner: 'alice', tier: 'gold', roles: ['reader'], created: 0 }
      stored.set(sha256, { ...key, expires: null, ...parts })
    },
    revoke: (secret: string) => stored.delete(hash('sha256', secret)),
    setDown: (is: boolean) => (down = is),
    /** As the api-key method asks. */
    find: async (secret: string) => keys.known(digestOf(secret)) ?? (await keys.ask(digestOf(secret))),
  }
}

test('the consumer of a key is read from the store', async () => {
  const { add, find } = setUp()
  add('one')
  const { consumer, lines } = await find('one')
  assert.deepEqual(consumer, { id: 'alice', roles: ['reader'], scopes: [], tier: 'gold', key: 'one', claims: {} })
  assert.equal(lines, 'X-User-ID: alice\r\nX-User-Roles: reader\r\nX-Consumer-Tier: gold\r\n')
})

test('a key is looked up once while cached, and known without a promise meanwhile', async () => {
  const { add, find, keys, counts, clock } = setUp()
  add('one')
  const identity = await find('one')
  clock.advance(CACHE - 1)
  assert.equal(keys.known(digestOf('one')), identity)
  assert.equal(counts.asked, 1)
  clock.advance(1)
  assert.equal(keys.known(digestOf('one')), null)
  await find('one')
  assert.equal(counts.asked, 2)
})

test('a revoked key stops working within the cache time, however often it is used', async () => {
  const { add, find, revoke, clock } = setUp()
  add('one')
  await find('one')
  revoke('one')
  for (let i = 0; i < 9; i++) {
    clock.advance(CACHE / 10)
    await find('one')
  }
  clock.advance(CACHE / 10)
  await assert.rejects(find('one'), { reason: 'key' })
})

test('a forgotten key is looked up again', async () => {
  const { add, find, revoke, keys } = setUp()
  add('one')
  await find('one')
  const sha256 = hash('sha256', 'one')
  revoke('one')
  keys.forget([sha256])
  await assert.rejects(find('one'), { reason: 'key' })
  // What was refused is forgotten as well.
  add('one')
  keys.forget([sha256])
  assert.equal((await find('one')).consumer?.key, 'one')
})

test('the result of a lookup that started before forget is not kept', async () => {
  const { promise, resolve } = Promise.withResolvers<StoredApiKey>()
  const keys = new SharedApiKeys({ find: () => promise }, { cache: CACHE, cacheSize: 10 }, new ManualClock())
  const digest = digestOf('one')
  const late = keys.ask(digest)
  const sha256 = digest.toString('hex')
  keys.forget([sha256])
  resolve({ id: 'one', sha256, prefix: 'sp_', owner: 'a', tier: 'gold', roles: [], created: 0, expires: null })
  await late
  assert.equal(keys.known(digest), null)
})

test('the last use of a key is known', async () => {
  const { add, find, keys, clock } = setUp()
  add('one')
  const digests = ['one', 'two'].map((secret) => hash('sha256', secret))
  assert.deepEqual(keys.uses(digests), [])
  const at = clock.wall()
  await find('one')
  await assert.rejects(find('two'))
  clock.advance(CACHE - 1)
  await find('one')
  assert.deepEqual(keys.uses(digests), [[digests[0], at]])
})

test('the cache time starts at the lookup, not at a late answer', async () => {
  const clock = new ManualClock()
  const { promise, resolve } = Promise.withResolvers<StoredApiKey>()
  const keys = new SharedApiKeys({ find: () => promise }, { cache: CACHE, cacheSize: 10 }, clock)
  const answer = keys.ask(digestOf('one'))
  clock.advance(CACHE - 1)
  resolve({ id: 'a', sha256: '', prefix: '', owner: 'a', tier: 'b', roles: [], created: 0, expires: null })
  const identity = await answer
  assert.equal(keys.known(digestOf('one')), identity)
  clock.advance(1)
  assert.equal(keys.known(digestOf('one')), null)
})

test('an unknown key is cached as such, and works afterwards if it is created', async () => {
  const { add, find, counts, clock } = setUp()
  for (let i = 0; i < 10; i++) await assert.rejects(find('one'), { reason: 'key' })
  assert.equal(counts.asked, 1)
  add('one')
  clock.advance(CACHE - 1)
  await assert.rejects(find('one'), { reason: 'key' })
  clock.advance(1)
  await find('one')
  assert.equal(counts.asked, 2)
})

test('a key expires on time, even while cached', async () => {
  const { add, find, clock } = setUp()
  add('one', { expires: clock.wall() + 1000 })
  await find('one')
  clock.advance(999)
  await find('one')
  clock.advance(1)
  await assert.rejects(find('one'), { reason: 'expired-key' })
})

test('simultaneous requests with one key cause one lookup', async () => {
  const { add, find, counts } = setUp()
  add('one')
  const found = await Promise.all(Array.from({ length: 100 }, () => find('one')))
  assert.equal(new Set(found).size, 1)
  assert.equal(counts.asked, 1)
})

test('during an outage of the store cached keys work for their time, and others fail without being cached', async () => {
  const { add, find, setDown, clock } = setUp()
  add('one')
  add('two')
  await find('one')
  setDown(true)
  await find('one')
  await assert.rejects(find('two'), { code: 'keys-unavailable' })
  await assert.rejects(find('none'), { code: 'keys-unavailable' })
  clock.advance(CACHE)
  await assert.rejects(find('one'), { code: 'keys-unavailable' })
  setDown(false)
  await find('one')
  await find('two')
  await assert.rejects(find('none'), { reason: 'key' })
})

test('a flood of unknown keys does not evict valid ones', async () => {
  const { add, find, counts } = setUp(100)
  add('one')
  await find('one')
  for (let i = 0; i < 1000; i++) await assert.rejects(find(`bad-${i}`), { reason: 'key' })
  const { asked } = counts
  await find('one')
  assert.equal(counts.asked, asked)
})
