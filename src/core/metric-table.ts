/** What the table says of a metric. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  /** One sentence, with the unit where the name does not say it. */
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, in seconds, rising. */
  readonly buckets?: readonly number[]
  /** What all threads say together: the sum, or the least or the most that one of them says. Default sum. */
  readonly together?: 'sum' | 'least' | 'most'
  /** False for what only the console shows: a label there may have too many values for Prometheus. Default true. */
  readonly told?: false
}

/** For whole requests and what services take. */
const LONG = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
/** For what the gateway does itself, and stores. */
const SHORT = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5] as const

/** Every metric of the gateway: name -> type, help, labels. The one place where they are listed. */
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
    help: 'How long requests took, by the id of their route, and whether they ended well, with 4xx or with 5xx.',
    labels: ['route', 'outcome'],
    buckets: LONG,
    told: false,
  },
  sallyport_route_last_request_seconds: {
    type: 'gauge',
    help: 'When the last request of a route ended, in monotonic seconds.',
    labels: ['route'],
    together: 'most',
    told: false,
  },
  sallyport_route_cache_requests_total: {
    type: 'counter',
    help: 'Requests to a route with a cache, by what came of it.',
    labels: ['route', 'outcome'],
    told: false,
  },
  sallyport_grpc_calls_total: {
    type: 'counter',
    help: 'Calls of gRPC, by how they ended for their clients.',
    labels: ['endpoint', 'service', 'grpc_status'],
  },
  http_active_connections: { type: 'gauge', help: 'Number of active HTTP connections', labels: [] },
  sallyport_requests_in_flight: { type: 'gauge', help: 'Requests whose reply is not yet complete.', labels: [] },
  sallyport_tls_handshakes_total: {
    type: 'counter',
    help: 'TLS handshakes that were completed, by the version, and whether they resumed a session.',
    labels: ['version', 'resumed'],
  },
  sallyport_tls_handshake_failures_total: {
    type: 'counter',
    help: 'TLS handshakes that came to nothing, by the reason.',
    labels: ['reason'],
  },
  sallyport_tls_handshakes_in_progress: {
    type: 'gauge',
    help: 'Connections whose TLS handshake is not complete.',
    labels: [],
  },
  sallyport_shed_total: {
    type: 'counter',
    help: 'Requests answered with 503 as there was too much to do, by the priority of their route and the reason: concurrency (of the service) or overload (of the gateway).',
    labels: ['service', 'reason', 'priority'],
  },
  sallyport_concurrency_limit: {
    type: 'gauge',
    help: 'Requests that may wait for a service at a time; left out where nothing bounds them.',
    labels: ['service'],
  },
  sallyport_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the certificates of listeners expire, in Unix time, by the first name of each.',
    labels: ['name'],
    together: 'least',
  },
  sallyport_acme_orders_total: {
    type: 'counter',
    help: 'Certificates that were asked for by ACME, by the name, and whether a CA issued one.',
    labels: ['name', 'outcome'],
  },
  sallyport_acme_last_order_successful: {
    type: 'gauge',
    help: 'Whether the last certificate that was asked for by ACME was issued: 1, also before the first, or 0.',
    labels: ['name'],
    together: 'least',
  },
  sallyport_acme_issued_timestamp_seconds: {
    type: 'gauge',
    help: 'When the certificate that is shown was issued by ACME; 0 where there is none yet.',
    labels: ['name'],
  },
  sallyport_gateway_duration_seconds: {
    type: 'histogram',
    help: 'From the end of the request head to the beginning of the reply, without the time that the service took, or a body that came late.',
    labels: ['service'],
    buckets: SHORT,
  },
  sallyport_response_bytes_total: {
    type: 'counter',
    help: 'Octets of reply bodies, and of tunnels, that were sent to clients.',
    labels: ['service'],
  },
  sallyport_errors_total: {
    type: 'counter',
    help: 'Error replies of the gateway itself, by their code and whose fault they tell of.',
    labels: ['code', 'fault'],
  },
  sallyport_replies_broken_total: {
    type: 'counter',
    help: 'Replies and tunnels that were broken off although the client was still there, by the reason.',
    labels: ['reason'],
  },
  sallyport_tunnels_closed_total: {
    type: 'counter',
    help: 'WebSockets, event streams and other exchanges under way that the gateway has ended, by the reason: reload, as their route leads elsewhere or their listener is gone.',
    labels: ['reason'],
  },
  sallyport_refused_requests_total: {
    type: 'counter',
    help: 'Requests whose head could not be read or was not to be, by the code of the error.',
    labels: ['code'],
  },
  sallyport_request_fields_dropped_total: {
    type: 'counter',
    help: 'Header fields that were taken out of requests: folded into a name that counts, odd names, claims of identity.',
    labels: ['reason'],
  },
  sallyport_instance_requests_total: {
    type: 'counter',
    help: 'Attempts to have a request answered by an instance, by the class of its status, or error.',
    labels: ['service', 'instance', 'status_class'],
  },
  sallyport_instance_errors_total: {
    type: 'counter',
    help: 'Attempts that brought no reply, by the reason; one that a retry on the same instance made up for is none.',
    labels: ['service', 'instance', 'reason'],
  },
  sallyport_instance_duration_seconds: {
    type: 'histogram',
    help: 'From the choice of the instance to the end of its reply head, connecting included.',
    labels: ['service', 'instance'],
    buckets: LONG,
  },
  sallyport_instance_in_flight: {
    type: 'gauge',
    help: 'Requests that an instance has not yet answered whole.',
    labels: ['service', 'instance'],
  },
  sallyport_discovery_instances: {
    type: 'gauge',
    help: 'Instances that were found last, of services that discover them.',
    labels: ['service'],
  },
  sallyport_discovery_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the instances of a service were last found out, in Unix time; 0 before the first answer.',
    labels: ['service'],
  },
  sallyport_instance_healthy: {
    type: 'gauge',
    help: 'Whether requests may go to the instance: 1 or 0; before its first check 1, but 0 if a reload has added it.',
    labels: ['service', 'instance'],
  },
  sallyport_instance_ejected: {
    type: 'gauge',
    help: 'Whether the instance gets no requests for a while, as it failed while others did not: 1, or 0.',
    labels: ['service', 'instance'],
  },
  sallyport_ejections_total: {
    type: 'counter',
    help: 'Times that an instance of the service was ejected, by the reason: row for failures in a row, rate for their part, stall where nothing came any more.',
    labels: ['service', 'reason'],
  },
  sallyport_service_insecure: {
    type: 'gauge',
    help: 'Whether the certificates of a service are taken without being verified (tls.insecure): 1, or 0.',
    labels: ['service'],
  },
  sallyport_retries_total: {
    type: 'counter',
    help: 'Further attempts for one request, by what had kept the one before from being answered.',
    labels: ['service', 'reason'],
  },
  sallyport_retry_budget_exhausted_total: {
    type: 'counter',
    help: 'Requests that would have been sent to another instance if the budget of the service had allowed it.',
    labels: ['service'],
  },
  sallyport_mirrored_requests_dropped_total: {
    type: 'counter',
    help: 'Copies of requests for a service that were not made, as too many were under way or the body was not at hand.',
    labels: ['service'],
  },
  sallyport_hedges_total: {
    type: 'counter',
    help: 'Requests that went to two instances as the first took long, by the outcome: won where the second replied first, or lost.',
    labels: ['service', 'outcome'],
  },
  sallyport_hedge_budget_exhausted_total: {
    type: 'counter',
    help: 'Requests that would have gone to two instances if the budget of the service had allowed it.',
    labels: ['service'],
  },
  sallyport_pool_connections: {
    type: 'gauge',
    help: 'Connections to an instance: idle, busy, connecting, or streaming: event streams and WebSockets.',
    labels: ['service', 'instance', 'state'],
  },
  sallyport_slow_clients_total: {
    type: 'counter',
    help: 'Exchanges and connections that were ended as their client was too slow, or had more than its share, by the reason.',
    labels: ['reason'],
  },
  sallyport_proxy_headers_refused_total: {
    type: 'counter',
    help: 'Connections that were closed as they did not begin with a header of the PROXY protocol that may be believed, by the reason.',
    labels: ['reason'],
  },
  sallyport_pool_waiting: {
    type: 'gauge',
    help: 'Requests that wait for a connection to an instance.',
    labels: ['service', 'instance'],
  },
  sallyport_rate_limit_decisions_total: {
    type: 'counter',
    help: 'Decisions of rate limits; uncounted is what passed as the store did not answer.',
    labels: ['tier', 'outcome'],
  },
  sallyport_rate_limit_tokens_total: {
    type: 'counter',
    help: 'Units of rate limits that admitted requests have used up.',
    labels: ['tier'],
  },
  sallyport_rate_limit_table_evictions_total: {
    type: 'counter',
    help: 'Counts of rate limits in memory that made way for others before their time was over.',
    labels: [],
  },
  sallyport_replica_messages_dropped_total: {
    type: 'counter',
    help: 'Messages on the channel of operators in Redis that were none, or asked for what may not be asked.',
    labels: [],
  },
  sallyport_ip_access_refusals_total: {
    type: 'counter',
    help: 'Requests refused by the address of their client, by the reason: denied, not-allowed, or country.',
    labels: ['reason'],
  },
  sallyport_auth_outcomes_total: {
    type: 'counter',
    help: 'What came of looking at credentials, by the method that decided, or none.',
    labels: ['method', 'outcome'],
  },
  sallyport_api_key_requests_total: {
    type: 'counter',
    help: 'Requests with an API key of the configuration, also one that has expired, by the id of the key.',
    labels: ['key'],
  },
  sallyport_validation_reports_total: {
    type: 'counter',
    help: 'Requests that a validation in report mode would have refused, by the code of the error.',
    labels: ['endpoint', 'code'],
  },
  sallyport_cache_requests_total: {
    type: 'counter',
    help: 'Requests to routes with a cache, by what came of it.',
    labels: ['outcome'],
  },
  sallyport_cache_bytes: { type: 'gauge', help: 'Octets of stored replies.', labels: ['store'] },
  sallyport_cache_entries: { type: 'gauge', help: 'Stored replies.', labels: ['store'] },
  sallyport_cache_evictions_total: {
    type: 'counter',
    help: 'Stored replies that made way for others.',
    labels: ['store'],
  },
  sallyport_idempotency_total: {
    type: 'counter',
    help: 'Requests with an Idempotency-Key, by what came of it: kept, replayed, outstanding and so on.',
    labels: ['outcome'],
  },
  sallyport_idempotency_bytes: {
    type: 'gauge',
    help: 'Octets of replies in memory that are kept for repeated requests.',
    labels: [],
  },
  sallyport_idempotency_keys: {
    type: 'gauge',
    help: 'Keys in memory of requests that are under way or were answered.',
    labels: [],
  },
  sallyport_idempotency_evictions_total: {
    type: 'counter',
    help: 'Replies that were kept for repeated requests and made way for others before their time was over.',
    labels: ['store'],
  },
  sallyport_store_operations_total: {
    type: 'counter',
    help: 'Questions to a store, by what came of them.',
    labels: ['store', 'operation', 'outcome'],
  },
  sallyport_store_duration_seconds: {
    type: 'histogram',
    help: 'How long the store took to answer.',
    labels: ['store', 'operation'],
    buckets: SHORT,
  },
  sallyport_store_up: {
    type: 'gauge',
    help: 'Whether the store answers: 1, or 0 when at least one thread goes on without it.',
    labels: ['store'],
    together: 'least',
  },
  sallyport_trace_spans_total: {
    type: 'counter',
    help: 'Spans by what became of them: exported, failed where the collector did not take them, dropped as too many waited.',
    labels: ['outcome'],
  },
  sallyport_config_reloads_total: {
    type: 'counter',
    help: 'Reloads of the configuration by their outcome: applied, refused, unchanged where nothing was different, or rolled_back to the one before.',
    labels: ['outcome'],
  },
  sallyport_config_last_reload_successful: {
    type: 'gauge',
    help: 'Whether the configuration in use is the last one that was read: 1, or 0 where that one was refused.',
    labels: [],
  },
  sallyport_config_reload_seconds: {
    type: 'gauge',
    help: 'How long the last reload took that changed something, the first checks of new instances included.',
    labels: [],
  },
  sallyport_config_info: {
    type: 'gauge',
    help: 'The revision of the configuration in use: always 1.',
    labels: ['revision'],
  },
  sallyport_config_loaded_timestamp_seconds: {
    type: 'gauge',
    help: 'When the configuration in use was loaded, since 1970.',
    labels: [],
  },
  sallyport_workers: { type: 'gauge', help: 'Worker threads that run.', labels: [] },
  sallyport_log_lines_lost_total: {
    type: 'counter',
    help: 'Lines of the log that were thrown away, as whatever reads it does not keep up or has gone.',
    labels: [],
  },
  sallyport_worker_restarts_total: {
    type: 'counter',
    help: 'Workers that were replaced, by the reason: error, exit, memory, stuck, start where one did not come to listen, or reload where one did not change to another configuration.',
    labels: ['reason'],
  },
  sallyport_event_loop_delay_seconds: {
    type: 'summary',
    help: 'How late a worker gets to what is due, since the last scrape: median, 99th percentile, worst.',
    labels: ['worker', 'quantile'],
  },
  sallyport_policy_modules_loaded: {
    type: 'gauge',
    help: 'Modules of policies of your own that a worker has loaded, each version of each file.',
    labels: ['worker'],
  },
  sallyport_heap_bytes: { type: 'gauge', help: 'JavaScript heap of a worker.', labels: ['worker', 'state'] },
  sallyport_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what is running.',
    labels: ['version', 'node_version'],
  },
  process_cpu_user_seconds_total: { type: 'counter', help: 'Processor time of the process in user mode.', labels: [] },
  process_cpu_system_seconds_total: {
    type: 'counter',
    help: 'Processor time of the process in the kernel.',
    labels: [],
  },
  process_cpu_seconds_total: { type: 'counter', help: 'Processor time of the process, both together.', labels: [] },
  process_start_time_seconds: { type: 'gauge', help: 'When the process was started, since 1970.', labels: [] },
  sallyport_memory_limit_bytes: {
    type: 'gauge',
    help: 'Memory that the process may take, by its configuration or its container; 0 where nothing bounds it.',
    labels: [],
  },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the process.', labels: [] },
  process_open_fds: { type: 'gauge', help: 'Open file descriptors.', labels: [] },
  process_max_fds: { type: 'gauge', help: 'File descriptors that the process may have open.', labels: [] },
} as const satisfies Record<string, MetricEntry>

/** The name of a metric of the gateway. */
export type MetricName = keyof typeof metricTable

/** The names of the metrics of one type. */
export type MetricNameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends Type ? Name : never
}[MetricName]

/** The labels that a metric must have. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof metricTable)[Name]['labels'][number], string>>
