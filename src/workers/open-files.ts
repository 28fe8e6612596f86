/** Whether the system lets this process have as many open files as its configuration lets it need. */
import { readFileSync } from 'node:fs'
import type { GatewayConfig } from '../config/schema.ts'
import type { Logger } from '../core/logger.ts'

/** What a process has open besides connections: its modules, the log, Redis, health checks, what operators ask. */
const ELSE = 200

/** The most connections that the configuration lets `workers` threads have at a time, and what is open besides. */
export function openFilesNeeded({ listeners, limits, services }: GatewayConfig, workers: number): number {
  const clients = listeners.length * limits.connections
  const pools = Object.values(services).map(
    ({ instances, pool }) => instances.length * (pool.connections + pool.streams),
  )
  return workers * pools.reduce((sum, pool) => sum + pool, clients) + ELSE
}

/**
 * Warns where the limit of open files is below what is needed: connections would fail one day, at the worst time. `limits` is the
 * text of /proc/self/limits, null where there is none; Node has raised the soft limit to the hard one by then.
 */
export function warnOfOpenFiles(
  config: GatewayConfig,
  workers: number,
  log: Logger,
  limits: string | null = readLimits(),
): void {
  const limit = /^Max open files +(\d+)/m.exec(limits ?? '')?.[1]
  const needed = openFilesNeeded(config, workers)
  if (limit === undefined || Number(limit) >= needed) return
  log.warn(
    { limit: Number(limit), needed },
    'The limit of open files is too low: raise it (ulimit -Hn, LimitNOFILE), or lower limits.connections',
  )
}

function readLimits(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return null
  }
}
