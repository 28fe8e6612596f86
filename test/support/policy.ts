import type { z } from 'zod'
import type { Policy } from '../../src/core/component.ts'
import type { RouteInfo } from '../../src/core/exchange.ts'
import type { Handler } from '../../src/core/handler.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { ManualClock } from './manual-clock.ts'

const route: RouteInfo = { id: 'users', pattern: '/api/v1/users/*', service: 'user-service' }

/** A policy around `next`, with its options as they are written in the configuration. */
export function applyPolicy<Schema extends z.ZodType>(
  policy: Policy<Schema>,
  options: z.input<Schema>,
  next: Handler,
): Handler {
  const clock = new ManualClock()
  const toolbox = { clock, random: () => 0.5, log: createMemoryLogger('debug', clock).log }
  return policy.create(policy.options.parse(options), toolbox, route)(next)
}
