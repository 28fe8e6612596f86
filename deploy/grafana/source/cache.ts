import { BytesIEC, OpsPerSecond, PercentUnit, RequestsPerSecond, Short } from '@grafana/grafana-foundation-sdk/units'
import { dashboard, GATEWAYS, type Row } from './dashboard.ts'
import { graph } from './panels.ts'
import { rate } from './queries.ts'

const REQUESTS = 'sallyport_cache_requests_total'
const SPARED = `${GATEWAYS},outcome=~"hit|stale|coalesced"`

const outcomes: Row = {
  title: 'What it spares the services',
  panels: [
    graph({
      title: 'Requests by outcome',
      description:
        'Requests on routes with a cache: hit and stale come out of it, coalesced waited for the same request of another client, revalidated was confirmed by the service, miss and bypass went through.',
      unit: RequestsPerSecond,
      width: 12,
      stacked: true,
      queries: [{ expr: rate(REQUESTS, GATEWAYS, 'outcome'), legend: '{{outcome}}' }],
    }),
    graph({
      title: 'Spared',
      description: 'Part of the requests for which no service was asked.',
      unit: PercentUnit,
      width: 12,
      max: 1,
      queries: [{ expr: `${rate(REQUESTS, SPARED)} / ${rate(REQUESTS, GATEWAYS)}`, legend: 'spared' }],
    }),
  ],
}

const size: Row = {
  title: 'What it holds',
  panels: [
    graph({
      title: 'Size',
      description: 'Bytes that are stored.',
      unit: BytesIEC,
      queries: [
        { expr: `sum by (store, gateway) (sallyport_cache_bytes{${GATEWAYS}})`, legend: '{{store}} {{gateway}}' },
      ],
    }),
    graph({
      title: 'Replies',
      description: 'Replies that are stored.',
      unit: Short,
      queries: [
        { expr: `sum by (store, gateway) (sallyport_cache_entries{${GATEWAYS}})`, legend: '{{store}} {{gateway}}' },
      ],
    }),
    graph({
      title: 'Evicted',
      description: 'Replies that made room for others. Many of them with few hits: the cache is too small.',
      unit: OpsPerSecond,
      queries: [{ expr: rate('sallyport_cache_evictions_total', GATEWAYS, 'store'), legend: '{{store}}' }],
    }),
  ],
}

/** What the cache spares the services, and what it holds. */
export const cache = dashboard({
  uid: 'cache',
  title: 'Cache',
  description: 'What the cache spares the services, and what it holds.',
  choices: [],
  rows: [outcomes, size],
})
