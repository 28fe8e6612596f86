import { PercentUnit, RequestsPerSecond, Seconds } from '@grafana/grafana-foundation-sdk/units'
import { dashboard, GATEWAYS, type Row, serviceChoice } from './dashboard.ts'
import { graph, rows } from './panels.ts'
import { quantile, rate } from './queries.ts'

const ROUTES = `${GATEWAYS},service=~"$service",service!=""`
const REQUESTS = rate('http_requests_total', ROUTES, 'endpoint')

const all: Row = {
  title: 'Every route',
  panels: [
    rows({
      title: 'Routes',
      description: 'Each pattern with its traffic, errors and latency. Click on a column to sort.',
      columns: [
        { name: 'Requests', unit: RequestsPerSecond, expr: rate('http_requests_total', ROUTES, 'endpoint', 'service') },
        {
          name: 'Errors',
          unit: PercentUnit,
          expr: `${rate('http_requests_total', `${ROUTES},status=~"5.."`, 'endpoint', 'service')} / ${rate('http_requests_total', ROUTES, 'endpoint', 'service')}`,
        },
        {
          name: 'Latency, 95%',
          unit: Seconds,
          expr: quantile(0.95, 'http_request_duration_seconds', ROUTES, 'endpoint', 'service'),
        },
      ],
    }),
  ],
}

const busiest: Row = {
  title: 'Rate, errors, duration',
  panels: [
    graph({
      title: 'Requests: the ten busiest',
      description: 'Requests a second by pattern.',
      unit: RequestsPerSecond,
      queries: [{ expr: `topk(10, ${REQUESTS})`, legend: '{{endpoint}}' }],
    }),
    graph({
      title: 'Errors: the ten worst',
      description: 'Share of requests that are answered with 5xx, by pattern; patterns without any are left out.',
      unit: PercentUnit,
      queries: [
        {
          expr: `topk(10, ${rate('http_requests_total', `${ROUTES},status=~"5.."`, 'endpoint')} / ${REQUESTS})`,
          legend: '{{endpoint}}',
        },
      ],
    }),
    graph({
      title: 'Latency, 95%: the ten slowest',
      description: 'Time within which 95% of the requests are answered completely, by pattern.',
      unit: Seconds,
      queries: [
        {
          expr: `topk(10, ${quantile(0.95, 'http_request_duration_seconds', ROUTES, 'endpoint')})`,
          legend: '{{endpoint}}',
        },
      ],
    }),
  ],
}

const refused: Row = {
  title: 'What clients get wrong',
  panels: [
    graph({
      title: 'Client errors by status',
      description: 'Requests on routes that are answered with 4xx.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate('http_requests_total', `${ROUTES},status=~"4.."`, 'status'), legend: '{{status}}' }],
    }),
    graph({
      title: 'No route',
      description: 'Requests that match no route, by status: an outdated client, a wrong path, or a scanner.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [
        {
          expr: rate('http_requests_total', `${GATEWAYS},endpoint="unmatched"`, 'status'),
          legend: '{{status}}',
        },
      ],
    }),
    graph({
      title: 'Unreadable requests',
      description: 'Requests that were refused while they were read: not HTTP, too large, too slow.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate('sallyport_refused_requests_total', GATEWAYS, 'code'), legend: '{{code}}' }],
    }),
  ],
}

/** Every route by its pattern, and the requests that match none. */
export const routes = dashboard({
  uid: 'routes',
  title: 'Routes',
  description: 'Every route by its pattern, and the requests that match none.',
  choices: [serviceChoice(true)],
  rows: [all, busiest, refused],
})
