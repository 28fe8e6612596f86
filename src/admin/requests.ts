import { z } from 'zod'
import { GatewayError } from '../core/errors.ts'
import { rounded } from '../core/rounded.ts'
import {
  type RecentDetails,
  recentDetailsTopic,
  type RecentRequest,
  recentRequestsTopic,
} from '../telemetry/recent-requests.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { causeOf } from './request-cause.ts'

const statusExpected = 'expected a status such as 404, or a class such as 5xx'

/** Selects requests. */
export const requestFilter = z.strictObject({
  status: z
    .string()
    .regex(/^[1-5](?:\d\d|xx)$/, statusExpected)
    .optional()
    .describe('A status such as 404, or a class such as 5xx.'),
  route: z.string().optional().describe('ID of a route.'),
  service: z.string().optional().describe('Name of a service.'),
  consumer: z.string().min(1).optional().describe('ID of a consumer, or of an API key.'),
  slower: z.coerce.number().min(0).optional().describe('Requests that took at least this many milliseconds.'),
  correlationId: z.string().min(1).optional().describe('Correlation ID, as replies and the log show it.'),
})

const listFilter = requestFilter.extend({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('Maximum number of requests to return, 1 to 1000.'),
})

/** A finished request. */
export const recentRequest = z.object({
  time: z.iso.datetime().describe('When it began.'),
  durationMs: z.number(),
  serviceMs: z.number().describe('Time spent in services, up to the heads of their replies.'),
  protocol: z.string().describe('Version of HTTP that the client spoke.'),
  method: z.string(),
  host: z.string().describe('Host as the client sent it.'),
  path: z.string(),
  query: z.string().describe('Values that look like secrets are removed.'),
  status: z.int(),
  bytes: z.int().describe('Bytes of the body that were sent.'),
  route: z.string().nullable().describe('ID of the route, or null for none.'),
  service: z.string().nullable(),
  instance: z.string().nullable().describe('The last instance that was tried.'),
  attempts: z.int().describe('Number of attempts.'),
  retried: z.string().nullable().describe('Why it was retried; null if it was not.'),
  client: z.string().describe('IP address.'),
  consumer: z.string().nullable().describe('Who called, or null if anonymous.'),
  tier: z.string().nullable().describe('Tier of the caller, which decides the limits.'),
  apiKey: z.string().nullable().describe('ID of the API key that was used, or null.'),
  correlationId: z.string(),
  traceId: z.string().describe('ID of its trace (W3C Trace Context).'),
  error: z.string().nullable().describe('Error code of the reply.'),
  grpcStatus: z.string().nullable().describe('gRPC status, such as UNAVAILABLE; null for other requests.'),
})

const attempt = z.object({
  instance: z.string(),
  phase: z.string().nullable().describe('Phase in which it failed: connect, reply or body.'),
  reason: z.string().nullable().describe('Why it failed, in one word; null if it did not, or if there was a reply.'),
  status: z.int().nullable().describe('Status of its reply; null if there was none.'),
  tookMs: z.number().nullable(),
  error: z.string().nullable().describe('What went wrong.'),
})

export const details = recentRequest.extend({
  cause: z.string().describe('Why it ended as it did, in one sentence.'),
  userAgent: z.string().nullable().describe('User-Agent of the client, truncated if it is long.'),
  detail: z.string().nullable().describe('Detail of the error that the client got.'),
  storedAge: z
    .int()
    .nullable()
    .describe('Age in seconds of the stored reply that the cache answered with; null for any other reply.'),
  tried: attempt
    .array()
    .describe(
      'The attempts that failed, or all of them if decisions were recorded. Only the first ones if there were many.',
    ),
  clientMs: z.number().describe('Time spent waiting for the body from the client.'),
  sendingMs: z
    .number()
    .describe('Time from the beginning of a streamed reply, or of a tunnel such as a WebSocket, to its end.'),
  gatewayMs: z.number().describe('The rest.'),
  events: z
    .object({ name: z.string(), attributes: z.record(z.string(), z.unknown()) })
    .array()
    .nullable()
    .describe(
      'What policies decided, in order; null if it was not recorded, which requires log.access.timings or a sampled trace.',
    ),
  fields: z.record(z.string(), z.string()).describe('Further fields of its line in the access log.'),
})

const worker = z.object({
  worker: z.int(),
  remembered: z.int().describe('Number of requests that it remembers.'),
  capacity: z.int().describe('How many it can remember (admin.requests).'),
  since: z.iso.datetime().nullable().describe('When the oldest of them ended.'),
})

/** GET /requests: the most recently finished requests of all workers. */
export function requestEndpoints(app: AdminApp, { threads }: AdminContext): void {
  app.get(
    '/requests',
    {
      schema: {
        summary: 'Recent requests, newest first',
        description: 'Each worker remembers admin.requests of them; health probes are left out.',
        tags: ['requests'],
        querystring: listFilter,
        response: { 200: z.object({ requests: recentRequest.array() }) },
      },
    },
    async ({ query: { limit, ...filter } }) => {
      const lists = await threads.askAll(recentRequestsTopic, { ...toFilter(filter), limit })
      const newest = lists.flat().toSorted((a, b) => b.end - a.end)
      return { requests: newest.slice(0, limit).map(describeRequest) }
    },
  )
  app.get(
    '/requests/:correlationId',
    {
      schema: {
        summary: 'Why the requests with a correlation ID ended as they did',
        description:
          'From all workers that answer, newest first. If none remembers one, the reply is 404, and `workers` in the problem document lists those that answered.',
        tags: ['requests'],
        params: z.object({ correlationId: z.string().min(1) }),
        response: { 200: z.object({ requests: details.array(), workers: worker.array() }) },
      },
    },
    async ({ params: { correlationId } }) => {
      const answers = await threads.askAll(recentDetailsTopic, correlationId)
      const found = answers.flatMap((answer) => answer.found).toSorted((a, b) => b.end - a.end)
      const workers = answers
        .toSorted((a, b) => a.worker - b.worker)
        .map(({ worker: number, remembered, capacity, since }) => ({
          worker: number,
          remembered,
          capacity,
          since: since === null ? null : new Date(since).toISOString(),
        }))
      if (found.length === 0)
        throw new GatewayError('not-found', 'No worker remembers a request with that correlation ID.', {
          members: { workers },
        })
      return { requests: found.map(describeAll), workers }
    },
  )
}

function describeAll(request: RecentDetails): z.input<typeof details> {
  const { tried, serviceTime, clientTime, sendTime, duration, userAgent, detail, storedAge, events, fields } = request
  return {
    ...describeRequest(request),
    cause: causeOf(request),
    userAgent,
    detail,
    storedAge,
    tried: tried.map(({ instance, phase, reason, status, took, error }) => ({
      instance,
      phase,
      reason,
      status,
      tookMs: took === null ? null : rounded(took),
      error,
    })),
    clientMs: rounded(clientTime),
    sendingMs: rounded(sendTime),
    gatewayMs: rounded(Math.max(0, duration - serviceTime - clientTime - sendTime)),
    events: events === null ? null : events.map(({ name, attributes }) => ({ name, attributes: { ...attributes } })),
    fields: { ...fields },
  }
}

/** The filter for the threads, which have no null values. */
export function toFilter(query: z.output<typeof requestFilter>) {
  const { status = null, route = null, correlationId = null, service = null, consumer = null, slower = null } = query
  return { status, route, correlationId, service, consumer, slower }
}

/** The form of a request in the admin API. */
export function describeRequest(request: RecentRequest): z.input<typeof recentRequest> {
  const { time, duration, serviceTime, route, protocol, method, host, path, query, status, bytes, ...rest } = request
  const { service, instance, attempts, retried, client, consumer, tier, apiKey, correlationId, traceId } = rest
  return {
    time: new Date(time).toISOString(),
    durationMs: rounded(duration),
    serviceMs: rounded(serviceTime),
    protocol,
    method,
    host,
    path,
    query,
    status,
    bytes,
    route: route === '' ? null : route,
    service,
    instance,
    attempts,
    retried,
    client,
    consumer,
    tier,
    apiKey,
    correlationId,
    traceId,
    error: rest.error,
    grpcStatus: rest.grpcStatus,
  }
}
