import assert from 'node:assert/strict'
import test from 'node:test'
import { defineMetric } from './own-metric.ts'

const requests = { type: 'counter', name: 'tenant_requests_total', help: 'Requests.', labels: ['tenant'] } as const

test('a metric has the prefix of policies, and a histogram buckets unless it brings some', () => {
  assert.deepEqual(defineMetric(requests), { ...requests, name: 'sallyport_policy_tenant_requests_total' })
  const lookup = defineMetric({ type: 'histogram', name: 'tenant_lookup_seconds', help: 'Lookups.' })
  assert.deepEqual([lookup.labels, lookup.buckets?.[0], lookup.buckets?.at(-1)], [[], 0.001, 10])
  const own = defineMetric({ type: 'histogram', name: 'tenant_wait_seconds', help: 'Waits.', buckets: [1, 60] })
  assert.deepEqual(own.buckets, [1, 60])
})

test('what Prometheus could not read, or would take for something else, is refused with the reason', () => {
  const refused: readonly (readonly [change: object, message: RegExp])[] = [
    [{ type: 'summary' }, /expected counter, gauge or histogram/],
    [{ name: 'Tenant_total' }, /malformed name/],
    [{ name: 'tenant-requests_total' }, /malformed name/],
    [{ name: 'x'.repeat(101) }, /malformed name/],
    [{ name: 'tenant_requests' }, /must end in _total/],
    [{ type: 'histogram' }, /must end in _seconds/],
    [{ type: 'gauge' }, /must not end in _total/],
    [{ type: 'gauge', name: 'modules_loaded' }, /one of the gateway's/],
    [{ help: ' ' }, /no help/],
    [{ help: 'two\nlines' }, /one line/],
    [{ labels: ['Tenant'] }, /label "Tenant"/],
    [{ labels: ['le'] }, /label "le"/],
    [{ labels: ['tenant', 'tenant'] }, /same label twice/],
    [{ buckets: [1] }, /which has no buckets/],
    ...[[], [2, 1], [1, 1], [0], [Number.POSITIVE_INFINITY], Array.from({ length: 33 }, (_, i) => i + 1)].map(
      (buckets) => [{ type: 'histogram', name: 'tenant_wait_seconds', buckets }, /malformed buckets/] as const,
    ),
  ]
  for (const [change, message] of refused)
    assert.throws(
      () => defineMetric({ ...requests, ...change }),
      { name: 'TypeError', message },
      JSON.stringify(change),
    )
})
