import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../../test/support/exchange.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { makeToolbox } from '../../../../test/support/policy.ts'
import { Headers } from '../../../http/headers.ts'
import { apiKey } from './api-key.ts'
import { configuredApiKeys } from './configured-api-keys.ts'
import type { Identity } from '../identity.ts'
import { newApiKey } from './new-api-key.ts'

const digest = (secret: string) => hash('sha256', secret)

function create(options: Parameters<typeof apiKey.options.parse>[0], clock = new ManualClock()) {
  return apiKey.create(apiKey.options.parse(options), makeToolbox({ clock }))
}

function problemsOf(options: unknown): string {
  return String(apiKey.options.safeParse(options).error ?? '')
}

function consumerOf(found: Identity | null | Promise<Identity>) {
  assert.ok(found !== null && !(found instanceof Promise) && found.consumer !== null)
  return found.consumer
}

test('the consumer of a key is its owner, with its tier and roles', () => {
  const keys = [
    { id: 'ci', sha256: digest('one'), owner: 'alice', tier: 'gold', roles: ['deploy'] },
    { id: 'cron', sha256: digest('two').toUpperCase() },
  ]
  const authenticator = create({ keys })
  const ask = (key: string) =>
    consumerOf(authenticator.authenticate(makeExchange({ headers: Headers.of([['x-api-key', key]]) })))
  assert.deepEqual(ask('one'), { id: 'alice', roles: ['deploy'], scopes: [], tier: 'gold', key: 'ci', claims: {} })
  assert.deepEqual(ask('two'), { id: 'cron', roles: [], scopes: [], tier: 'api_key', key: 'cron', claims: {} })
})

test('the digest of a key is not accepted as a key', () => {
  const authenticator = create({ keys: [{ id: 'ci', sha256: digest('one') }] })
  const headers = Headers.of([['X-API-Key', digest('one')]])
  assert.throws(() => authenticator.authenticate(makeExchange({ headers })), { reason: 'key' })
})

test('a key expires', () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 30, 23, 59, 59))
  const keys = [
    { id: 'date', sha256: digest('one'), expires: '2026-01-31' },
    { id: 'time', sha256: digest('two'), expires: '2026-01-31T02:00:01+02:00' },
  ]
  const authenticator = create({ keys }, clock)
  const ask = (key: string) => authenticator.authenticate(makeExchange({ headers: Headers.of([['X-API-Key', key]]) }))
  assert.equal(consumerOf(ask('one')).key, 'date')
  assert.equal(consumerOf(ask('two')).key, 'time')
  clock.advance(1000)
  assert.throws(() => ask('one'), { reason: 'expired-key' })
  clock.advance(1000)
  assert.throws(() => ask('two'), { reason: 'expired-key' })
})

test('a key in the query is accepted if configured, and removed', () => {
  const keys = [{ id: 'ci', sha256: digest('o&e') }]
  const exchange = makeExchange({ query: '?page=2&%61pi_key=o%26e&q=%7e' })
  assert.equal(create({ keys }).authenticate(exchange), null)
  const authenticator = create({ keys, query: 'api_key' })
  assert.equal(consumerOf(authenticator.authenticate(exchange)).key, 'ci')
  authenticator.conceal(exchange)
  assert.equal(exchange.query, '?page=2&q=%7e')
})

test('the header takes precedence over the query', () => {
  const keys = [{ id: 'ci', sha256: digest('one') }]
  const exchange = makeExchange({ query: '?api_key=one', headers: Headers.of([['X-API-Key', 'two']]) })
  assert.throws(() => create({ keys, query: 'api_key' }).authenticate(exchange), { reason: 'key' })
})

test('the right key is found among many, even with similar digests', () => {
  const keys = Array.from({ length: 300 }, () => newApiKey())
  const toolbox = makeToolbox()
  const entries = keys.map(({ sha256 }, i) => ({ id: String(i), sha256, tier: 'api_key', roles: [] }))
  const store = configuredApiKeys(entries, toolbox)
  for (const [i, { secret }] of keys.entries())
    assert.equal(store.find(hash('sha256', secret, 'buffer'))?.consumer?.key, String(i))
  assert.equal(store.find(hash('sha256', 'unknown', 'buffer')), null)
  const bytes = fc.uint8Array({ minLength: 28, maxLength: 28 }).map((tail) => Buffer.concat([Buffer.alloc(4), tail]))
  fc.assert(
    fc.property(fc.uniqueArray(bytes, { minLength: 2, maxLength: 8, selector: String }), ([missing, ...present]) => {
      const alike = configuredApiKeys(
        present.map((each, i) => ({ id: String(i), sha256: each.toString('hex'), tier: 'api_key', roles: [] })),
        toolbox,
      )
      for (const [i, each] of present.entries()) assert.equal(alike.find(each)?.consumer?.key, String(i))
      assert.equal(alike.find(missing!), null)
    }),
  )
})

test('a key instead of its digest is rejected without being shown', () => {
  const text = problemsOf({ keys: [{ id: 'ci', sha256: 'sp_12345678_very-secret' }] })
  assert.match(text, /expected the SHA-256 digest of the key/)
  assert.doesNotMatch(text, /very-secret/)
})

test('several keys may have the same id if all but one expire', () => {
  const keys = [
    { id: 'a', sha256: digest('new') },
    { id: 'a', sha256: digest('old'), expires: '2027-01-31' },
    { id: 'a', sha256: digest('older'), expires: '2026-01-31' },
  ]
  assert.equal(problemsOf({ keys }), '')
})

test('two keys without expiry need different ids and digests', () => {
  const text = problemsOf({
    keys: [
      { id: 'a', sha256: digest('x') },
      { id: 'a', sha256: digest('x').toUpperCase() },
    ],
  })
  assert.match(text, /the same ID as keys\[0\]/)
  assert.match(text, /the same sha256 as keys\[0\]/)
})

test('an invalid expiry date is rejected', () => {
  for (const expires of ['tomorrow', '2026-02-30', '2026-01-31T12:00:00', 1_700_000_000])
    assert.match(problemsOf({ keys: [{ id: 'a', sha256: digest('x'), expires }] }), /expected a date/)
})
