import { startAdmin } from './admin/server.ts'
import { withAdminToken } from './config/admin-schema.ts'
import { checkEnvironment } from './config/environment.ts'
import { loadedCode } from './config/fresh-modules.ts'
import { NO_CODE } from './config/loaded-code.ts'
import { migrateKeys } from './config/migrate-keys.ts'
import { parsing } from './config/parse.ts'
import { valueSource } from './config/source.ts'
import { OBJECT, readPolicies } from './config/load-policies.ts'
import { ReadFiles } from './config/read-files.ts'
import { revising } from './config/revision.ts'
import type { GatewayInput, OwnPolicyInput } from './config/gateway-input.ts'
import type { GatewayConfig } from './config/schema.ts'
import { logWarnings } from './config/log-warnings.ts'
import { warningsOf } from './config/warnings.ts'
import type { Address } from './core/address.ts'
import type { Policy } from './policies/policy.ts'
import { TopicHandlers } from './core/threads.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { TimeSlices } from './core/time-slices.ts'
import { version } from './core/version.ts'
import type { PoolSizes } from './http/lane.ts'
import type { Fleet } from './runtime/fleet.ts'
import { GatewayProcess } from './runtime/gateway-process.ts'
import { InlineFleet } from './runtime/inline-fleet.ts'
import type { Candidate } from './runtime/reloads.ts'
import { createLogger, type LogOutput } from './telemetry/logger.ts'
import { startTracing } from './telemetry/tracing.ts'

export { defineConfig } from './config/load.ts'
export { ConfigError, type SourcePosition, type Problem } from './config/problems.ts'
export type {
  GatewayInput,
  KnownMembers,
  NameOf,
  OnlyMembers,
  OptionsOfFiles,
  OwnOptions,
  OwnPolicyInput,
  OwnRouteOptions,
  PolicyOf,
  RouteInput,
} from './config/gateway-input.ts'
export type { OwnPolicy, PlacedPolicy } from './config/own-policy-schema.ts'
export type { Address } from './core/address.ts'
export type { Clock } from './core/clock.ts'
export { document, type JsonDocument } from './core/document.ts'
export {
  defineError,
  type ErrorCode,
  type ErrorDefinition,
  type ErrorEntry,
  type ErrorKind,
  type Fault,
  GatewayError,
  type GatewayErrorOptions,
} from './core/errors.ts'
export type {
  LabelOf,
  LabelsOf,
  MetricEntry,
  MetricName,
  MetricNameOf,
  MetricOf,
  OwnMetric,
} from './core/metric-table.ts'
export { defineMetric, type MetricDefinition, type OwnMetricType } from './core/own-metric.ts'
export type { Logger, LogLevel } from './core/logger.ts'
export type { Counter, HeldMetrics, Histogram, Gauge, Metrics } from './core/metrics.ts'
export { type Holder, Shared } from './core/shared.ts'
export type { SlicedWork } from './core/time-slices.ts'
export { type TopicHandlers, defineTopic, type Threads, type Topic } from './core/threads.ts'
export type { Toolbox } from './core/toolbox.ts'
export { type Duration, duration, type Percentage, type Size, size, type UnitText } from './core/units.ts'
export {
  Bytes,
  type Body,
  type BodySink,
  type BodyStream,
  type Budget,
  cancelBody,
  collect,
  isStream,
} from './http/body.ts'
export type { ClientCertificate } from './http/client-certificate.ts'
export type {
  Abortable,
  AskedRequest,
  AttemptState,
  AwaitedReply,
  Client,
  Consumer,
  Exchange,
  ExchangeNotes,
  FailedAttempt,
  GrpcCall,
  ReplyEdit,
  RequestFacts,
  RouteInfo,
} from './http/exchange.ts'
export { afterwards, editReplies, type Handler, type Middleware } from './http/handler.ts'
export { Headers } from './http/headers.ts'
export type { PoolSize, PoolSizes } from './http/lane.ts'
export type { PathForms } from './http/path-forms.ts'
export type { HttpVersion } from './http/received-head.ts'
export type { AttemptRecord, EventAttributes, ExchangeRecord, GrpcStatus, RecordedEvent } from './http/record.ts'
export { Reply } from './http/reply.ts'
export type { ServiceReply, ServiceRequest } from './http/service-request.ts'
export type { Trace } from './http/trace.ts'
export type { Tunnel, TunnelEnd, Upgrade } from './http/upgrade.ts'
export {
  type Algorithm,
  type Allows,
  type ClientIdentity,
  type ApiKeys,
  type BodyLimit,
  type CacheAcceptance,
  type CacheEntry,
  type Caches,
  type CacheStore,
  type CacheStoreName,
  type CacheUsage,
  type ClientKind,
  type Decision,
  definePolicy,
  type FilesOption,
  type FlightTable,
  type FlightStatus,
  type HeldKey,
  type Identify,
  type StatefulRoute,
  type PolicyState,
  type KeyClaim,
  type KeyClaimant,
  type KeyPlace,
  type Limit,
  type LimitStoreName,
  type LimitWatch,
  type Meter,
  type Missing,
  type NearLimits,
  type OpenFile,
  type OptionsPath,
  type OptionsWarning,
  type Policy,
  type PolicyToolbox,
  type ProofOptions,
  type Quota,
  type QuotaState,
  type Rate,
  type RateLimits,
  type Repeats,
  type RepeatStore,
  type RepeatStoreName,
  type SharedFlight,
  type NearLimitEntry,
  type StoredApiKey,
  type StoredReply,
  type StoreFailureMode,
  type StoreOption,
  type SyncMeter,
  type Variant,
} from './policies/policy.ts'
export type {
  DocsObject,
  DocumentedOperation,
  FieldDocs,
  ParameterDocs,
  PolicyDocs,
  ProofDocs,
  RefusalDocs,
} from './policies/policy-docs.ts'
export type { LogFormat, LogOutput } from './telemetry/logger.ts'
export { z } from 'zod'

/** Options of a gateway that differ from the defaults. */
export interface GatewayOptions {
  /** Where log lines go; by default to the standard output, as configured. */
  readonly output?: LogOutput
  readonly clock?: Clock
  /** Uniform in [0, 1). */
  readonly random?: () => number
  /**
   * Answers requests in worker threads, as many as the configuration's `workers` says, instead of in the calling thread. They log to where
   * the configuration says, use the system clock, and take custom policies from files only, not as objects. Default false.
   */
  readonly workers?: boolean
}

/** A running gateway. */
export interface Gateway {
  /** The listeners of the configuration with their actual ports. */
  readonly addresses: readonly Address[]
  /** The address of the admin listener, or null if the configuration has none. */
  readonly adminAddress: Address | null
  /** Open client connections of the calling thread, including tunnels: none with `workers`; this also applies to the next two. */
  readonly connections: number
  /** Connections of both sides and waiting requests that have a timeout. */
  readonly watched: number
  /** Service -> address of an instance -> the connections to it. */
  readonly pools: PoolSizes
  /** Resolves when every instance has been checked once and GET /health/ready reports readiness. */
  readonly ready: Promise<void>
  /**
   * Replaces the running configuration without losing connections, or requests that still have a route. `input` is read over several turns:
   * do not modify it until the promise settles. Rejects with ConfigError, or an Error that says why the reload failed; the current
   * configuration then stays in force.
   */
  reload<const Own extends readonly OwnPolicyInput[] = readonly []>(input: GatewayInput<Own>): Promise<Reloaded>
  /** Stops accepting after `shutdownDelay`, lets exchanges finish for up to `drainTimeout`, and closes everything. */
  close(): Promise<void>
}

/** The result of a reload. */
export interface Reloaded {
  /** 'unchanged' if there is no difference: nothing was done. */
  readonly outcome: 'applied' | 'unchanged'
  /** Identifies the meaning of the running configuration: equal configurations have the same revision. */
  readonly revision: string
}

/**
 * Runs a gateway in this process, for tests and as a library: in the calling thread, or in worker threads on request. ADMIN_TOKEN from the
 * environment counts as `admin.token`. Throws ConfigError; rejects if an address is not available.
 */
export async function createGateway<const Own extends readonly OwnPolicyInput[] = readonly []>(
  input: GatewayInput<Own>,
  options: GatewayOptions = {},
): Promise<Gateway> {
  const { clock = systemClock, random = Math.random } = options
  const chains = new WeakMap<GatewayConfig, readonly Policy[]>()
  const read = async (value: unknown): Promise<Candidate> => {
    const noted = new ReadFiles()
    // Relative to the working directory, because there is no configuration file.
    const { value: current, source, ...names } = migrateKeys(value, valueSource())
    const loaded = await readPolicies(withAdminToken(current, process.env), 'sallyport.yaml', null, noted)
    const slices = new TimeSlices(clock)
    await slices.next()
    const config = await slices.run(parsing(loaded, source, [...checkEnvironment(process.env), ...names.problems]))
    await slices.next()
    chains.set(config, loaded.chain)
    const revision = await slices.run(revising(config, noted.beside))
    await slices.next()
    const files = config.ownPolicies.map(({ file }) => file)
    if (options.workers === true && files.includes(OBJECT))
      throw new Error('Policy objects cannot be passed to worker threads: list their files in ownPolicies')
    const modules = (options.workers === true ? loadedCode(files) : null) ?? NO_CODE
    const warnings = warningsOf({ config, chain: loaded.chain, renamed: names.warnings })
    return { config, revision, text: null, code: [], modules, warnings }
  }
  const policies = (config: GatewayConfig): readonly Policy[] => chains.get(config) ?? []
  const first = await read(input)
  const output = options.output ?? createLogger({ ...first.config.log, clock })
  logWarnings(first.warnings, output.log)
  const answers = new TopicHandlers(output.log)
  const inline = options.workers === true ? null : await makeInline()
  const fleet = inline ?? (await makeWorkers(first))
  const gateway = new GatewayProcess({
    first,
    output,
    clock,
    random,
    answers,
    fleet,
    source: null,
    policies: async (config) => policies(config),
    startOperators: startAdmin,
  })
  try {
    await gateway.start()
  } catch (error) {
    if (options.output === undefined) await output.close()
    throw error
  }
  const close = async (): Promise<void> => {
    await gateway.stop()
    if (options.output === undefined) await output.close()
  }
  let closed: Promise<void> | null = null
  return {
    ready: gateway.ready,
    get addresses() {
      return gateway.addresses
    },
    get adminAddress() {
      return gateway.adminAddress
    },
    get connections() {
      return inline?.served?.connections ?? 0
    },
    get watched() {
      return inline?.served?.watched ?? 0
    },
    get pools() {
      return inline?.served?.pools ?? {}
    },
    async reload(value) {
      const reloaded = await gateway.reload(() => read(value))
      if (reloaded.outcome === 'refused') throw reloaded.error
      return { outcome: reloaded.outcome, revision: reloaded.applied.revision }
    },
    close() {
      closed ??= close()
      return closed
    },
  }

  async function makeInline(): Promise<InlineFleet> {
    const tracing = await startTracing(process.env, version, output.log, clock)
    return new InlineFleet({ policies, output, clock, random, answers, tracing })
  }

  /** The code that runs workers is loaded only if there are any. */
  async function makeWorkers({ config, modules }: Candidate): Promise<Fleet> {
    const { WorkerFleet } = await import('./workers/worker-fleet.ts')
    return new WorkerFleet({ config, modules, output, clock, answers })
  }
}
