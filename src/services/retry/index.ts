import { z } from 'zod'
import { typedSchema } from '../../core/typed-schema.ts'
import { writtenIn } from '../../core/unit.ts'
import { percent, sizeWithin } from '../../core/units.ts'
import { DEFAULT_BUFFER_SIZE } from '../../http/buffered-body.ts'

const RATE = /^\d{1,6}\/s$/
const rateExpected = 'expected a rate per second such as "10/s"'
const METHOD = /^[A-Za-z_][\w.]*\/(?:\*|[A-Za-z_]\w*)$/
const methodExpected =
  'expected a gRPC method such as "shop.v1.Inventory/GetStock", or all of a service: "shop.v1.Inventory/*"'
const statusExpected = 'expected a status from 500 to 599 other than 504, because nothing is sent again after a timeout'

const retryOptions = z.strictObject({
  attempts: z
    .int()
    .min(1)
    .max(10)
    .default(1)
    .describe('Most retries per request, each on another instance. Default 1.'),
  budget: percent
    .prefault('20%')
    .describe('Retries allowed as a share of all requests within 10 s, over all workers. Default 20%.'),
  minimum: typedSchema<number, `${number}/s`>(
    writtenIn(
      'per-second',
      z
        .string(rateExpected)
        .regex(RATE, rateExpected)
        .transform((text) => Number.parseInt(text, 10)),
    ),
  )
    .prefault('10/s')
    .describe('Retries always allowed in addition to the budget, as an average over 10 s. Default 10/s.'),
  statuses: z
    .int(statusExpected)
    .min(500, statusExpected)
    .max(599, statusExpected)
    .refine((status) => status !== 504, statusExpected)
    .array()
    .default([502, 503])
    .describe(
      "Statuses to retry; 503 stands for gRPC's UNAVAILABLE, 500 for INTERNAL, UNKNOWN and DATA_LOSS. Default [502, 503].",
    ),
  body: sizeWithin(1, DEFAULT_BUFFER_SIZE, 'expected a size such as "16kb", at most "64kb"')
    .prefault('64kb')
    .describe('Largest request body to keep for a retry; at most 64kb. Default 64kb.'),
  idempotencyKey: z
    .boolean()
    .default(false)
    .describe(
      'Retry POST and PATCH with an Idempotency-Key too, because the service recognizes repeated keys. Default false.',
    ),
  grpc: z
    .string(methodExpected)
    .regex(METHOD, methodExpected)
    .array()
    .default([])
    .describe(
      'gRPC methods that are safe to repeat: shop.v1.Inventory/GetStock, or shop.v1.Inventory/* for all methods of a service. Default none.',
    )
    .meta({ examples: [['shop.v1.Inventory/GetStock', 'shop.v1.Catalog/*']] }),
})

/** Schema of a service's `retry` option. */
export const retrySchema = z.union([z.literal(false), retryOptions])

/** Which requests are retried, and how many: a fraction from 0 to 1, a rate per second, sizes in bytes. */
export type RetryOptions = z.output<typeof retryOptions>

const { attempts, statuses, body, idempotencyKey, grpc } = retryOptions.shape

/** Schema of a route's own retry settings; the budget remains that of the service. */
export const routeRetrySchema = z.union([
  z.literal(false),
  z.strictObject({
    attempts: attempts
      .unwrap()
      .optional()
      .describe('Retries per request, each on another instance.')
      .meta({ examples: [1] }),
    statuses: statuses
      .unwrap()
      .optional()
      .describe('Statuses to retry on another instance.')
      .meta({ examples: [[502, 503]] }),
    body: body
      .unwrap()
      .optional()
      .describe('Largest request body to keep for a retry; at most 64kb.')
      .meta({ examples: ['16kb'] }),
    idempotencyKey: idempotencyKey.unwrap().optional().describe('Retry POST and PATCH with an Idempotency-Key too.'),
    grpc: grpc
      .unwrap()
      .optional()
      .describe('gRPC methods that are safe to repeat.')
      .meta({ examples: [['shop.v1.Inventory/GetStock']] }),
  }),
])

/** A route's own retry settings, which take precedence over its service's. */
export type RouteRetry = z.output<typeof routeRetrySchema>

/** The effective retry settings of a route: its own, else those of its service, else the defaults. */
export function retryOf(service: RetryOptions | false, route: RouteRetry): RetryOptions | false {
  if (route === false) return false
  const rest = service === false ? retryOptions.parse({}) : service
  return {
    ...rest,
    attempts: route.attempts ?? rest.attempts,
    statuses: route.statuses ?? rest.statuses,
    body: route.body ?? rest.body,
    idempotencyKey: route.idempotencyKey ?? rest.idempotencyKey,
    grpc: route.grpc ?? rest.grpc,
  }
}
