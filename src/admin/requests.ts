import { z } from 'zod'
import { type RecentRequest, recentRequestsTopic } from '../telemetry/recent-requests.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { rounded } from '../core/rounded.ts'

const statusExpected = 'expected a status such as 404, or a class of them such as 5xx'

const filter = z.strictObject({
  status: z
    .string()
    .regex(/^[1-5](?:\d\d|xx)$/, statusExpected)
    .optional()
    .describe('A status such as 404, or a class of them such as 5xx.'),
  route: z.string().optional().describe('Id of a route.'),
  correlationId: z.string().min(1).optional().describe('Correlation id, as replies and the log show it.'),
  limit: z.coerce.number().int().min(1).max(1000).default(50).describe('How many at most, 1 to 1000.'),
})

const recent = z.object({
  time: z.iso.datetime().describe('When it began.'),
  durationMs: z.number(),
  method: z.string(),
  path: z.string(),
  query: z.string().describe('With the values of what looks like secrets taken out.'),
  status: z.int(),
  bytes: z.int().describe('Octets of the body that were sent.'),
  route: z.string().nullable().describe('Id of the route, or null for none.'),
  service: z.string().nullable(),
  instance: z.string().nullable().describe('The instance that was tried last.'),
  client: z.string().describe('IP address.'),
  consumer: z.string().nullable().describe('Who called, or null for nobody that is known.'),
  apiKey: z.string().nullable().describe('Id of the API key that it came with, or null.'),
  correlationId: z.string(),
  traceId: z.string().describe('Of the trace that it belongs to (W3C Trace Context).'),
  error: z.string().nullable().describe('Code of the error that the reply told of.'),
  grpcStatus: z.string().nullable().describe('How a call of gRPC ended, such as UNAVAILABLE; null for all else.'),
})

/** GET /requests: the requests that ended last, of all workers. */
export function requestEndpoints(app: AdminApp, { threads }: AdminContext): void {
  app.get(
    '/requests',
    {
      schema: {
        summary: 'The requests that ended last, the newest first',
        description: 'Each worker remembers as many as admin.requests of the configuration says; probes are left out.',
        tags: ['requests'],
        querystring: filter,
        response: { 200: z.object({ requests: recent.array() }) },
      },
    },
    async ({ query: { status = null, route = null, correlationId = null, limit } }) => {
      const lists = await threads.askAll(recentRequestsTopic, { status, route, correlationId, limit })
      const newest = lists.flat().toSorted((a, b) => b.end - a.end)
      return { requests: newest.slice(0, limit).map(describe) }
    },
  )
}

function describe({ time, duration, method, path, query, status, bytes, ...rest }: RecentRequest) {
  const { route, service, instance, client, consumer, apiKey, correlationId, traceId, error, grpcStatus } = rest
  return {
    time: new Date(time).toISOString(),
    durationMs: rounded(duration),
    method,
    path,
    query,
    status,
    bytes,
    route: route === '' ? null : route,
    service,
    instance,
    client,
    consumer,
    apiKey,
    correlationId,
    traceId,
    error,
    grpcStatus,
  }
}
