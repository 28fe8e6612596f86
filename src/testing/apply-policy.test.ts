import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rootCause } from '../core/errors.ts'
import { ManualClock } from './manual-clock.ts'
import {
  type Caches,
  type Client,
  type Clock,
  definePolicy,
  GatewayError,
  type Handler,
  Headers,
  type Limit,
  type RateLimits,
  type Metrics,
  Reply,
  type ServiceRequest,
  z,
} from '../gateway.ts'
import { applyPolicy, fakeExchange } from '../testing.ts'

const hello: Handler = () => new Reply(200, Headers.of(), null)

const two: Limit = { name: 'two', algorithm: 'fixed-window', quotas: [{ limit: 2, window: 60_000 }] }

/** Lets two requests a minute of each client through. */
const twice = definePolicy({
  name: 'twice',
  summary: 'Two a minute.',
  options: z.strictObject({ local: z.boolean().default(false) }),
  create({ local }, toolbox) {
    const { limits }: { limits: RateLimits } = toolbox
    const meter = local ? limits.localMeter(two) : limits.meter(two, 'closed')
    return (next) => async (exchange) => {
      const client: Client = exchange.client
      const decision = await meter.decide(client.address, 1)
      if (decision?.admitted === false) throw new GatewayError('rate-limited', 'Twice is enough.')
      return next(exchange)
    }
  },
})

for (const local of [false, true])
  test(`limits ${local ? 'of the process' : 'of the preferred store'} count in the test kit`, async () => {
    const clock = new ManualClock()
    const handle = applyPolicy(twice, { local }, hello, { tools: { clock } })
    for (let i = 0; i < 2; i++) assert.equal((await handle(fakeExchange())).status, 200)
    await assert.rejects(async () => handle(fakeExchange()), { code: 'rate-limited' })
    clock.advance(60_001)
    assert.equal((await handle(fakeExchange())).status, 200, 'the window has ended')
  })

test('policies do not share counts', async () => {
  const first = applyPolicy(twice, {}, hello)
  for (let i = 0; i < 2; i++) await first(fakeExchange())
  assert.equal((await applyPolicy(twice, {}, hello)(fakeExchange())).status, 200)
})

test('caches and metrics are provided, and a service has to be supplied', async () => {
  const seen: string[] = []
  const looking = definePolicy({
    name: 'looking',
    summary: 'Looks at its tools.',
    options: z.strictObject({}),
    create(_, toolbox) {
      const tools: { caches: Caches; metrics: Metrics; clock: Clock } = toolbox
      const evictions = tools.metrics.counter('sallyport_cache_evictions_total', { store: 'memory' })
      tools.caches.make(tools.caches.preferred, 1024, evictions)
      seen.push(tools.caches.preferred)
      const request: ServiceRequest = {
        method: 'GET',
        target: '/',
        headers: Headers.of(),
        body: null,
        timeout: 1000,
        limit: 1000,
      }
      return () => async () => {
        await toolbox.callService('user-service', request)
        return new Reply(204, Headers.of(), null)
      }
    },
  })
  const handle = applyPolicy(looking, {}, hello)
  assert.deepEqual(seen, ['memory'])
  await assert.rejects(
    async () => handle(fakeExchange()),
    (error: Error) => String(rootCause(error)).includes('the test has no service user-service: give it callService'),
  )
})

test('invalid options are problems in the words of the configuration', () => {
  assert.throws(() => applyPolicy(twice, { locl: true } as object, hello), {
    name: 'ConfigError',
    message: 'policies.twice.locl: unknown key "locl"; did you mean "local"?',
  })
})
