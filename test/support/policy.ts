import type { z } from 'zod'
import type { Policy, PolicyToolbox } from '../../src/policies/policy.ts'
import { followOutages } from '../../src/core/outage-log.ts'
import { Holder } from '../../src/core/shared.ts'
import { TopicHandlers } from '../../src/core/threads.ts'
import type { RouteInfo } from '../../src/http/exchange.ts'
import type { Handler } from '../../src/http/handler.ts'
import { CacheStores } from '../../src/policies/cache/cache-stores.ts'
import { OpenRepeats } from '../../src/policies/idempotency/repeat-stores.ts'
import { LimitStores } from '../../src/policies/rate-limit/limit-stores.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { ThreadMetrics } from '../../src/telemetry/metrics/thread-metrics.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { storeTools } from './store-tools.ts'

const route: RouteInfo = { id: 'users', pattern: '/api/v1/users/*', service: 'user-service' }

/** Maximum size in bytes of replies that are stored to be repeated. */
const REPLIES = 1024 ** 2

/** The tools of a policy, with a clock that stands still and no services, unless the test provides its own. */
export function makeToolbox(parts: Partial<PolicyToolbox> = {}): PolicyToolbox {
  const clock = parts.clock ?? new ManualClock()
  const { log } = createMemoryLogger('debug', clock)
  const threads = new TopicHandlers(log)
  followOutages(threads, clock, parts.log ?? log)
  const tools = storeTools({ clock, log, allThreads: threads })
  tools.process.keepReplies(REPLIES, threads, clock)
  return {
    clock,
    random: () => 0.5,
    log,
    metrics: new ThreadMetrics(() => {}, clock),
    limits: new LimitStores(tools),
    caches: new CacheStores(tools),
    repeats: new OpenRepeats(tools),
    apiKeys: null,
    storesKey: 'memory',
    holder: new Holder({}),
    answer: () => () => {},
    threads,
    callService: (service) => Promise.reject(new Error(`there is no service ${service}`)),
    ...parts,
  }
}

/** A policy around `next`, with its options as written in the configuration for every route. */
export function applyPolicy<Schema extends z.ZodType>(
  policy: Policy<Schema>,
  options: z.input<Schema>,
  next: Handler,
  toolbox: PolicyToolbox = makeToolbox(),
): Handler {
  const parsed = policy.options.parse(options)
  return policy.create(parsed, toolbox, route, parsed, () => 'test')(next)
}
