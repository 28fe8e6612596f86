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
        'Requests on routes with a cache: hit and stale were answered from it, coalesced waited for the same request of another client, revalidated was confirmed by the service, miss and bypass went to the service.',
      unit: RequestsPerSecond,
      width: 12,
      stacked: true,
      queries: [{ expr: rate(REQUESTS, GATEWAYS, 'outcome'), legend: '{{outcome}}' }],
    }),
    graph({
      title: 'Spared',
      description: 'Share of requests that were answered without the service.',
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
      description: 'Evicted replies. If there are many and few hits, the cache is too small.',
      unit: OpsPerSecond,
      queries: [{ expr: rate('sallyport_cache_evictions_total', GATEWAYS, 'store'), legend: '{{store}}' }],
    }),
  ],
}

/** How much the cache saves the services, and its contents. */
export const cache = dashboard({
  uid: 'cache',
  title: 'Cache',
  description: 'How much the cache saves the services, and its contents.',
  choices: [],
  rows: [outcomes, size],
})
