import { z } from 'zod'
import { isToken } from '../../core/field.ts'
import { duration } from '../../core/units.ts'
import type { Instance } from '../instance.ts'
import { StickyCookie } from './cookie.ts'
import { StickyHeader } from './header.ts'
import type { Sticky, StickyTools } from './sticky.ts'

const cookieSchema = z.strictObject({
  cookie: z
    .string()
    .refine(isToken, 'expected the name of a cookie')
    .optional()
    .describe('Name of the cookie, one per service. Default sallyport- and the name of the service.')
    .meta({ examples: ['user-service-instance'] }),
  ttl: duration
    .optional()
    .describe(
      'How long a client without requests stays bound to its instance. Default as long as it keeps session cookies.',
    ),
})

const headerSchema = z.strictObject({
  header: z
    .string()
    .refine(isToken, 'expected the name of a header')
    .describe(
      'Instead of a cookie: a header in which the service names a session and clients send it back, such as Mcp-Session-Id.',
    )
    .meta({ examples: ['Mcp-Session-Id'] }),
})

/** Schema of a service's `sticky` option. */
export const stickySchema = z.union(
  [headerSchema, cookieSchema],
  'expected a map with "cookie" and "ttl", either of which may be left out, or with "header"',
)

export type StickyOptions = z.output<typeof stickySchema>

/** Creates the configured session affinity of a service. */
export function createSticky<I extends Instance>(
  service: string,
  options: StickyOptions,
  instances: readonly I[],
  tools: StickyTools,
): Sticky<I> {
  if ('header' in options) return new StickyHeader(service, options, instances, tools)
  return new StickyCookie(service, options, instances, tools)
}
