import { BytesIEC, PercentUnit, RequestsPerSecond, Seconds, Short } from '@grafana/grafana-foundation-sdk/units'
import { dashboard, GATEWAYS, type Row } from './dashboard.ts'
import { figure, graph, states } from './panels.ts'
import { quantile, quantiles, rate, rateAbove0 } from './queries.ts'

const SERVED = `${GATEWAYS},service!=""`
const FAILED = `${SERVED},status=~"5.."`

const now: Row = {
  title: 'Now',
  panels: [
    figure({
      title: 'Gateways',
      description: 'Gateways that Prometheus can scrape.',
      unit: Short,
      queries: [{ expr: `sum(up{${GATEWAYS}})`, legend: 'up' }],
    }),
    figure({
      title: 'Alerts',
      description: 'Firing alerts; docs/runbooks.md says what to do about each.',
      unit: Short,
      thresholds: [1, 3],
      queries: [{ expr: 'count(ALERTS{alertname=~"Sallyport.+",alertstate="firing"}) or vector(0)', legend: 'firing' }],
    }),
    figure({
      title: 'Requests',
      description: "Requests per second, including those to the gateway's own endpoints.",
      unit: RequestsPerSecond,
      queries: [{ expr: rate('http_requests_total', GATEWAYS), legend: 'requests' }],
    }),
    figure({
      title: 'Errors',
      description: 'Share of requests for services that are answered with 5xx. The objective allows 0.1%.',
      unit: PercentUnit,
      thresholds: [0.001, 0.01],
      queries: [
        {
          expr: `(${rate('http_requests_total', FAILED)} or vector(0)) / ${rate('http_requests_total', SERVED)}`,
          legend: '5xx',
        },
      ],
    }),
    figure({
      title: 'Latency, 99%',
      description: 'Time within which 99% of the requests for services are answered completely.',
      unit: Seconds,
      thresholds: [0.5, 2.5],
      queries: [{ expr: quantile(0.99, 'http_request_duration_seconds', SERVED), legend: '99%' }],
    }),
    figure({
      title: 'In the gateway, 99%',
      description: 'The same without the time of the services: what the gateway itself adds.',
      unit: Seconds,
      thresholds: [0.01, 0.1],
      queries: [{ expr: quantile(0.99, 'sallyport_gateway_duration_seconds', GATEWAYS), legend: '99%' }],
    }),
    figure({
      title: 'In flight',
      description: 'Requests currently in the gateway.',
      unit: Short,
      queries: [{ expr: `sum(sallyport_requests_in_flight{${GATEWAYS}})`, legend: 'in flight' }],
    }),
    figure({
      title: 'Unhealthy instances',
      description: 'Instances of services that some gateway has found unhealthy.',
      unit: Short,
      thresholds: [1, 2],
      queries: [
        {
          expr: `count(min by (service, instance) (sallyport_instance_healthy{${GATEWAYS}}) == 0) or vector(0)`,
          legend: 'unhealthy',
        },
      ],
    }),
  ],
}

const red: Row = {
  title: 'Rate, errors, duration',
  panels: [
    graph({
      title: 'Requests by status',
      description: 'Requests per second by status class.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [
        {
          expr: `sum by (class) (label_replace(rate(http_requests_total{${GATEWAYS}}[$__rate_interval]), "class", "\${1}xx", "status", "(.).."))`,
          legend: '{{class}}',
        },
      ],
    }),
    graph({
      title: 'Errors by service',
      description: 'Share of requests for each service that are answered with 5xx, over 5 minutes.',
      unit: PercentUnit,
      queries: [{ expr: 'service:http_errors:ratio_rate5m', legend: '{{service}}' }],
    }),
    graph({
      title: 'Latency',
      description: 'Time from the end of the head of a request for a service to the end of its reply.',
      unit: Seconds,
      queries: quantiles('http_request_duration_seconds', SERVED),
    }),
    graph({
      title: 'Requests by service',
      description: 'Requests a second for each service.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate('http_requests_total', SERVED, 'service'), legend: '{{service}}' }],
    }),
    graph({
      title: 'Error replies of the gateway',
      description:
        'Replies of the gateway itself, by code: docs/troubleshooting.md explains each code. Codes for client errors, such as unauthorized, are not failures.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rateAbove0('sallyport_errors_total', GATEWAYS, 'code'), legend: '{{code}}' }],
    }),
    graph({
      title: 'Calls of gRPC by status',
      description: 'Calls per second by the gRPC status that clients got: the HTTP status is always 200.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate('sallyport_grpc_calls_total', SERVED, 'grpc_status'), legend: '{{grpc_status}}' }],
    }),
    graph({
      title: 'Time in the gateway',
      description: 'What the gateway adds to the time that services take.',
      unit: Seconds,
      queries: quantiles('sallyport_gateway_duration_seconds', GATEWAYS),
    }),
  ],
}

const objectives: Row = {
  title: 'Objectives',
  panels: [
    graph({
      title: 'Errors: burn rate',
      description:
        "Burn rate of each service's error budget, over an hour. 1 uses it up in 30 days; 14.4 pages someone.",
      unit: Short,
      width: 12,
      thresholds: [1, 14.4],
      queries: [{ expr: 'service:http_errors:ratio_rate1h / service:http_errors:budget', legend: '{{service}}' }],
    }),
    graph({
      title: 'Latency: burn rate',
      description: 'The same for requests that take longer than the objective allows.',
      unit: Short,
      width: 12,
      thresholds: [1, 14.4],
      queries: [{ expr: 'service:http_slow:ratio_rate1h / service:http_slow:budget', legend: '{{service}}' }],
    }),
  ],
}

const saturation: Row = {
  title: 'Saturation',
  panels: [
    graph({
      title: 'CPU',
      description: 'Cores that each gateway uses. It can use as many as it has workers.',
      unit: Short,
      queries: [
        { expr: `rate(process_cpu_seconds_total{${GATEWAYS}}[$__rate_interval])`, legend: '{{gateway}}' },
        { expr: `sum(sallyport_workers{${GATEWAYS}})`, legend: 'workers' },
      ],
    }),
    graph({
      title: 'Memory',
      description: 'Resident memory of each gateway.',
      unit: BytesIEC,
      queries: [{ expr: `process_resident_memory_bytes{${GATEWAYS}}`, legend: '{{gateway}}' }],
    }),
    graph({
      title: 'Requests waiting for a connection',
      description: 'Requests waiting because all allowed connections to the instance are busy. Should be 0.',
      unit: Short,
      queries: [{ expr: `sum by (service) (sallyport_pool_waiting{${GATEWAYS}})`, legend: '{{service}}' }],
    }),
  ],
}

const instances: Row = {
  title: 'Instances',
  panels: [
    states({
      title: 'Health',
      description: 'Whether every gateway finds the instance healthy.',
      query: {
        expr: `min by (service, instance) (sallyport_instance_healthy{${GATEWAYS}})`,
        legend: '{{service}} {{instance}}',
      },
      states: ['unhealthy', 'healthy'],
    }),
  ],
}

const discovery: Row = {
  title: 'Discovery',
  panels: [
    graph({
      title: 'Instances found',
      description: 'Instances of services with discovery, as seen by the gateway that knows the fewest.',
      unit: Short,
      width: 12,
      queries: [{ expr: `min by (service) (sallyport_discovery_instances{${GATEWAYS}})`, legend: '{{service}}' }],
    }),
    graph({
      title: 'Since instances were found out',
      description:
        "Time since the last successful discovery of a service's instances, for the gateway where it is longest. It rises while discovery fails; known instances stay.",
      unit: Seconds,
      width: 12,
      queries: [
        {
          expr: `time() - min by (service) (sallyport_discovery_last_success_timestamp_seconds{${GATEWAYS}})`,
          legend: '{{service}}',
        },
      ],
    }),
  ],
}

/** What to look at first: whether requests are answered, quickly, and with room to spare. */
export const overview = dashboard({
  uid: 'overview',
  title: 'Overview',
  description: 'Whether requests are answered, quickly, and with room to spare.',
  choices: [],
  rows: [now, red, objectives, saturation, instances, discovery],
})
