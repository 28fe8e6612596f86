import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { Split } from './split.ts'
import { type SplitConfig, splitSchema } from './split-schema.ts'

const request = makeExchange()

function withFields(...fields: [string, string][]): Exchange {
  return makeExchange({ headers: Headers.of(fields) })
}

function ofConsumer(id: string): Exchange {
  return makeExchange({ consumer: { id, roles: [], scopes: [], tier: 'authenticated', key: null, claims: {} } })
}

/** How often each service is chosen for those requests. */
function countsOf(config: SplitConfig, requests: readonly Exchange[], random = 0.5): Record<string, number> {
  const split = new Split(config, () => random)
  const counts: Record<string, number> = {}
  for (const each of requests) {
    const name = split.choose(each)
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

test('requests are split by weight, accurately in every hundred', () => {
  const config = { services: { a: 70, b: 30, c: 0 } }
  for (const random of [0, 0.3, 0.999]) {
    const counts = countsOf(config, Array(100).fill(request), random)
    assert.equal(counts['c'], undefined)
    assert.ok(Math.abs((counts['a'] ?? 0) - 70) <= 2, JSON.stringify(counts))
  }
})

test('regularly spaced requests do not always get the same service', () => {
  const split = new Split({ services: { a: 1, b: 1 } }, () => 0)
  const chosen = Array.from({ length: 100 }, () => split.choose(request))
  for (const every of [2, 3, 5])
    assert.equal(new Set(chosen.filter((_, i) => i % every === 0)).size, 2, `every ${every}th request`)
})

test('a header or a cookie can select a service, the header first, even one of weight 0', () => {
  const split = new Split({ services: { a: 1, b: 0 }, header: 'x-release', cookie: 'release' }, () => 0)
  assert.equal(split.choose(request), 'a')
  assert.equal(split.choose(withFields(['X-Release', 'b'])), 'b')
  assert.equal(split.choose(withFields(['Cookie', 'x=1; release=b'])), 'b')
  assert.equal(split.choose(withFields(['X-Release', 'a'], ['Cookie', 'release=b'])), 'a')
  assert.equal(split.choose(withFields(['X-Release', 'other'], ['Cookie', 'release=__proto__'])), 'a')
})

test('with sticky: consumer all requests of a consumer go to the same service, by weight', () => {
  const services = { old: 90, new: 10 }
  const consumers = Array.from({ length: 2000 }, (_, i) => ofConsumer(`user-${i}`))
  const [one, other] = [0, 0.7].map((random) => new Split({ services, sticky: 'consumer' }, () => random))
  for (const consumer of consumers) assert.equal(one?.choose(consumer), other?.choose(consumer))
  const counts = countsOf({ services, sticky: 'consumer' }, consumers)
  assert.ok(Math.abs((counts['new'] ?? 0) - 200) < 50, JSON.stringify(counts))
})

test('a service whose weight increases keeps its consumers', () => {
  const chosen = (weight: number): string[] => {
    const split = new Split({ services: { old: 100 - weight, new: weight }, sticky: 'consumer' }, () => 0)
    return Array.from({ length: 500 }, (_, i) => split.choose(ofConsumer(`user-${i}`)))
  }
  const [before, after] = [chosen(10), chosen(30)]
  for (const [i, name] of before.entries()) if (name === 'new') assert.equal(after[i], 'new')
})

test('requests without the sticky key are split as without it', () => {
  const counts = countsOf({ services: { a: 1, b: 1 }, sticky: { header: 'x-tenant' } }, Array(10).fill(request))
  assert.deepEqual(counts, { a: 5, b: 5 })
})

test('a split without any weight is rejected', () => {
  assert.equal(splitSchema.safeParse({ services: { a: 0 } }).success, false)
  assert.equal(splitSchema.safeParse({ services: {} }).success, false)
})
