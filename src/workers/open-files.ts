/** Whether the system's limit of open files is sufficient for the configuration. */
import { readFileSync } from 'node:fs'
import type { GatewayConfig } from '../config/schema.ts'
import type { Logger } from '../core/logger.ts'
import type { Discovered } from '../services/discovery/discovery.ts'

/** Open files of a process other than connections: its modules, the log, Redis, health checks, the admin API. */
const ELSE = 200

/**
 * The maximum number of open files of `workers` threads under this configuration. Services with discovery count with the number of
 * instances in `found`, at least one: there may be more later, but counting the maximum would require far too many.
 */
export function openFilesNeeded(
  { listeners, limits, services }: GatewayConfig,
  found: Discovered,
  workers: number,
): number {
  const clients = listeners.length * limits.connections
  const pools = Object.entries(services).map(([name, { instances, discover, pool }]) => {
    const count = discover === undefined ? instances.length : Math.max(1, found[name]?.length ?? 0)
    return count * (pool.connections + pool.streams)
  })
  return workers * pools.reduce((sum, pool) => sum + pool, clients) + ELSE
}

/**
 * Warns if the limit of open files is below the number `needed`, as connections would fail one day, at the worst time. `limits` is the text
 * of /proc/self/limits, null if it does not exist; Node has already raised the soft limit to the hard limit by then.
 */
export function warnOfOpenFiles(needed: number, log: Logger, limits: string | null = readLimits()): void {
  const limit = /^Max open files +(\d+)/m.exec(limits ?? '')?.[1]
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
