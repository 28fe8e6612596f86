import { z } from 'zod'
import { requestSchema } from './recent-request.ts'

const workersSchema = z
  .object({ worker: z.number(), remembered: z.number(), capacity: z.number(), since: z.string().nullable() })
  .array()

/** The reply if no worker remembers the request. */
export const nothingSchema = z.object({ workers: workersSchema })

/** The reply of the admin listener about the requests with one correlation id. */
export const answerSchema = z.object({
  requests: requestSchema
    .extend({
      cause: z.string(),
      detail: z.string().nullable(),
      attempts: z.number(),
      retried: z.string().nullable(),
      tried: z
        .object({
          instance: z.string(),
          phase: z.string().nullable(),
          reason: z.string().nullable(),
          status: z.number().nullable(),
          tookMs: z.number().nullable(),
          error: z.string().nullable(),
        })
        .array(),
      serviceMs: z.number(),
      clientMs: z.number(),
      sendingMs: z.number(),
      gatewayMs: z.number(),
      events: z
        .object({ name: z.string(), attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) })
        .array()
        .nullable(),
      fields: z.record(z.string(), z.string()),
    })
    .array(),
  workers: workersSchema,
})

/** What the admin listener knows of the requests with one correlation id. */
export type WhyAnswer = z.output<typeof answerSchema>
