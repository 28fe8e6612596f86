import { readdirSync, readFileSync } from 'node:fs'
import type { GatewayConfig } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import { createLimit } from '../services/concurrency/create-limit.ts'
import type { ConcurrencyLimit } from '../services/concurrency/limit.ts'
import type { HealthBoard } from '../services/health/board.ts'
import type { SlotTable } from '../services/health/slots.ts'
import { residentMemory } from './memory.ts'
import { version } from '../core/version.ts'

/**
 * Why a worker was replaced: an uncaught error, process.exit, exceeded heap, a blocked event loop, failure to start listening, or failure
 * to switch to another configuration.
 */
const restartReasons = ['error', 'exit', 'memory', 'stuck', 'start', 'reload'] as const

/** One of these reasons. */
export type RestartReason = (typeof restartReasons)[number]

/** A configuration in effect. */
export interface AppliedConfig {
  readonly config: GatewayConfig
  /** The slots of its instances. */
  readonly slots: SlotTable
}

/** Values that exist once per process. */
export interface ProcessSources {
  /** The configuration in effect. */
  readonly applied: () => AppliedConfig
  readonly board: HealthBoard
  /** Memory limit of the process, in bytes; null if there is none. */
  readonly memory: number | null
  /** Number of running workers. */
  readonly workers: () => number
}

/** Exports process-wide values at each scrape; only in the main thread, as values of threads are added up. */
export function watchProcess(metrics: Metrics, sources: ProcessSources): void {
  const { applied, board, memory, workers } = sources
  metrics.watch('sallyport_build_info', { version, node_version: process.versions.node }, () => 1)
  for (const reason of restartReasons) metrics.counter('sallyport_worker_restarts_total', { reason })
  metrics.watch('sallyport_workers', {}, workers)
  metrics.watch('sallyport_memory_limit_bytes', {}, () => memory ?? 0)
  let known = labelsOf(applied(), board)
  const current = (): ConfigLabels => {
    if (known.of !== applied()) known = labelsOf(applied(), board)
    return known
  }
  metrics.watchAll('sallyport_instance_healthy', () =>
    current().instances.map(({ labels, slot }) => ({ labels, value: board.usable(slot) ? 1 : 0 })),
  )
  metrics.watchAll('sallyport_instance_ejected', () =>
    current().instances.map(({ labels, slot }) => ({ labels, value: board.ejections.isEjected(slot) ? 1 : 0 })),
  )
  metrics.watchAll('sallyport_service_insecure', () => current().services)
  metrics.watchAll('sallyport_concurrency_limit', () =>
    current().limits.map(({ labels, limit }) => ({ labels, value: limit.value })),
  )
  watchSystem(metrics)
}

/** The series for a configuration. */
interface ConfigLabels {
  readonly of: AppliedConfig
  readonly instances: readonly { readonly labels: { service: string; instance: string }; readonly slot: number }[]
  readonly services: readonly { readonly labels: { service: string }; readonly value: number }[]
  readonly limits: readonly { readonly labels: { service: string }; readonly limit: ConcurrencyLimit }[]
}

/** Returns the same objects at each scrape, so that their text form is computed only once. */
function labelsOf(applied: AppliedConfig, board: HealthBoard): ConfigLabels {
  const { config, slots } = applied
  return {
    of: applied,
    instances: Object.entries(slots).flatMap(([service, addresses]) =>
      Array.from(addresses, ([instance, slot]) => ({ labels: { service, instance }, slot })),
    ),
    services: Object.entries(config.services).map(([service, { tls }]) => ({
      labels: { service },
      value: tls?.insecure === true ? 1 : 0,
    })),
    limits: Object.entries(config.services).flatMap(([service, { concurrency }]) => {
      const limit = createLimit(concurrency, board.loads.of(service), systemClock)
      return limit === null ? [] : [{ labels: { service }, limit }]
    }),
  }
}

/**
 * Process metrics from the operating system, under the names that Prometheus client libraries use; without file descriptor counts if
 * `folder`, which lists them, does not exist.
 */
export function watchSystem(metrics: Pick<Metrics, 'watch'>, folder = '/proc/self'): void {
  const started = Date.now() / 1000 - process.uptime()
  metrics.watch('process_cpu_seconds_total', {}, () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  metrics.watch('process_cpu_user_seconds_total', {}, () => process.cpuUsage().user / 1e6)
  metrics.watch('process_cpu_system_seconds_total', {}, () => process.cpuUsage().system / 1e6)
  metrics.watch('process_start_time_seconds', {}, () => started)
  metrics.watch('process_resident_memory_bytes', {}, residentMemory)
  const limits = readLimits(folder)
  if (limits === null) return
  // Excludes the descriptor used for listing.
  metrics.watch('process_open_fds', {}, () => readdirSync(`${folder}/fd`).length - 1)
  const max = /^Max open files +(\d+)/m.exec(limits)?.[1]
  if (max !== undefined) metrics.watch('process_max_fds', {}, () => Number(max))
}

function readLimits(folder: string): string | null {
  try {
    return readFileSync(`${folder}/limits`, 'utf8')
  } catch {
    return null
  }
}
