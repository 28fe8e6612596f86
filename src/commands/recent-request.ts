import { z } from 'zod'

/** A finished request in the admin API: the members that commands show, and any others. */
export const requestSchema = z.looseObject({
  time: z.string(),
  durationMs: z.number(),
  method: z.string(),
  path: z.string(),
  query: z.string(),
  status: z.number(),
  route: z.string().nullable(),
  service: z.string().nullable(),
  instance: z.string().nullable(),
  client: z.string(),
  consumer: z.string().nullable(),
  correlationId: z.string(),
  traceId: z.string(),
  error: z.string().nullable(),
  grpcStatus: z.string().nullable(),
})

/** A finished request. */
export type RecentRequest = z.output<typeof requestSchema>
