/** Metrics that a custom policy declares. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock, applyPolicy, fakeExchange, fakeMetrics } from '../src/testing.ts'
import { defineMetric, definePolicy, type GatewayInput, Reply, z } from '../src/gateway.ts'
import { ThreadMetrics } from '../src/telemetry/metrics/thread-metrics.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'

const NAME = 'sallyport_policy_tenant_requests_total'

const requests = defineMetric({
  type: 'counter',
  name: 'tenant_requests_total',
  help: 'Requests, by tenant.',
  labels: ['tenant'],
})
const waits = defineMetric({ type: 'histogram', name: 'tenant_wait_seconds', help: 'Waits.', buckets: [0.5, 1] })
const known = defineMetric({ type: 'gauge', name: 'tenant_known', help: 'Tenants that are known.' })

const counting = definePolicy({
  name: 'counting',
  summary: 'Counts requests by tenant.',
  options: z.strictObject({ tenants: z.string().array() }),
  create({ tenants }, { metrics }) {
    const counters = new Map(tenants.map((tenant) => [tenant, metrics.counter(requests, { tenant })]))
    const waited = metrics.histogram(waits, {})
    metrics.watch(known, {}, () => counters.size)
    return () => (exchange) => {
      const tenant = exchange.path.slice(1)
      const counter = counters.get(tenant) ?? metrics.counter(requests, { tenant })
      counter.add(1)
      waited.observe(0.75)
      return Reply.json(200, {})
    }
  },
})

const config: GatewayInput = {
  listeners: [{ address: '127.0.0.1:0' }],
  ownPolicies: [counting],
  policies: { counting: { tenants: ['acme', 'globex'] } },
  routes: [{ id: 'all', match: { path: '/*' }, reply: {} }],
}

test('a scrape has the metrics of a policy after those of the gateway, in both formats', async (t) => {
  const { port } = await startGateway(t, config)
  for (const path of ['/acme', '/acme', '/initech']) await send(port, { path })
  const { text } = await scrape(port)
  assert.match(
    text,
    /# HELP sallyport_policy_tenant_requests_total Requests, by tenant\.\n# TYPE sallyport_policy_tenant_requests_total counter\n/,
  )
  assert.match(text, /^sallyport_policy_tenant_requests_total\{tenant="acme"\} 2$/m)
  assert.match(text, /^sallyport_policy_tenant_requests_total\{tenant="globex"\} 0$/m)
  assert.match(text, /^sallyport_policy_tenant_requests_total\{tenant="initech"\} 1$/m)
  assert.match(text, /^sallyport_policy_tenant_wait_seconds_bucket\{le="0.5"\} 0$/m)
  assert.match(text, /^sallyport_policy_tenant_wait_seconds_bucket\{le="1"\} 3$/m)
  assert.match(text, /^sallyport_policy_tenant_wait_seconds_sum 2.25$/m)
  assert.match(text, /^sallyport_policy_tenant_known 2$/m)
  const open = await scrape(port, 'application/openmetrics-text; version=1.0.0')
  assert.match(open.text, /# TYPE sallyport_policy_tenant_requests counter\n/)
})

test('counts go on when the configuration changes', async (t) => {
  const { port, gateway } = await startGateway(t, config)
  await send(port, { path: '/acme' })
  await gateway.reload({ ...config, admin: false, policies: { counting: { tenants: ['acme'] } } })
  await send(port, { path: '/acme' })
  const metrics = await scrape(port)
  assert.equal(metrics.sum(NAME, { tenant: 'acme' }), 2)
  assert.equal(metrics.sum('sallyport_policy_tenant_known'), 1, 'the later configuration is asked')
})

test('a configuration that declares a metric in another way is refused with the reason, and the running one stays', async (t) => {
  const { port, gateway } = await startGateway(t, config)
  const other = defineMetric({ type: 'counter', name: 'tenant_requests_total', help: 'Requests.', labels: ['plan'] })
  const changed = definePolicy({
    ...counting,
    create(_, { metrics }) {
      metrics.counter(other, { plan: 'gold' })
      return (next) => next
    },
  })
  await assert.rejects(
    gateway.reload({ ...config, admin: false, ownPolicies: [changed] }),
    /policy "counting" could not be set up .* sallyport_policy_tenant_requests_total was declared with .* rename it, or restart/,
  )
  await send(port, { path: '/acme' })
  assert.equal((await scrape(port)).sum(NAME, { tenant: 'acme' }), 1)
})

test('a configuration that is refused leaves no metrics behind', async (t) => {
  const { port, gateway } = await startGateway(t, config)
  const plans = (label: string) =>
    definePolicy({
      ...counting,
      create(_, { metrics }) {
        const plan = defineMetric({ type: 'counter', name: 'plan_requests_total', help: 'Requests.', labels: [label] })
        metrics.counter(plan, { [label]: 'gold' })
        metrics.watch(known, {}, () => 7)
        return (next) => next
      },
    })
  const listeners = [{ address: '127.0.0.1:0' }, { address: '192.0.2.1:80' }]
  await assert.rejects(
    gateway.reload({ ...config, admin: false, listeners, ownPolicies: [plans('plam')] }),
    /192\.0\.2\.1/,
  )
  const metrics = await scrape(port)
  assert.deepEqual(metrics.all('sallyport_policy_plan_requests_total'), [])
  assert.equal(metrics.sum('sallyport_policy_tenant_known'), 2)
  await gateway.reload({ ...config, admin: false, ownPolicies: [plans('plan')] })
  assert.equal((await scrape(port)).all('sallyport_policy_plan_requests_total').length, 1)
})

test('a metric has two hundred series in a thread, and what is too much is counted together', async (t) => {
  const { port } = await startGateway(t, config)
  for (let i = 0; i < 205; i++) await send(port, { path: `/t${i}` })
  const metrics = await scrape(port)
  // Two of the configuration, 198 others, and those that came later.
  assert.equal(metrics.all(NAME).length, 201)
  assert.equal(metrics.sum(NAME, { tenant: 'other' }), 7)
  assert.equal(metrics.sum(NAME), 205)
})

test('of watched series two hundred are exported, and a warning names the metric once', async (t) => {
  const queued = defineMetric({ type: 'gauge', name: 'tenant_queued', help: 'Requests that wait.', labels: ['tenant'] })
  const all = defineMetric({ type: 'gauge', name: 'tenant_open', help: 'Open requests.', labels: ['tenant'] })
  const tenants = Array.from({ length: 201 }, (_, i) => `t${i}`)
  const watching = definePolicy({
    ...counting,
    create(_, { metrics }) {
      for (const tenant of tenants) metrics.watch(queued, { tenant }, () => 1)
      metrics.watchAll(all, () => [...tenants, ...tenants].map((tenant) => ({ labels: { tenant }, value: 1 })))
      return (next) => next
    },
  })
  const { port, log } = await startGateway(t, { ...config, ownPolicies: [watching] })
  for (let i = 0; i < 2; i++) {
    const metrics = await scrape(port)
    assert.equal(metrics.all('sallyport_policy_tenant_queued').length, 200)
    assert.equal(metrics.all('sallyport_policy_tenant_open').length, 200)
  }
  const warnings = log.lines.filter(({ message }) => String(message).startsWith('A metric of a policy is watched'))
  assert.deepEqual(
    warnings.map(({ metric, limit }) => [metric, limit]),
    [
      ['sallyport_policy_tenant_queued', 200],
      ['sallyport_policy_tenant_open', 200],
    ],
  )
})

test('series that nobody holds any more make room for others', () => {
  const clock = new ManualClock()
  const metrics = new ThreadMetrics(() => {}, clock)
  const held = metrics.hold()
  for (let i = 0; i < 200; i++) held.counter(requests, { tenant: `t${i}` }).add(1)
  const full = metrics.counter(requests, { tenant: 'one-more' })
  assert.equal(full, metrics.counter(requests, { tenant: 'other' }))
  held.release()
  clock.advance(3_600_000)
  assert.notEqual(metrics.counter(requests, { tenant: 'one-more' }), full)
})

test('tests read what a policy has counted', async () => {
  const metrics = fakeMetrics()
  const next = (): Reply => Reply.json(200, {})
  const handle = applyPolicy(counting, { tenants: ['acme'] }, next, { tools: { metrics } })
  for (const path of ['/acme', '/acme', '/initech']) await handle(fakeExchange({ path }))
  assert.equal(metrics.value(requests, { tenant: 'acme' }), 2)
  assert.equal(metrics.value(requests, { tenant: 'initech' }), 1)
  assert.equal(metrics.value(requests, { tenant: 'nobody' }), 0)
  assert.equal(metrics.value(waits, {}), 3)
  assert.equal(metrics.value(known, {}), 1)
})

test('tsc and the gateway know the labels', () => {
  const metrics = fakeMetrics()
  assert.throws(
    // @ts-expect-error -- there is no such label
    () => metrics.counter(requests, { tenent: 'acme' }),
    /^Error: the metric sallyport_policy_tenant_requests_total is declared with the labels tenant, not the labels tenent$/,
  )
  assert.throws(() => metrics.watch(known, { tenant: 'acme' }, () => 1), /with no labels, not the labels tenant$/)
})

test('tsc knows the type of a metric', () => {
  const metrics = fakeMetrics()
  // @ts-expect-error -- a gauge is no counter
  metrics.counter(known, {})
  // @ts-expect-error -- a counter is no histogram
  metrics.histogram(requests, { tenant: 'acme' })
})
