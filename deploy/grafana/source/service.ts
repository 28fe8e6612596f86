import {
  BytesPerSecondIEC,
  OpsPerSecond,
  PercentUnit,
  RequestsPerSecond,
  Seconds,
  Short,
} from '@grafana/grafana-foundation-sdk/units'
import { dashboard, GATEWAYS, type Row, serviceChoice } from './dashboard.ts'
import { graph, states } from './panels.ts'
import { quantile, quantiles, rate, rateAbove0 } from './queries.ts'

const SERVICE = `${GATEWAYS},service="$service"`
const INSTANCES = `${SERVICE},instance=~"$instance"`

const red: Row = {
  title: 'Rate, errors, duration',
  panels: [
    graph({
      title: 'Requests by status',
      description:
        'Requests per second on routes of the service, whether answered by the service, the cache or the gateway.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate('http_requests_total', SERVICE, 'status'), legend: '{{status}}' }],
    }),
    graph({
      title: 'Errors',
      description: 'Share of requests that are answered with 5xx.',
      unit: PercentUnit,
      queries: [
        { expr: 'service:http_errors:ratio_rate5m{service="$service"}', legend: '5 minutes' },
        { expr: 'service:http_errors:ratio_rate1h{service="$service"}', legend: '1 hour' },
        { expr: 'service:http_errors:budget{service="$service"}', legend: 'allowed' },
      ],
    }),
    graph({
      title: 'Latency',
      description: 'Time until requests are answered completely.',
      unit: Seconds,
      queries: quantiles('http_request_duration_seconds', SERVICE),
    }),
    graph({
      title: 'Calls of gRPC by status',
      description:
        'Calls per second by the gRPC status that clients got, from the service or the gateway; empty if the service does not use gRPC.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [{ expr: rate('sallyport_grpc_calls_total', SERVICE, 'grpc_status'), legend: '{{grpc_status}}' }],
    }),
  ],
}

const instances: Row = {
  title: 'Instances',
  panels: [
    graph({
      title: 'Requests by instance',
      description: 'Requests per second sent to each instance: a balancer spreads them by weight.',
      unit: RequestsPerSecond,
      queries: [{ expr: rate('sallyport_instance_requests_total', INSTANCES, 'instance'), legend: '{{instance}}' }],
    }),
    graph({
      title: 'Failures by reason',
      description:
        'Requests without a reply from the instance: connect and busy are retried elsewhere; timeout, closed and invalid become 504 and 502.',
      unit: RequestsPerSecond,
      queries: [
        {
          expr: rateAbove0('sallyport_instance_errors_total', INSTANCES, 'instance', 'reason'),
          legend: '{{instance}} {{reason}}',
        },
      ],
    }),
    graph({
      title: 'Time to the head of the reply, 95%',
      description: 'Time within which 95% of the replies of each instance begin: an outlier has a problem.',
      unit: Seconds,
      queries: [
        {
          expr: quantile(0.95, 'sallyport_instance_duration_seconds', INSTANCES, 'instance'),
          legend: '{{instance}}',
        },
      ],
    }),
    graph({
      title: 'Replies by class',
      description: 'Replies of the instances themselves by status class; error means no reply.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [
        {
          expr: rateAbove0('sallyport_instance_requests_total', INSTANCES, 'status_class'),
          legend: '{{status_class}}',
        },
      ],
    }),
    graph({
      title: 'Tried again',
      description:
        'Requests that were retried, on another instance or a new connection, and why; those that were not, because the budget was exhausted; and hedged requests, sent to a second instance because the first was slow.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [
        { expr: rateAbove0('sallyport_retries_total', SERVICE, 'reason'), legend: '{{reason}}' },
        { expr: rate('sallyport_retry_budget_exhausted_total', SERVICE), legend: 'not sent: no budget' },
        { expr: rateAbove0('sallyport_hedges_total', SERVICE, 'outcome'), legend: 'two at a time: {{outcome}}' },
        {
          expr: rate('sallyport_hedge_budget_exhausted_total', SERVICE),
          legend: 'not two at a time: no budget',
        },
      ],
    }),
    graph({
      title: 'In flight',
      description: 'Requests that each instance is working on.',
      unit: Short,
      queries: [{ expr: `sum by (instance) (sallyport_instance_in_flight{${INSTANCES}})`, legend: '{{instance}}' }],
    }),
    states({
      title: 'Health',
      description: 'Whether every gateway finds the instance healthy.',
      query: { expr: `min by (instance) (sallyport_instance_healthy{${INSTANCES}})`, legend: '{{instance}}' },
      states: ['unhealthy', 'healthy'],
    }),
  ],
}

const saturation: Row = {
  title: 'Saturation',
  panels: [
    graph({
      title: 'Connections',
      description: 'Connections to the instances by state.',
      unit: Short,
      stacked: true,
      queries: [{ expr: `sum by (state) (sallyport_pool_connections{${INSTANCES}})`, legend: '{{state}}' }],
    }),
    graph({
      title: 'Waiting for a connection',
      description: 'Requests waiting because all allowed connections are busy. Should be 0.',
      unit: Short,
      queries: [{ expr: `sum by (instance) (sallyport_pool_waiting{${INSTANCES}})`, legend: '{{instance}}' }],
    }),
    graph({
      title: 'Traffic',
      description: 'Bytes of reply bodies and tunnels sent to clients per second.',
      unit: BytesPerSecondIEC,
      queries: [{ expr: rate('sallyport_response_bytes_total', SERVICE), legend: 'sent' }],
    }),
  ],
}

const resilience: Row = {
  title: 'Resilience',
  panels: [
    graph({
      title: 'Ejections',
      description:
        'Instances that were ejected because they failed while the others did not: row for consecutive failures, rate for the share of failures, stall for missing replies.',
      unit: OpsPerSecond,
      queries: [{ expr: rate('sallyport_ejections_total', SERVICE, 'reason'), legend: '{{reason}}' }],
    }),
    graph({
      title: 'Shed',
      description:
        'Requests that were answered with 503 because of overload, by reason and the priority of their route.',
      unit: RequestsPerSecond,
      stacked: true,
      queries: [
        { expr: rate('sallyport_shed_total', SERVICE, 'reason', 'priority'), legend: '{{reason}} {{priority}}' },
      ],
    }),
    graph({
      title: 'Limit and in flight',
      description:
        'Maximum number of concurrent requests for the service, by gateway, and the current number. The limit falls when requests take longer than usual.',
      unit: Short,
      queries: [
        { expr: `sum by (gateway) (sallyport_concurrency_limit{${SERVICE}})`, legend: 'limit {{gateway}}' },
        { expr: `sum by (gateway) (sallyport_instance_in_flight{${SERVICE}})`, legend: 'in flight {{gateway}}' },
      ],
    }),
    states({
      title: 'Ejected',
      description: 'Whether any gateway sends the instance no requests because it failed while the others did not.',
      query: { expr: `1 - max by (instance) (sallyport_instance_ejected{${INSTANCES}})`, legend: '{{instance}}' },
      states: ['ejected', 'in use'],
    }),
  ],
}

/** One service: its health, and which of its instances have problems. */
export const service = dashboard({
  uid: 'service',
  title: 'Service',
  description: 'One service: its health, and which of its instances have problems.',
  choices: [
    serviceChoice(false),
    {
      name: 'instance',
      label: 'Instance',
      query: 'label_values(sallyport_instance_healthy{service="$service"}, instance)',
      several: true,
    },
  ],
  rows: [red, instances, resilience, saturation],
})
