/** What the table says of a metric. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** One sentence, with the unit where the name does not say it. */
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, in seconds, rising. */
  readonly buckets?: readonly number[]
}

const WHOLE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** Every metric of the gateway: name -> type, help, labels. The one place where they are listed. */
export const metricTable = {
  http_requests_total: {
    type: 'counter',
    help: 'Requests that were answered.',
    labels: ['method', 'endpoint', 'status', 'service'],
  },
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'From the end of the request head to the end of the reply.',
    labels: ['method', 'endpoint', 'service'],
    buckets: WHOLE_SECONDS,
  },
  http_active_connections: { type: 'gauge', help: 'Open client connections, tunnels among them.', labels: [] },
  sallyport_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what is running.',
    labels: ['version', 'node_version'],
  },
} as const satisfies Record<string, MetricEntry>

/** The name of a metric of the gateway. */
export type MetricName = keyof typeof metricTable

/** The names of the metrics of one type. */
export type MetricNameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends Type ? Name : never
}[MetricName]

/** The labels that a metric must have. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof metricTable)[Name]['labels'][number], string>>
