import { getHeapStatistics } from 'node:v8'
import { z } from 'zod'
import { listenerName } from '../config/listener-name.ts'
import { formatAddress } from '../core/address.ts'
import type { Reloads } from '../runtime/reloads.ts'
import { residentMemory } from '../runtime/memory.ts'
import { readinessStates } from '../front/built-in-routes.ts'
import { storeStatuses, threadStatusTopic } from '../front/thread-status.ts'
import { version } from '../core/version.ts'
import { healthDocument } from '../services/health/report.ts'
import { metricsDocument } from '../telemetry/metrics/document.ts'
import { redisUses } from '../policies/generation-stores.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { rounded } from '../core/rounded.ts'

const bytes = z.int().min(0)

const workerStatus = z.object({
  worker: z.int().describe('Its number, from 0, as in metrics and in the log; a replacement keeps it.'),
  generation: z.int().describe('Number of the configuration it uses.'),
  uptimeSeconds: z.number(),
  connections: z.int().describe('Open client connections.'),
  inFlight: z.int().describe('Requests in flight at services.'),
  heapBytes: bytes,
  busy: z.number().describe('Share of its time in which the thread was busy, 0 to 1.'),
  redis: z
    .object({
      use: z
        .string()
        .meta({ enum: ['all', ...redisUses] })
        .describe('What Redis is unavailable for.'),
      cause: z.string().describe('Such as ECONNREFUSED, WRONGPASS, READONLY, OOM or timeout.'),
      since: z.iso.datetime(),
    })
    .array()
    .nullable()
    .describe('What Redis is unavailable for in this thread, and why; null without Redis.'),
})

const storeStates = z.record(z.string(), z.enum(['healthy', 'degraded']))

export const status = z.object({
  version: z.string(),
  node: z.string().describe('Version of Node.js.'),
  pid: z.int(),
  readiness: z.enum(readinessStates),
  startedAt: z.iso.datetime(),
  uptimeSeconds: z.number(),
  listeners: z
    .object({
      name: z.string().describe('Its configured address if it has no name.'),
      address: z.string().describe('Host and port.'),
    })
    .array()
    .describe('Where requests are accepted.'),
  connections: z.int().describe('Open client connections.'),
  inFlight: z.int().describe('Requests in flight at services.'),
  memory: z.object({ rssBytes: bytes, heapBytes: bytes, externalBytes: bytes }),
  configuration: z.object({
    revision: z.string(),
    generation: z.int().describe('Number of the configuration within this process, starting at 1.'),
    since: z.iso.datetime(),
    current: z.boolean().describe('False if the last one read was refused: GET /config/status says why.'),
  }),
  instances: z.object({
    problem: z
      .string()
      .nullable()
      .describe('Why the instances that were discovered last are not in use yet, which is retried; null if they are.'),
  }),
  workers: workerStatus.array().describe('The worker threads; one that does not answer in time is left out.'),
})

const health = z.object({
  status: z.enum(['healthy', 'degraded']),
  timestamp: z.iso.datetime(),
  version: z.string(),
  services: z.record(z.string(), z.enum(['healthy', 'degraded', 'unhealthy'])),
  stores: storeStates.optional().describe('Left out if there are no stores except memory.'),
  configuration: z
    .literal('outdated')
    .optional()
    .describe('Set if the file was refused at the start: the gateway runs the last good configuration.'),
})

/** GET /status: the state of the process and its threads. GET /health and /metrics: the same as on the listeners. */
export function statusEndpoints(app: AdminApp, context: AdminContext): void {
  const { threads, readiness, addresses, config, reloads, report, board, clock } = context

  app.get(
    '/status',
    { schema: { summary: 'The state of the gateway', tags: ['gateway'], response: { 200: status } } },
    async () => {
      const answers = await threads.askAll(threadStatusTopic, null)
      const workers = answers
        .toSorted((a, b) => a.worker - b.worker)
        .map(({ worker, generation, uptime, connections, heap, busy, services, redis }) => {
          const traffic = Object.values(services).flatMap((instances) => Object.values(instances))
          const inFlight = sum(traffic.map((instance) => instance.inFlight))
          return {
            worker,
            generation,
            uptimeSeconds: rounded(uptime),
            connections,
            inFlight,
            heapBytes: heap,
            busy: rounded(busy),
            redis: redis?.map((trouble) => ({ ...trouble, since: new Date(trouble.since).toISOString() })) ?? null,
          }
        })
      const names = config().listeners.map(listenerName)
      const uptime = process.uptime()
      const heap = getHeapStatistics()
      return {
        version,
        node: process.version,
        pid: process.pid,
        readiness: readiness(),
        startedAt: new Date(clock.wall() - uptime * 1000).toISOString(),
        uptimeSeconds: rounded(uptime),
        listeners: addresses().map((address, i) => ({
          name: names[i] ?? formatAddress(address),
          address: formatAddress(address),
        })),
        connections: sum(workers.map(({ connections }) => connections)),
        inFlight: sum(workers.map(({ inFlight }) => inFlight)),
        memory: { rssBytes: residentMemory(), heapBytes: heap.used_heap_size, externalBytes: heap.external_memory },
        configuration: configurationStatus(reloads),
        instances: { problem: reloads.instancesProblem },
        workers,
      }
    },
  )

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'The metrics of all workers, for Prometheus',
        description: 'In the text format of Prometheus or OpenMetrics, as Accept says.',
        tags: ['gateway'],
        response: { 200: z.string() },
      },
    },
    async ({ headers }, reply) => {
      const { contentType, text } = await metricsDocument(threads, headers.accept)
      void reply.type(contentType).header('Vary', 'Accept')
      return text
    },
  )

  app.get(
    '/health',
    { schema: { summary: 'Which services are usable', tags: ['gateway'], response: { 200: health } } },
    async () => {
      const answers = await threads.askAll(threadStatusTopic, null)
      const stores = storeStatuses(answers.map(({ redis }) => redis))
      return healthDocument(report(), stores, version, clock.wall(), board.outdated)
    },
  )
}

function configurationStatus({ applied, lastSuccessful }: Reloads): z.input<typeof status>['configuration'] {
  const { revision, generation, since } = applied
  return { revision, generation, since: new Date(since).toISOString(), current: lastSuccessful }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
