import type { z } from 'zod'
import { systemClock } from '../core/clock.ts'
import { Holder } from '../core/shared.ts'
import type { Policy, PolicyToolbox } from '../policies/policy.ts'
import type { RouteInfo } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { guardPolicy } from '../policies/guard.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'

/** What a test may bring in place of the tools that a policy is given. */
export interface PolicyTestOptions {
  /** Tools to use: the others are the machine's clock, 0.5 as the random number, and a log that nobody reads. */
  readonly tools?: Partial<PolicyToolbox>
  /** The route that the policy is made for; "users", to user-service, by default. */
  readonly route?: RouteInfo
}

const users: RouteInfo = { id: 'users', pattern: '/api/v1/users/{id}', service: 'user-service' }

/**
 * A policy around `next`, as the gateway puts it around the next step: options as they are written in the configuration,
 * errors as the client's problem document would tell of them. Throws a ZodError for options that the schema refuses.
 */
export function applyPolicy<Schema extends z.ZodType>(
  policy: Policy<Schema>,
  options: z.input<Schema>,
  next: Handler,
  { tools = {}, route = users }: PolicyTestOptions = {},
): Handler {
  const toolbox: PolicyToolbox = {
    clock: systemClock,
    random: () => 0.5,
    log: createMemoryLogger().log,
    callService: (service) => Promise.reject(new Error(`the test has no service ${service}: give it callService`)),
    metrics: new ThreadMetrics(() => {}, systemClock),
    limits: { meter: absent, localMeter: absent },
    caches: { threads: 1, preferred: 'memory', isShared: () => false, make: absent },
    apiKeys: null,
    storesKey: 'memory',
    holder: new Holder({}),
    answer: () => () => {},
    threads: { askAll: () => Promise.resolve([]) },
    ...tools,
  }
  return guardPolicy(policy).create(policy.options.parse(options), toolbox, route, null, () => 'test')(next)
}

function absent(): never {
  throw new Error('the test has no limits: give it some in its tools')
}
