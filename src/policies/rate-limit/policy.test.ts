import assert from 'node:assert/strict'
import test from 'node:test'
import type { z } from 'zod'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { applyPolicy, makeToolbox } from '../../../test/support/policy.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Consumer, Exchange } from '../../http/exchange.ts'
import type { Handler } from '../../http/handler.ts'
import { Headers } from '../../http/headers.ts'
import type { Decision, Limit } from './meter.ts'
import type { RateLimits } from './limit-stores.ts'
import { LimitWatch } from './limit-watch.ts'
import { NearLimits } from './near-limits.ts'
import { Reply } from '../../http/reply.ts'
import { rateLimitOptions } from './options.ts'
import { rateLimit } from './policy.ts'

type Options = z.input<typeof rateLimitOptions>

const ok: Handler = () => new Reply(200, Headers.of(), null)

function user(parts: Partial<Consumer> = {}): Exchange {
  return makeExchange({
    consumer: { id: '42', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {}, ...parts },
  })
}

function from(address: string): Exchange {
  return makeExchange({
    client: {
      address,
      scheme: 'http',
      host: null,
      claims: '',
      proxied: false,
      certificate: null,
      hops: [],
      peerCertificate: null,
      forwardingFields: () => '',
    },
  })
}

/** How many requests in a row are admitted, of at most that many. */
async function admitted(handle: Handler, make: () => Exchange, max = 20): Promise<number> {
  for (let count = 0; count < max; count++) {
    const exchange = make()
    try {
      await handle(exchange)
    } catch (error) {
      assert.ok(error instanceof GatewayError)
      assert.equal(error.code, 'rate-limited')
      return count
    }
  }
  return max
}

async function refusal(handle: Handler, exchange: Exchange): Promise<GatewayError> {
  try {
    await handle(exchange)
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    return error
  }
  throw new Error('it was admitted')
}

test('the default tiers are those of the specification', () => {
  const { tiers, algorithm } = rateLimitOptions.parse({})
  const hourly = (limit: number) => [{ limit, window: 3_600_000 }]
  assert.deepEqual(tiers, { authenticated: hourly(1000), unauthenticated: hourly(100), api_key: hourly(10_000) })
  assert.equal(algorithm, 'fixed-window')
})

test('users are limited by id, API keys individually, and anonymous callers by address', async () => {
  const handle = applyPolicy(rateLimit, { tiers: { authenticated: '3/h', unauthenticated: '2/h', api_key: '4/h' } }, ok)
  assert.equal(await admitted(handle, () => user()), 3)
  assert.equal(await admitted(handle, () => user({ id: '43' })), 3)
  assert.equal(await admitted(handle, () => user({ tier: 'api_key', key: 'one' })), 4)
  assert.equal(await admitted(handle, () => user({ tier: 'api_key', key: 'two' })), 4)
  assert.equal(await admitted(handle, () => from('192.0.2.7')), 2)
  assert.equal(await admitted(handle, () => from('192.0.2.8')), 2)
  assert.equal(await admitted(handle, () => from('2001:db8::1')), 2)
  assert.equal(await admitted(handle, () => from('2001:db8::2')), 0)
})

test('consumers of another tier have its rates, and an unknown tier those of authenticated', async () => {
  const handle = applyPolicy(rateLimit, { tiers: { authenticated: '3/h', gold: '5/h', internal: false } }, ok)
  assert.equal(await admitted(handle, () => user({ id: '1', tier: 'gold' })), 5)
  assert.equal(await admitted(handle, () => user({ id: '2', tier: 'silver' })), 3)
  assert.equal(await admitted(handle, () => user({ id: '3', tier: 'internal' }), 50), 50)
})

test('consumers can have their own rates, by API key or id', async () => {
  const options: Options = {
    tiers: { authenticated: '2/h', api_key: '2/h' },
    consumers: { '42': '3/h', partner: ['10/m', '4/h'], root: false },
  }
  const handle = applyPolicy(rateLimit, options, ok)
  assert.equal(await admitted(handle, () => user()), 3)
  assert.equal(await admitted(handle, () => user({ id: '43' })), 2)
  assert.equal(await admitted(handle, () => user({ id: 'x', tier: 'api_key', key: 'partner' })), 4)
  assert.equal(await admitted(handle, () => user({ id: '42', tier: 'api_key', key: 'other' })), 3)
  assert.equal(await admitted(handle, () => user({ id: 'root' }), 50), 50)
  // That of the key takes precedence over that of its owner, also if it is none.
  assert.equal(await admitted(handle, () => user({ id: '42', tier: 'api_key', key: 'root' }), 50), 50)
})

test('an admitted request gets RateLimit headers, after those of the service', async () => {
  const upstream: Handler = () => Promise.resolve(new Reply(200, Headers.of([['RateLimit', '"mine";r=1']]), null))
  const handle = applyPolicy(rateLimit, { tiers: { unauthenticated: ['10/m', '100/h'] }, cost: 2 }, upstream)
  const { headers } = await handle(makeExchange())
  assert.deepEqual(headers.getAll('RateLimit'), [
    '"mine";r=1',
    '"unauthenticated-60";r=8;t=60, "unauthenticated-3600";r=98;t=3600',
  ])
  assert.equal(headers.get('RateLimit-Policy'), '"unauthenticated-60";q=10;w=60, "unauthenticated-3600";q=100;w=3600')
  assert.equal(headers.get('Retry-After'), undefined)
})

test('a rejected request gets 429 with the violated quotas and the time to wait', async () => {
  const clock = new ManualClock()
  const options: Options = { tiers: { unauthenticated: ['2/m', '100/h'] } }
  const handle = applyPolicy(rateLimit, options, ok, makeToolbox({ clock }))
  await handle(makeExchange())
  clock.advance(20_500)
  await handle(makeExchange())
  const error = await refusal(handle, makeExchange())
  assert.deepEqual([error.status, error.detail], [429, 'Rate limit exceeded'])
  assert.deepEqual(error.members, { 'violated-policies': ['unauthenticated-60'] })
  assert.deepEqual(error.headers, [
    ['Retry-After', '40'],
    ['RateLimit-Policy', '"unauthenticated-60";q=2;w=60, "unauthenticated-3600";q=100;w=3600'],
    ['RateLimit', '"unauthenticated-60";r=0;t=40'],
  ])
})

test('inner error replies have RateLimit headers too', async () => {
  const handle = applyPolicy(rateLimit, {}, () => {
    throw new GatewayError('bad-gateway')
  })
  const reply = await handle(makeExchange())
  assert.equal(reply.status, 502)
  assert.equal(reply.headers.get('RateLimit'), '"unauthenticated";r=99;t=3600')
})

test('legacy headers are optional, and show the quota with the least left', async () => {
  const options: Options = { tiers: { unauthenticated: ['3/m', '2/h'] }, headers: false, legacyHeaders: true }
  const stale = () => new Reply(200, Headers.of([['X-RateLimit-Limit', '7']]), null)
  const handle = applyPolicy(rateLimit, options, stale)
  const { headers } = await handle(makeExchange())
  assert.deepEqual(
    [...headers],
    [
      ['X-RateLimit-Limit', '2'],
      ['X-RateLimit-Remaining', '1'],
      ['X-RateLimit-Reset', '3600'],
    ],
  )
  await handle(makeExchange())
  const error = await refusal(handle, makeExchange())
  assert.deepEqual(error.headers, [
    ['Retry-After', '3600'],
    ['X-RateLimit-Limit', '2'],
    ['X-RateLimit-Remaining', '0'],
    ['X-RateLimit-Reset', '3600'],
  ])
})

test('without a limit no headers are set', async () => {
  const handle = applyPolicy(rateLimit, { tiers: { unauthenticated: false } }, ok)
  assert.deepEqual([...(await handle(makeExchange())).headers], [])
})

test('a limit that could not be checked has no headers', async () => {
  const limits: RateLimits = {
    meter: () => ({ decide: () => Promise.resolve(null), forget: () => true }),
    localMeter: () => assert.fail('not for this policy'),
    watch: () => new LimitWatch(new NearLimits(), new ManualClock(), '', []),
  }
  const handle = applyPolicy(rateLimit, {}, ok, makeToolbox({ limits }))
  assert.deepEqual([...(await handle(makeExchange())).headers], [])
})

test('an asynchronous meter decides like a synchronous one', async () => {
  const decision = (yes: boolean): Decision => ({
    admitted: yes,
    quotas: [{ remaining: 0, reset: 1, wait: yes ? 0 : 1 }],
  })
  const answers = [true, false]
  const limits: RateLimits = {
    meter: () => ({ decide: () => Promise.resolve(decision(answers.shift()!)), forget: () => true }),
    localMeter: () => assert.fail('not for this policy'),
    watch: () => new LimitWatch(new NearLimits(), new ManualClock(), '', []),
  }
  const handle = applyPolicy(rateLimit, {}, ok, makeToolbox({ limits }))
  assert.equal((await handle(makeExchange())).headers.get('RateLimit'), '"unauthenticated";r=0;t=1')
  assert.equal((await refusal(handle, makeExchange())).status, 429)
})

test('routes with the common rates count together, and others separately', () => {
  const requests: { limit: Limit; store: string | undefined }[] = []
  const limits: RateLimits = {
    meter(limit, _, store) {
      requests.push({ limit, store })
      return { decide: () => null, forget: () => true }
    },
    localMeter: () => assert.fail('not for this policy'),
    watch: () => new LimitWatch(new NearLimits(), new ManualClock(), '', []),
  }
  const general = rateLimitOptions.parse({ tiers: { gold: '10/s' } })
  const route = { id: 'search', pattern: '/search', service: null }
  const namesFor = (options: Options): string[] => {
    requests.length = 0
    rateLimit.create(rateLimitOptions.parse(options), makeToolbox({ limits }), route, general, () => 'test')
    return requests.map(({ limit }) => limit.name)
  }
  const tiers = { gold: '10/s' } as const
  assert.deepEqual(namesFor({ tiers }), ['authenticated', 'unauthenticated', 'api_key', 'gold'])
  assert.deepEqual(namesFor({ tiers, cost: 7, legacyHeaders: true }), [
    'authenticated',
    'unauthenticated',
    'api_key',
    'gold',
  ])
  const own = ['authenticated@search', 'unauthenticated@search', 'api_key@search']
  assert.deepEqual(namesFor({}), own)
  assert.deepEqual(namesFor({ tiers: { gold: '20/s' }, consumers: { '42': '1/h' } }), [
    ...own,
    'gold@search',
    'consumer@search',
  ])
  namesFor({ tiers, store: 'memory' })
  assert.deepEqual(requests[0], {
    limit: { name: 'authenticated@search', algorithm: 'fixed-window', quotas: [{ limit: 1000, window: 3_600_000 }] },
    store: 'memory',
  })
})

test('a cost above the limit of a rate is rejected', () => {
  assert.equal(rateLimitOptions.safeParse({ cost: 101 }).success, false)
  assert.equal(rateLimitOptions.safeParse({ cost: 100 }).success, true)
  assert.equal(rateLimitOptions.safeParse({ cost: 11, consumers: { x: '10/s' } }).success, false)
})
