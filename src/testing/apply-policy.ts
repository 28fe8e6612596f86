import type { z } from 'zod'
import { check } from '../config/issues.ts'
import { ConfigError, formatPath } from '../config/problems.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { Holder } from '../core/shared.ts'
import { TopicHandlers } from '../core/threads.ts'
import { GenerationStores } from '../policies/generation-stores.ts'
import type { Policy, PolicyToolbox } from '../policies/policy.ts'
import { ProcessStores } from '../policies/process-stores.ts'
import type { RouteInfo } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { guardPolicy } from '../policies/guard.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'

/** Replacements for the tools that a policy is given in a test. */
export interface PolicyTestOptions {
  /**
   * Tools to use: the defaults are the system clock, 0.5 as the random number, a log that is discarded, and limits and caches in memory of
   * their own.
   */
  readonly tools?: Partial<PolicyToolbox>
  /** The route that the policy is made for; by default "users", to user-service. */
  readonly route?: RouteInfo
}

/** Maximum number of counts. */
const COUNTS = 1024
/** Maximum size in bytes of replies that are stored to be repeated. */
const REPLIES = 1024 ** 2

const users: RouteInfo = { id: 'users', pattern: '/api/v1/users/{id}', service: 'user-service' }

/**
 * A policy around `next`, as the gateway wraps it around the next step: options are given as in the configuration, and errors are those
 * that the client's problem document would report. Throws a ConfigError for options that the schema refuses.
 */
export function applyPolicy<Schema extends z.ZodType>(
  policy: Policy<Schema>,
  options: z.input<Schema>,
  next: Handler,
  { tools = {}, route = users }: PolicyTestOptions = {},
): Handler {
  const { clock = systemClock, log = createMemoryLogger().log } = tools
  const toolbox = { ...toolboxWith(clock, log), ...tools }
  refuseInvalid(policy, options)
  return guardPolicy(policy).create(policy.options.parse(options), toolbox, route, null, () => 'test')(next)
}

/** Throws a ConfigError in the words of the configuration. */
function refuseInvalid({ name, options: schema }: Policy, options: unknown): void {
  const checked = check(schema, options, () => undefined)
  if (!('findings' in checked)) return
  const problems = checked.findings.map(({ path, message }) => ({
    path: formatPath(['policies', name, ...path]),
    message,
  }))
  throw new ConfigError(problems)
}

function toolboxWith(clock: Clock, log: Logger): PolicyToolbox {
  const holder = new Holder({})
  const metrics = new ThreadMetrics(() => {}, clock)
  const processStores = ProcessStores.create(COUNTS)
  const threads = new TopicHandlers(log)
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
