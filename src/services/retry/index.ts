import { z } from 'zod'
import { percent, sizeWithin } from '../../core/units.ts'
import { GATHERED } from '../../http/gathered-body.ts'

const RATE = /^\d{1,6}\/s$/
const rateExpected = 'expected a number a second such as "10/s"'
const METHOD = /^[A-Za-z_][\w.]*\/(?:\*|[A-Za-z_]\w*)$/
const methodExpected =
  'expected a method of gRPC such as "shop.v1.Inventory/GetStock", or all of a service: "shop.v1.Inventory/*"'
const statusExpected = 'expected a status from 500 to 599 other than 504, as nothing is sent again after a time-out'

const retryOptions = z.strictObject({
  attempts: z
    .int()
    .min(1)
    .max(10)
    .default(1)
    .describe('How often a request may be sent again, each time to another instance. Default 1.'),
  budget: percent
    .prefault('20%')
    .describe('How many requests may be sent again, as part of all within 10 s, over all workers. Default 20%.'),
  minimum: z
    .string(rateExpected)
    .regex(RATE, rateExpected)
    .transform((text) => Number.parseInt(text, 10))
    .prefault('10/s')
    .describe('How many may be so at any rate, besides, as an average of 10 s. Default 10/s.'),
  statuses: z
    .int(statusExpected)
    .min(500, statusExpected)
    .max(599, statusExpected)
    .refine((status) => status !== 504, statusExpected)
    .array()
    .default([502, 503])
    .describe(
      'Replies in whose place another instance is asked; 503 stands for UNAVAILABLE of gRPC, 500 for INTERNAL, UNKNOWN and DATA_LOSS. Default [502, 503].',
    ),
  body: sizeWithin(1, GATHERED, 'expected a size such as "16kb", at most "64kb"')
    .prefault('64kb')
    .describe('Largest body that is kept to be sent again; at most 64kb. Default 64kb.'),
  idempotencyKey: z
    .boolean()
    .default(false)
    .describe(
      'Whether POST and PATCH with a field Idempotency-Key may be sent again as well, as the service knows what it has done by the key. Default false.',
    ),
  grpc: z
    .string(methodExpected)
    .regex(METHOD, methodExpected)
    .array()
    .default([])
    .describe(
      'Methods of gRPC that may be sent again, as doing twice what they do is no more than once: shop.v1.Inventory/GetStock, or shop.v1.Inventory/* for all of a service. Default none.',
    ),
})

/** Schema of what `retry` of a service may say. */
export const retrySchema = z.union([z.literal(false), retryOptions])

/** Which requests are sent again, and how many: part from 0 to 1, a number a second, octets. */
export type RetryOptions = z.output<typeof retryOptions>
