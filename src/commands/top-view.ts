import { z } from 'zod'
import { alignColumns } from '../config/columns.ts'
import { printable } from '../core/printable.ts'
import { parseLabels } from '../telemetry/metrics/labels.ts'
import { type limitedSchema, limitedText } from './limits-text.ts'

/** The number of endpoints shown, those with the most requests first. */
const ENDPOINTS = 15

export const statusSchema = z.object({
  version: z.string(),
  pid: z.number(),
  readiness: z.string(),
  uptimeSeconds: z.number(),
  connections: z.number(),
  inFlight: z.number(),
  memory: z.object({ rssBytes: z.number() }),
  workers: z
    .object({
      worker: z.number(),
      connections: z.number(),
      inFlight: z.number(),
      heapBytes: z.number(),
      busy: z.number(),
    })
    .array(),
})

export const servicesSchema = z.object({
  services: z
    .object({
      name: z.string(),
      instances: z
        .object({
          address: z.string(),
          usable: z.boolean(),
          drained: z.boolean(),
          ejected: z.object({ reason: z.string() }).nullable(),
          health: z.object({ state: z.string(), reason: z.string().nullable() }),
          inFlight: z.number(),
        })
        .array(),
    })
    .array(),
})

/** The state of a gateway at one time. */
export interface Sample {
  readonly status: z.output<typeof statusSchema>
  readonly services: z.output<typeof servicesSchema>['services']
  /** Clients near or over their limits, those with the least left first. */
  readonly limited: z.output<typeof limitedSchema>['clients']
  /** Counts of each endpoint since the start. */
  readonly endpoints: ReadonlyMap<string, Counts>
  /** Monotonic milliseconds. */
  readonly time: number
}

/** Requests, those that ended with 4xx and 5xx, and the total seconds. */
interface Counts {
  readonly requests: number
  readonly refused: number
  readonly failed: number
  readonly seconds: number
}

const NONE: Counts = { requests: 0, refused: 0, failed: 0, seconds: 0 }

/** The counts of endpoints in /metrics, in the Prometheus text format. */
export function countsIn(metrics: string): Map<string, Counts> {
  const found = new Map<string, Counts>()
  const lines = metrics.matchAll(/^(http_requests_total|http_request_duration_seconds_sum)\{(.*)\} (\S+)$/gm)
  for (const [, name, text = '', number] of lines) {
    const labels = parseLabels(text)
    const endpoint = labels.get('endpoint') ?? ''
    const status = labels.get('status') ?? ''
    const [count, before] = [Number(number), found.get(endpoint) ?? NONE]
    if (name === 'http_requests_total')
      found.set(endpoint, {
        ...before,
        requests: before.requests + count,
        refused: before.refused + (status.startsWith('4') ? count : 0),
        failed: before.failed + (status.startsWith('5') ? count : 0),
      })
    else found.set(endpoint, { ...before, seconds: before.seconds + count })
  }
  return found
}

/** The view: the gateway's activity between two samples, its workers, and the state of the instances, unhealthy ones first. */
export function topView(before: Sample, now: Sample): string {
  const { version, pid, readiness, uptimeSeconds, connections, inFlight, memory } = now.status
  const head =
    `sallyport ${version}  pid ${pid}  ${readiness}  up ${Math.round(uptimeSeconds)}s  ` +
    `${connections} connections  ${inFlight} in flight  ${megabytes(memory.rssBytes)}`
  const limited = now.limited.length === 0 ? [] : [limitedText(now.limited)]
  return [printable(head), workersText(now), endpointsText(before, now), ...limited, instancesText(now)].join('\n\n')
}

function workersText({ status: { workers } }: Sample): string {
  const rows = workers.map(({ worker, busy, connections, inFlight, heapBytes }) => [
    String(worker),
    `${Math.round(busy * 100)}%`,
    String(connections),
    String(inFlight),
    megabytes(heapBytes),
  ])
  return alignColumns([['WORKER', 'BUSY', 'CONNECTIONS', 'IN FLIGHT', 'HEAP'], ...rows])
}

function endpointsText(before: Sample, now: Sample): string {
  const seconds = (now.time - before.time) / 1000
  const rows = Array.from(now.endpoints, ([name, counts]) => ({
    name,
    ...difference(counts, before.endpoints.get(name)),
  }))
    .filter(({ requests }) => requests > 0)
    .toSorted((a, b) => b.requests - a.requests)
    .slice(0, ENDPOINTS)
    .map(({ name, requests, refused, failed, seconds: spent }) => [
      printable(name),
      (requests / seconds).toFixed(1),
      (refused / seconds).toFixed(1),
      (failed / seconds).toFixed(1),
      `${((spent / requests) * 1000).toFixed(1)}ms`,
    ])
  const heading = ['ENDPOINT', 'REQUESTS/S', '4XX/S', '5XX/S', 'AVERAGE']
  return rows.length === 0 ? 'No requests.' : alignColumns([heading, ...rows])
}

function instancesText({ services }: Sample): string {
  const rows = services
    .flatMap(({ name, instances }) => instances.map((instance) => ({ name, ...instance })))
    .toSorted((a, b) => Number(a.usable) - Number(b.usable))
    .map(({ name, address, usable, drained, ejected, health, inFlight }) => {
      const state = drained ? 'drained' : ejected === null ? health.state : 'ejected'
      const reason = usable ? '' : (ejected?.reason ?? health.reason ?? '')
      return [name, address, state, String(inFlight), reason].map(printable)
    })
  return alignColumns([['SERVICE', 'INSTANCE', 'STATE', 'IN FLIGHT', ''], ...rows])
}

/** Counts decrease only if the gateway was restarted: then all of them are new. */
function difference(now: Counts, before: Counts = NONE): Counts {
  if (now.requests < before.requests) return now
  return {
    requests: now.requests - before.requests,
    refused: now.refused - before.refused,
    failed: now.failed - before.failed,
    seconds: now.seconds - before.seconds,
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`
}
