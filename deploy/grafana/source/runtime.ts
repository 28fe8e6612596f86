import { BytesIEC, DurationSeconds, PercentUnit, Seconds, Short } from '@grafana/grafana-foundation-sdk/units'
import { dashboard, GATEWAYS, type Row } from './dashboard.ts'
import { graph, rows } from './panels.ts'

const threads: Row = {
  title: 'Threads',
  panels: [
    graph({
      title: 'Delay of the event loop',
      description: 'Event loop delay of each worker, 99th percentile. Every request in it waits as long.',
      unit: Seconds,
      thresholds: [0.05, 0.1],
      queries: [
        {
          expr: `sallyport_event_loop_delay_seconds{${GATEWAYS},quantile="0.99"}`,
          legend: '{{gateway}} worker {{worker}}',
        },
      ],
    }),
    graph({
      title: 'Longest delay',
      description: 'The longest time that a worker did nothing else: a large body in a transform, or a custom policy.',
      unit: Seconds,
      queries: [
        {
          expr: `sallyport_event_loop_delay_seconds{${GATEWAYS},quantile="1"}`,
          legend: '{{gateway}} worker {{worker}}',
        },
      ],
    }),
    graph({
      title: 'Workers that died',
      description: 'Workers that died and were replaced, in 15 minutes. Should be 0.',
      unit: Short,
      queries: [
        {
          expr: `sum by (gateway) (increase(sallyport_worker_restarts_total{${GATEWAYS}}[15m]))`,
          legend: '{{gateway}}',
        },
      ],
    }),
  ],
}

const process: Row = {
  title: 'Process',
  panels: [
    graph({
      title: 'CPU',
      description: 'Cores that each gateway uses. It can use as many as it has workers.',
      unit: Short,
      queries: [
        { expr: `rate(process_cpu_seconds_total{${GATEWAYS}}[$__rate_interval])`, legend: '{{gateway}}' },
        { expr: `sallyport_workers{${GATEWAYS}}`, legend: '{{gateway}} workers' },
      ],
    }),
    graph({
      title: 'Memory',
      description: "Resident memory of each gateway, which counts towards a container's limit.",
      unit: BytesIEC,
      queries: [{ expr: `process_resident_memory_bytes{${GATEWAYS}}`, legend: '{{gateway}}' }],
    }),
    graph({
      title: 'File descriptors',
      description: 'Share of the allowed file descriptors that are open: one for each connection on either side.',
      unit: PercentUnit,
      max: 1,
      thresholds: [0.6, 0.8],
      queries: [
        {
          expr: `process_open_fds{${GATEWAYS}} / process_max_fds{${GATEWAYS}}`,
          legend: '{{gateway}}',
        },
      ],
    }),
    graph({
      title: 'Connections of clients',
      description: 'Open client connections, including tunnels.',
      unit: Short,
      queries: [{ expr: `http_active_connections{${GATEWAYS}}`, legend: '{{gateway}}' }],
    }),
    graph({
      title: 'Requests in flight',
      description: 'Requests that are inside the gateway.',
      unit: Short,
      queries: [{ expr: `sum by (gateway) (sallyport_requests_in_flight{${GATEWAYS}})`, legend: '{{gateway}}' }],
    }),
    graph({
      title: 'Heap',
      description: 'JavaScript heap of each worker that is in use. A line that only rises is a leak.',
      unit: BytesIEC,
      queries: [{ expr: `sallyport_heap_bytes{${GATEWAYS},state="used"}`, legend: '{{gateway}} worker {{worker}}' }],
    }),
  ],
}

const builds: Row = {
  title: 'What runs',
  panels: [
    rows({
      title: 'Versions',
      description: 'What runs where, and for how long.',
      columns: [
        {
          name: 'Up for',
          unit: DurationSeconds,
          expr: `(time() - process_start_time_seconds{${GATEWAYS}}) * on (gateway) group_left (version, node_version) sallyport_build_info`,
        },
        {
          name: 'Configuration loaded before',
          unit: DurationSeconds,
          expr: `(time() - sallyport_config_loaded_timestamp_seconds{${GATEWAYS}}) * on (gateway) group_left (version, node_version) sallyport_build_info`,
        },
        {
          name: 'Last reload taken (1) or refused (0)',
          unit: Short,
          expr: `sallyport_config_last_reload_successful{${GATEWAYS}} * on (gateway) group_left (version, node_version) sallyport_build_info`,
        },
      ],
    }),
    rows({
      title: 'Certificates',
      description: "Remaining validity of the listeners' certificates, by their first names.",
      columns: [
        {
          name: 'Expires in',
          unit: DurationSeconds,
          expr: `sallyport_certificate_expiry_timestamp_seconds{${GATEWAYS}} - time()`,
        },
      ],
    }),
  ],
}

/** The processes: threads, memory, connections, versions, certificates. */
export const runtime = dashboard({
  uid: 'runtime',
  title: 'Runtime',
  description: 'The processes: threads, memory, connections, versions, certificates.',
  choices: [],
  rows: [threads, process, builds],
})
