import { BytesIEC, OpsPerSecond, PercentUnit, RequestsPerSecond, Seconds } from '@grafana/grafana-foundation-sdk/units'
import { dashboard, GATEWAYS, type Row } from './dashboard.ts'
import { graph, states } from './panels.ts'
import { quantile, rate, rateAbove0 } from './queries.ts'

const DECISIONS = 'sallyport_rate_limit_decisions_total'
const REFUSED = `${GATEWAYS},outcome="refused"`

const rateLimits: Row = {
  title: 'Limits',
  panels: [
    graph({
      title: 'Decisions',
      description: 'Counted requests by tier and result; uncounted passed while the store did not answer.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate(DECISIONS, GATEWAYS, 'tier', 'outcome'), legend: '{{tier}} {{outcome}}' }],
    }),
    graph({
      title: 'Refused',
      description: 'Share of the requests of each tier that exceed the limit and get 429.',
      unit: PercentUnit,
      max: 1,
      queries: [
        { expr: `${rate(DECISIONS, REFUSED, 'tier')} / ${rate(DECISIONS, GATEWAYS, 'tier')}`, legend: '{{tier}}' },
      ],
    }),
    graph({
      title: 'Used',
      description: 'Units of limits used per second: requests, weighted by their cost.',
      unit: OpsPerSecond,
      queries: [{ expr: rate('sallyport_rate_limit_tokens_total', GATEWAYS, 'tier'), legend: '{{tier}}' }],
    }),
  ],
}

const identity: Row = {
  title: 'Identity',
  panels: [
    graph({
      title: 'Who calls',
      description: 'Authenticated requests, by the method of authentication.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [
        {
          expr: rate('sallyport_auth_outcomes_total', `${GATEWAYS},outcome="accepted"`, 'method'),
          legend: '{{method}}',
        },
      ],
    }),
    graph({
      title: 'Not accepted',
      description:
        'Refused requests, and why. Many invalid ones from few addresses mean that someone is guessing keys; unavailable means that tokens could not be checked.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [
        {
          expr: rateAbove0('sallyport_auth_outcomes_total', `${GATEWAYS},outcome!="accepted"`, 'method', 'outcome'),
          legend: '{{method}} {{outcome}}',
        },
      ],
    }),
    graph({
      title: '401, 403 and 429 by service',
      description: 'What clients see of it.',
      unit: RequestsPerSecond,
      queries: [
        {
          expr: rate('http_requests_total', `${GATEWAYS},status=~"401|403|429"`, 'service', 'status'),
          legend: '{{service}} {{status}}',
        },
      ],
    }),
  ],
}

const KEYS = 'sallyport_idempotency_total'

const repeats: Row = {
  title: 'Idempotency',
  panels: [
    graph({
      title: 'Requests with keys',
      description:
        'Requests with an Idempotency-Key, by result: kept is the first request, whose reply is stored; unkept has no reply that could be repeated; lost has a reply that the store did not accept.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate(KEYS, GATEWAYS, 'outcome'), legend: '{{outcome}}' }],
    }),
    graph({
      title: 'Replies kept for keys',
      description: 'Bytes in the memory of each gateway, at most stores.memory.replies.',
      unit: BytesIEC,
      queries: [{ expr: `sum by (gateway) (sallyport_idempotency_bytes{${GATEWAYS}})`, legend: '{{gateway}}' }],
    }),
    graph({
      title: 'Forgotten early',
      description:
        'Replies that were evicted before they expired: requests repeated with their keys are executed again. Should be 0.',
      unit: OpsPerSecond,
      queries: [{ expr: rate('sallyport_idempotency_evictions_total', GATEWAYS, 'store'), legend: '{{store}}' }],
    }),
  ],
}

const store: Row = {
  title: 'Store',
  panels: [
    graph({
      title: 'Operations',
      description: 'Operations on the store that the gateways share, by result.',
      unit: OpsPerSecond,
      stacked: true,
      queries: [
        {
          expr: rate('sallyport_store_operations_total', GATEWAYS, 'store', 'outcome'),
          legend: '{{store}} {{outcome}}',
        },
      ],
    }),
    graph({
      title: 'Time for an operation, 99%',
      description: 'Time within which 99% of the operations complete. Requests wait for them.',
      unit: Seconds,
      queries: [
        {
          expr: quantile(0.99, 'sallyport_store_duration_seconds', GATEWAYS, 'store', 'operation'),
          legend: '{{store}} {{operation}}',
        },
      ],
    }),
    graph({
      title: 'Forgotten in memory',
      description:
        'Counts that were evicted from the memory of a gateway before they expired. If there are any, the table is too small, and clients may get their limit again.',
      unit: OpsPerSecond,
      queries: [
        { expr: rate('sallyport_rate_limit_table_evictions_total', GATEWAYS, 'gateway'), legend: '{{gateway}}' },
      ],
    }),
    states({
      title: 'Reached',
      description: 'Whether the store answers each gateway.',
      query: { expr: `min by (store, gateway) (sallyport_store_up{${GATEWAYS}})`, legend: '{{store}} {{gateway}}' },
      states: ['down', 'up'],
    }),
    graph({
      title: 'Refused messages of gateways',
      description:
        'Malformed messages on the channel through which gateways share operations: another program publishes there, or versions differ.',
      unit: OpsPerSecond,
      queries: [{ expr: rate('sallyport_replica_messages_dropped_total', GATEWAYS, 'gateway'), legend: '{{gateway}}' }],
    }),
  ],
}

/** Callers, refused requests, and rate limits. */
export const limits = dashboard({
  uid: 'limits',
  title: 'Limits and identity',
  description: 'Callers, refused requests, and rate limits.',
  choices: [],
  rows: [rateLimits, identity, repeats, store],
})
