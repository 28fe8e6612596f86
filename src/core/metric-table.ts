import { present } from './present.ts'

/** An entry of the metric table. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  /** One sentence, including the unit if the name does not imply it. */
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, in seconds, ascending. */
  readonly buckets?: readonly number[]
  /** How the values of all threads are combined: their sum, minimum or maximum. Default sum. */
  readonly combine?: 'sum' | 'least' | 'most'
  /** False for metrics that only the console shows, because a label may have too many values for Prometheus. Default true. */
  readonly exported?: false
}

/** A metric of a custom policy, made by `defineMetric`. */
export interface OwnMetric<
  Type extends MetricEntry['type'] = MetricEntry['type'],
  Label extends string = string,
> extends MetricEntry {
  /** As in the metrics document: with `sallyport_policy_` before the defined name. */
  readonly name: string
  readonly type: Type
  readonly labels: readonly Label[]
}

/** For whole requests and the time services take. */
export const LONG = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
/** For the gateway's own work and for stores. */
const SHORT = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5] as const

/** Every metric of the gateway: name -> type, help, labels. This is the only place where they are listed. */
export const metricTable = {
  http_requests_total: {
    type: 'counter',
    help: 'Total number of HTTP requests',
    labels: ['method', 'endpoint', 'status', 'service'],
  },
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'HTTP request duration in seconds',
    labels: ['method', 'endpoint', 'service'],
    buckets: LONG,
  },
  sallyport_route_duration_seconds: {
    type: 'histogram',
    help: 'Duration of requests in seconds, by route ID and whether they succeeded, ended with 4xx or ended with 5xx.',
    labels: ['route', 'outcome'],
    buckets: LONG,
    exported: false,
  },
  sallyport_listener_requests_total: {
    type: 'counter',
    help: 'Requests by the name of their listener, or its address if it has no name.',
    labels: ['listener'],
  },
  sallyport_route_last_request_seconds: {
    type: 'gauge',
    help: 'When the last request of a route ended, in monotonic seconds.',
    labels: ['route'],
    combine: 'most',
    exported: false,
  },
  sallyport_route_cache_requests_total: {
    type: 'counter',
    help: 'Requests to a route with a cache, by result.',
    labels: ['route', 'outcome'],
    exported: false,
  },
  sallyport_grpc_calls_total: {
    type: 'counter',
    help: 'gRPC calls, by the status that clients got.',
    labels: ['endpoint', 'service', 'grpc_status'],
  },
  http_active_connections: { type: 'gauge', help: 'Number of active HTTP connections', labels: [] },
  sallyport_requests_in_flight: { type: 'gauge', help: 'Requests whose reply is not yet complete.', labels: [] },
  sallyport_tls_handshakes_total: {
    type: 'counter',
    help: 'Completed TLS handshakes, by version and whether they resumed a session.',
    labels: ['version', 'resumed'],
  },
  sallyport_tls_handshake_failures_total: {
    type: 'counter',
    help: 'Failed TLS handshakes, by reason.',
    labels: ['reason'],
  },
  sallyport_tls_handshakes_in_progress: {
    type: 'gauge',
    help: 'Connections whose TLS handshake is not complete.',
    labels: [],
  },
  sallyport_shed_total: {
    type: 'counter',
    help: 'Requests shed with 503, by priority of their route and reason: concurrency (limit of the service) or overload (of the gateway).',
    labels: ['service', 'reason', 'priority'],
  },
  sallyport_concurrency_limit: {
    type: 'gauge',
    help: 'Limit of concurrent requests to a service; absent if there is none.',
    labels: ['service'],
  },
  sallyport_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the certificates of listeners expire, in Unix time, by the first name of each.',
    labels: ['name'],
    combine: 'least',
  },
  sallyport_acme_orders_total: {
    type: 'counter',
    help: 'Certificates requested by ACME, by name and whether a CA issued one.',
    labels: ['name', 'outcome'],
  },
  sallyport_acme_last_order_successful: {
    type: 'gauge',
    help: 'Whether the last certificate requested by ACME was issued: 1, also before the first, or 0.',
    labels: ['name'],
    combine: 'least',
  },
  sallyport_acme_issued_timestamp_seconds: {
    type: 'gauge',
    help: 'When the current certificate was issued by ACME; 0 if there is none yet.',
    labels: ['name'],
  },
  sallyport_gateway_duration_seconds: {
    type: 'histogram',
    help: 'Time spent in the gateway, from the end of the request head to the start of the reply, without waiting for the service or a slow body.',
    labels: ['service'],
    buckets: SHORT,
  },
  sallyport_response_bytes_total: {
    type: 'counter',
    help: 'Bytes of reply bodies and tunnels sent to clients.',
    labels: ['service'],
  },
  sallyport_errors_total: {
    type: 'counter',
    help: 'Error replies of the gateway itself, by code and fault.',
    labels: ['code', 'fault'],
  },
  sallyport_replies_broken_total: {
    type: 'counter',
    help: 'Replies and tunnels broken off while the client was still connected, by reason.',
    labels: ['reason'],
  },
  sallyport_tunnels_closed_total: {
    type: 'counter',
    help: 'WebSockets, event streams and other exchanges ended by the gateway, by reason: reload if their route leads elsewhere or their listener is gone.',
    labels: ['reason'],
  },
  sallyport_refused_requests_total: {
    type: 'counter',
    help: 'Requests with a malformed or unacceptable head, by error code.',
    labels: ['code'],
  },
  sallyport_request_fields_dropped_total: {
    type: 'counter',
    help: 'Headers dropped from requests, by reason: forged spellings, odd names, identity claims.',
    labels: ['reason'],
  },
  sallyport_instance_requests_total: {
    type: 'counter',
    help: 'Attempts on instances, by status class or error.',
    labels: ['service', 'instance', 'status_class'],
  },
  sallyport_instance_errors_total: {
    type: 'counter',
    help: 'Failed attempts without a reply, by reason; one repeated successfully on the same instance does not count.',
    labels: ['service', 'instance', 'reason'],
  },
  sallyport_instance_duration_seconds: {
    type: 'histogram',
    help: 'Time from picking an instance to the end of its reply head, including connecting.',
    labels: ['service', 'instance'],
    buckets: LONG,
  },
  sallyport_instance_in_flight: {
    type: 'gauge',
    help: 'Requests in flight at an instance.',
    labels: ['service', 'instance'],
  },
  sallyport_discovery_instances: {
    type: 'gauge',
    help: 'Instances found by the last discovery.',
    labels: ['service'],
  },
  sallyport_discovery_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the instances of a service were last discovered, in Unix time; 0 before the first answer.',
    labels: ['service'],
  },
  sallyport_instance_healthy: {
    type: 'gauge',
    help: 'Whether the instance gets requests: 1 or 0; before its first check 1, but 0 if a reload has added it.',
    labels: ['service', 'instance'],
  },
  sallyport_instance_ejected: {
    type: 'gauge',
    help: 'Whether the instance is ejected because it failed while others did not: 1, or 0.',
    labels: ['service', 'instance'],
  },
  sallyport_ejections_total: {
    type: 'counter',
    help: 'Ejections of instances, by reason: row for consecutive failures, rate for the failure rate, stall if replies stopped coming.',
    labels: ['service', 'reason'],
  },
  sallyport_service_insecure: {
    type: 'gauge',
    help: 'Whether the certificates of a service are accepted without verification (tls.insecure): 1, or 0.',
    labels: ['service'],
  },
  sallyport_retries_total: {
    type: 'counter',
    help: 'Retries, by the failure of the attempt before.',
    labels: ['service', 'reason'],
  },
  sallyport_retry_budget_exhausted_total: {
    type: 'counter',
    help: 'Retries that the budget of the service did not allow.',
    labels: ['service'],
  },
  sallyport_mirrored_requests_dropped_total: {
    type: 'counter',
    help: 'Mirrored requests that were dropped, because too many were in flight or the body was not available.',
    labels: ['service'],
  },
  sallyport_hedges_total: {
    type: 'counter',
    help: 'Hedged requests, by outcome: won if the second instance replied first, or lost.',
    labels: ['service', 'outcome'],
  },
  sallyport_hedge_budget_exhausted_total: {
    type: 'counter',
    help: 'Hedged requests that the budget of the service did not allow.',
    labels: ['service'],
  },
  sallyport_pool_connections: {
    type: 'gauge',
    help: 'Connections to an instance: idle, busy, connecting, or streaming: event streams and WebSockets.',
    labels: ['service', 'instance', 'state'],
  },
  sallyport_slow_clients_total: {
    type: 'counter',
    help: 'Exchanges and connections ended because their client was too slow or used more than its share, by reason.',
    labels: ['reason'],
  },
  sallyport_proxy_headers_refused_total: {
    type: 'counter',
    help: 'Connections closed because they did not begin with a trusted PROXY protocol header, by reason.',
    labels: ['reason'],
  },
  sallyport_pool_waiting: {
    type: 'gauge',
    help: 'Requests waiting for a connection to an instance.',
    labels: ['service', 'instance'],
  },
  sallyport_rate_limit_decisions_total: {
    type: 'counter',
    help: 'Decisions of rate limits; uncounted requests passed because the store did not answer.',
    labels: ['tier', 'outcome'],
  },
  sallyport_rate_limit_tokens_total: {
    type: 'counter',
    help: 'Units of rate limits used by admitted requests.',
    labels: ['tier'],
  },
  sallyport_rate_limit_table_evictions_total: {
    type: 'counter',
    help: 'Rate-limit counters in memory evicted before they expired.',
    labels: [],
  },
  sallyport_replica_messages_dropped_total: {
    type: 'counter',
    help: 'Messages on the Redis channel of operators that were malformed or not allowed.',
    labels: [],
  },
  sallyport_cdn_purges_total: {
    type: 'counter',
    help: 'Purge requests to the CDN, by outcome: done, failed after all attempts, or dropped because too many were waiting.',
    labels: ['outcome'],
  },
  sallyport_ip_access_refusals_total: {
    type: 'counter',
    help: 'Requests refused by client address, by reason: denied, not-allowed, or country.',
    labels: ['reason'],
  },
  sallyport_auth_outcomes_total: {
    type: 'counter',
    help: 'Authentication results, by the method that decided, or none.',
    labels: ['method', 'outcome'],
  },
  sallyport_api_key_requests_total: {
    type: 'counter',
    help: 'Requests with an API key of the configuration, including expired keys, by the ID of the key.',
    labels: ['key'],
  },
  sallyport_validation_reports_total: {
    type: 'counter',
    help: 'Requests that a validation in report mode would have refused, by the code of the error.',
    labels: ['endpoint', 'code'],
  },
  sallyport_cache_requests_total: {
    type: 'counter',
    help: 'Requests to routes with a cache, by result.',
    labels: ['outcome'],
  },
  sallyport_cache_bytes: { type: 'gauge', help: 'Bytes of stored replies.', labels: ['store'] },
  sallyport_cache_entries: { type: 'gauge', help: 'Stored replies.', labels: ['store'] },
  sallyport_cache_evictions_total: {
    type: 'counter',
    help: 'Stored replies evicted.',
    labels: ['store'],
  },
  sallyport_idempotency_total: {
    type: 'counter',
    help: 'Requests with an Idempotency-Key, by result: kept, replayed, outstanding and so on.',
    labels: ['outcome'],
  },
  sallyport_idempotency_bytes: {
    type: 'gauge',
    help: 'Bytes of replies kept in memory for repeated requests.',
    labels: [],
  },
  sallyport_idempotency_keys: {
    type: 'gauge',
    help: 'Idempotency keys in memory.',
    labels: [],
  },
  sallyport_idempotency_evictions_total: {
    type: 'counter',
    help: 'Kept replies evicted before they expired.',
    labels: ['store'],
  },
  sallyport_store_operations_total: {
    type: 'counter',
    help: 'Store operations, by result.',
    labels: ['store', 'operation', 'outcome'],
  },
  sallyport_store_duration_seconds: {
    type: 'histogram',
    help: 'Latency of store operations.',
    labels: ['store', 'operation'],
    buckets: SHORT,
  },
  sallyport_store_up: {
    type: 'gauge',
    help: 'Whether the store answers: 1, or 0 if at least one worker runs without it.',
    labels: ['store'],
    combine: 'least',
  },
  sallyport_trace_spans_total: {
    type: 'counter',
    help: 'Spans: exported, failed if the collector refused them, dropped if too many were waiting.',
    labels: ['outcome'],
  },
  sallyport_config_reloads_total: {
    type: 'counter',
    help: 'Configuration reloads, by outcome: applied, refused, unchanged, or rolled_back.',
    labels: ['outcome'],
  },
  sallyport_config_last_reload_successful: {
    type: 'gauge',
    help: 'Whether the last configuration read is in use: 1, or 0 if it was refused.',
    labels: [],
  },
  sallyport_config_reload_seconds: {
    type: 'gauge',
    help: 'Duration of the last reload that changed something, including first checks of new instances.',
    labels: [],
  },
  sallyport_config_info: {
    type: 'gauge',
    help: 'The revision of the configuration in use: always 1.',
    labels: ['revision'],
  },
  sallyport_config_loaded_timestamp_seconds: {
    type: 'gauge',
    help: 'When the configuration in use was loaded, in Unix time.',
    labels: [],
  },
  sallyport_workers: { type: 'gauge', help: 'Worker threads that run.', labels: [] },
  sallyport_log_lines_lost_total: {
    type: 'counter',
    help: 'Log lines dropped because the reader is too slow or gone.',
    labels: [],
  },
  sallyport_worker_restarts_total: {
    type: 'counter',
    help: 'Workers replaced, by reason: error, exit, memory, stuck, start if one did not start listening, or reload if one did not apply a configuration.',
    labels: ['reason'],
  },
  sallyport_event_loop_delay_seconds: {
    type: 'summary',
    help: 'Event-loop delay of a worker since the last scrape: median, 99th percentile, maximum.',
    labels: ['worker', 'quantile'],
  },
  sallyport_policy_modules_loaded: {
    type: 'gauge',
    help: 'Modules of custom policies loaded by a worker, counting each version of each file.',
    labels: ['worker'],
  },
  sallyport_heap_bytes: { type: 'gauge', help: 'JavaScript heap of a worker.', labels: ['worker', 'state'] },
  sallyport_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what is running.',
    labels: ['version', 'node_version'],
  },
  process_cpu_user_seconds_total: { type: 'counter', help: 'CPU time of the process in user mode.', labels: [] },
  process_cpu_system_seconds_total: {
    type: 'counter',
    help: 'CPU time of the process in the kernel.',
    labels: [],
  },
  process_cpu_seconds_total: { type: 'counter', help: 'CPU time of the process, user and kernel.', labels: [] },
  process_start_time_seconds: { type: 'gauge', help: 'When the process was started, in Unix time.', labels: [] },
  sallyport_memory_limit_bytes: {
    type: 'gauge',
    help: 'Memory limit of the process, from its configuration or container; 0 if there is none.',
    labels: [],
  },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the process.', labels: [] },
  process_open_fds: { type: 'gauge', help: 'Open file descriptors.', labels: [] },
  process_max_fds: { type: 'gauge', help: 'File descriptors that the process may have open.', labels: [] },
} as const satisfies Record<string, MetricEntry>

/** The name of a gateway metric. */
export type MetricName = keyof typeof metricTable

/** The names of the metrics of one type. */
export type MetricNameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends Type ? Name : never
}[MetricName]

/** The labels a metric must have. */
export type LabelsOf<Metric extends MetricName | OwnMetric> = Readonly<Record<LabelOf<Metric>, string>>

/** The names of the labels of a metric. */
export type LabelOf<Metric extends MetricName | OwnMetric> = Metric extends OwnMetric
  ? Metric['labels'][number]
  : (typeof metricTable)[Extract<Metric, MetricName>]['labels'][number]

/** A metric of one type: the name of one of the gateway's, or one that a custom policy has declared. */
export type MetricOf<Type extends MetricEntry['type']> = MetricNameOf<Type> | OwnMetric<Type>

const entries: ReadonlyMap<string, MetricEntry> = new Map(Object.entries<MetricEntry>(metricTable))

/** The entry of the gateway's metric with that name. Throws an Error if there is none. */
export function metricEntry(name: string): MetricEntry {
  return present(entries.get(name), `metric ${name}`)
}
