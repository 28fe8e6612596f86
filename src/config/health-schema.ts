import { z } from 'zod'
import { isFieldValue, isToken } from '../core/field.ts'
import { duration } from '../core/units.ts'

const statusRangeExpected = 'expected a status from 100 to 599, or a range such as "200-299"'

const statuses = z
  .union([
    z
      .int(statusRangeExpected)
      .min(100, statusRangeExpected)
      .max(599, statusRangeExpected)
      .transform((status) => [status]),
    z
      .string(statusRangeExpected)
      .regex(/^[1-5]\d\d-[1-5]\d\d$/, statusRangeExpected)
      .transform((text, context) => {
        const [from = 0, to = 0] = text.split('-').map(Number)
        if (from > to) context.addIssue({ code: 'custom', message: statusRangeExpected })
        return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
      }),
  ])
  .array()
  .min(1)
  .transform((lists) => [...new Set(lists.flat())])

/** Headers that belong to the connection and to the framing of the check. */
const WIRE = /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i

const headerName = z
  .string()
  .refine(isToken, 'expected the name of a header field: letters, digits and hyphens')
  .refine((name) => !WIRE.test(name), 'the gateway sets this field itself: it belongs to the connection')

const headerValue = z.string().refine(isFieldValue, 'expected the value of a header field, without line breaks')

/** Schema of a path that is requested from a service, including the query. */
export const targetPath = z.string().regex(/^\/[!-~]*$/, 'expected a path that starts with "/", without spaces')

const serviceExpected = 'expected true, or the name of a gRPC service such as "shop.v1.Inventory"'

/** "" means the server as a whole. */
const grpcService = z.union(
  [
    z.literal(true).transform(() => ''),
    z
      .string()
      .regex(/^[A-Za-z_][\w.]*$/, serviceExpected)
      .max(127),
  ],
  serviceExpected,
)

/** Schema of the health checks of a service's instances. */
export const healthSchema = z
  .strictObject({
    path: targetPath.default('/health').describe('Path to request, with query. Default /health.'),
    method: z
      .enum(['GET', 'HEAD', 'OPTIONS', 'POST'])
      .default('GET')
      .describe('Method: GET, HEAD, OPTIONS or POST. Default GET.'),
    headers: z
      .record(headerName, headerValue)
      .default({})
      .describe('Additional headers, or other values for Host, User-Agent and Accept. Default none.')
      .meta({ examples: [{ Host: 'users.internal', 'X-Probe': 'sallyport' }] }),
    body: z
      .string()
      .default('')
      .describe('Body of a POST. Default empty.')
      .meta({ examples: ['{}'] }),
    interval: duration
      .prefault('10s')
      .describe(
        'Time between two checks of an instance; unhealthy instances are checked every second if that is sooner. Default 10s.',
      ),
    timeout: duration.prefault('5s').describe('Timeout of one check. Default 5s.'),
    unhealthyAfter: z
      .int()
      .min(1)
      .default(2)
      .describe('Failed checks in a row until an instance gets no more requests. Default 2.'),
    healthyAfter: z
      .int()
      .min(1)
      .default(1)
      .describe('Passed checks in a row until an instance gets requests again. Default 1.'),
    status: statuses
      .prefault([200])
      .describe('Statuses that pass, single ones or ranges: [200, "300-399"]. Default [200].'),
    grpc: grpcService
      .optional()
      .describe(
        'Call grpc.health.v1 instead of a path; SERVING passes: true for the whole server, or the name of a service. Requires http2. Default none.',
      )
      .meta({ examples: [true, 'shop.v1.Inventory'] }),
  })
  .refine(({ method, body }) => body === '' || method === 'POST', {
    path: ['body'],
    message: 'a request with a body is a POST: give method: POST',
  })
  .refine(({ grpc, path, method, status }) => grpc === undefined || isUsual(path, method, status), {
    path: ['grpc'],
    message: 'defines the whole request: remove path, method, body and status',
  })

function isUsual(path: string, method: string, status: readonly number[]): boolean {
  return path === '/health' && method === 'GET' && status.length === 1 && status[0] === 200
}
