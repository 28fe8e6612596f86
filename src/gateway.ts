import { startAdmin } from './admin/server.ts'
import { withAdminToken } from './config/admin-schema.ts'
import { checkEnvironment } from './config/environment.ts'
import { parseConfig } from './config/parse.ts'
import { readPolicyFiles } from './config/policy-files.ts'
import type { GatewayInput } from './config/schema.ts'
import { logWarnings } from './config/log-warnings.ts'
import { warningsOf } from './config/warnings.ts'
import type { Address } from './core/address.ts'
import type { Policy } from './policies/policy.ts'
import { Answers } from './core/threads.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { version } from './front/version.ts'
import type { PoolSizes } from './http/lane.ts'
import { GatewayProcess } from './runtime/gateway-process.ts'
import { InlineFleet } from './runtime/inline-fleet.ts'
import { createLogger, type LogOutput } from './telemetry/logger.ts'
import { startTracing } from './telemetry/tracing.ts'

export { defineConfig } from './config/load.ts'
export { ConfigError } from './config/problems.ts'
export type { GatewayInput } from './config/schema.ts'
export { Bytes, type Body, type BodySink, type BodyStream, cancelBody, collect, isStream } from './http/body.ts'
export type { DocumentedOperation, PolicyDocs } from './core/api-docs.ts'
export { Shared } from './core/shared.ts'
export { definePolicy, type OwnPolicies, type Policy, type PolicyToolbox } from './policies/policy.ts'
export { document, type JsonDocument } from './core/document.ts'
export { GatewayError, type ErrorCode } from './core/errors.ts'
export type { Consumer, Exchange, RouteInfo } from './http/exchange.ts'
export { afterwards, editReplies, type Handler, type Middleware } from './http/handler.ts'
export { Headers } from './http/headers.ts'
export type { Logger } from './core/logger.ts'
export type { ExchangeRecord } from './http/record.ts'
export { Reply } from './http/reply.ts'
export type { Trace } from './http/trace.ts'
export { duration, size } from './core/units.ts'
export { z } from 'zod'
export type { Address } from './core/address.ts'
export type { PoolSize, PoolSizes } from './http/lane.ts'

export interface GatewayOptions {
  /** Where log lines go; the standard output as the configuration says, by default. */
  readonly output?: LogOutput
  readonly clock?: Clock
  /** Policies of your own, innermost in the order of the list; the configuration names them under `policies:`. */
  readonly policies?: readonly Policy[]
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

/** A running gateway. */
export interface Gateway {
  /** Where it listens: the listeners of the configuration with their actual ports. */
  readonly addresses: readonly Address[]
  /** Where operators are answered, or null where the configuration has no admin listener. */
  readonly adminAddress: Address | null
  /** Open client connections, tunnels among them. */
  readonly connections: number
  /** Connections of both sides and waiting requests whose time is watched. */
  readonly watched: number
  /** Service -> address of an instance -> the connections to it. */
  readonly pools: PoolSizes
  /** Resolves when every instance has been checked once and GET /health/ready says so. */
  readonly ready: Promise<void>
  /** After `shutdownDelay` accepts no more, lets exchanges end for as long as `drainTimeout` says, and closes everything. */
  close(): Promise<void>
}

/**
 * Runs a gateway in this thread, for tests and as a library; `workers` of the configuration is for the command line.
 * ADMIN_TOKEN of the environment counts as `admin.token`. Throws ConfigError; rejects if an address is not to be had.
 */
export async function createGateway(input: GatewayInput, options: GatewayOptions = {}): Promise<Gateway> {
  // Relative to the working directory, as there is no configuration file.
  const loaded = await readPolicyFiles(withAdminToken(input, process.env), 'sallyport.yaml', options.policies)
  const config = parseConfig(input, loaded, checkEnvironment(process.env))
  const { clock = systemClock, random = Math.random } = options
  const output = options.output ?? createLogger({ ...config.log, clock })
  logWarnings(warningsOf(config, loaded.chain), output.log)
  const answers = new Answers(output.log)
  const tracing = await startTracing(process.env, version, output.log, clock)
  const fleet = new InlineFleet({ policies: loaded.chain, output, clock, random, answers, tracing })
  const gateway = new GatewayProcess({
    config,
    output,
    clock,
    random,
    answers,
    fleet,
    policies: async () => loaded.chain,
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
      return fleet.served?.connections ?? 0
    },
    get watched() {
      return fleet.served?.watched ?? 0
    },
    get pools() {
      return fleet.served?.pools ?? {}
    },
    close() {
      closed ??= close()
      return closed
    },
  }
}
