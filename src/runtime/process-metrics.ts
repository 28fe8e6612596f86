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
 * Why a worker was replaced: what nobody caught, process.exit, its heap, a loop, that it did not come to listen, or that it
 * did not change to another configuration.
 */
const restartReasons = ['error', 'exit', 'memory', 'stuck', 'start', 'reload'] as const

/** One of them. */
export type RestartReason = (typeof restartReasons)[number]

/** A configuration that the process goes by. */
export interface AppliedConfig {
  readonly config: GatewayConfig
  /** The slots of its instances. */
  readonly slots: SlotTable
}

/** What is the same for all threads of the process. */
export interface ProcessSources {
  /** What it goes by now. */
  readonly applied: () => AppliedConfig
  readonly board: HealthBoard
  /** What the process may take, in bytes; null where nothing bounds it. */
  readonly memory: number | null
  /** Worker threads that run. */
  readonly workers: () => number
}

/** Has what is the same for all threads read at each scrape: for the main thread alone, as readings are added up. */
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
    current().instances.map(({ labels, slot }) => ({ labels, value: board.ejections.holds(slot) ? 1 : 0 })),
  )
  metrics.watchAll('sallyport_service_insecure', () => current().services)
  metrics.watchAll('sallyport_concurrency_limit', () =>
    current().limits.map(({ labels, limit }) => ({ labels, value: limit.value })),
  )
  watchSystem(metrics)
}

/** What there is to tell of a configuration. */
interface ConfigLabels {
  readonly of: AppliedConfig
  readonly instances: readonly { readonly labels: { service: string; instance: string }; readonly slot: number }[]
  readonly services: readonly { readonly labels: { service: string }; readonly value: number }[]
  readonly limits: readonly { readonly labels: { service: string }; readonly limit: ConcurrencyLimit }[]
}

/** The same objects at each scrape, as their texts are made once. */
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
 * What the operating system knows of the process, under the names that Prometheus's own libraries use; without its files
 * where `folder`, which tells of them, is not there.
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
  // Without the one that lists them.
  metrics.watch('process_open_fds', {}, () => readdirSync(`${folder}/fd`).length - 1)
  const most = /^Max open files +(\d+)/m.exec(limits)?.[1]
  if (most !== undefined) metrics.watch('process_max_fds', {}, () => Number(most))
}

function readLimits(folder: string): string | null {
  try {
    return readFileSync(`${folder}/limits`, 'utf8')
  } catch {
    return null
  }
}
