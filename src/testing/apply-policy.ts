import type { z } from 'zod'
import { type Clock, systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { Holder } from '../core/shared.ts'
import { Answers } from '../core/threads.ts'
import { GenerationStores } from '../policies/generation-stores.ts'
import type { Policy, PolicyToolbox } from '../policies/policy.ts'
import { ProcessStores } from '../policies/process-stores.ts'
import type { RouteInfo } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { guardPolicy } from '../policies/guard.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'

/** What a test may bring in place of the tools that a policy is given. */
export interface PolicyTestOptions {
  /**
   * Tools to use: the others are the machine's clock, 0.5 as the random number, a log that nobody reads, and limits and caches in
   * memory of their own.
   */
  readonly tools?: Partial<PolicyToolbox>
  /** The route that the policy is made for; "users", to user-service, by default. */
  readonly route?: RouteInfo
}

/** Counts that there is room for. */
const COUNTS = 1024
/** Octets of replies that are kept to be repeated. */
const REPLIES = 1024 ** 2

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
  const { clock = systemClock, log = createMemoryLogger().log } = tools
  const toolbox = { ...toolboxWith(clock, log), ...tools }
  return guardPolicy(policy).create(policy.options.parse(options), toolbox, route, null, () => 'test')(next)
}

function toolboxWith(clock: Clock, log: Logger): PolicyToolbox {
  const holder = new Holder({})
  const metrics = new ThreadMetrics(() => {}, clock)
  const processStores = ProcessStores.create(COUNTS)
  const threads = new Answers(log)
  processStores.keepReplies(REPLIES, threads, clock)
  return {
    clock,
    random: () => 0.5,
    log,
    callService: (service) => Promise.reject(new Error(`the test has no service ${service}: give it callService`)),
    metrics,
    ...new GenerationStores(null, holder, { processStores, size: 1, worker: 0, threads, clock, log, metrics })
      .ofPolicies,
    holder,
    answer: () => () => {},
    threads,
  }
}
