/** Whether the system lets this process have as many open files as its configuration lets it need. */
import { readFileSync } from 'node:fs'
import type { GatewayConfig } from '../config/schema.ts'
import type { Logger } from '../core/logger.ts'
import type { Discovered } from '../services/discovery/discovery.ts'

/** What a process has open besides connections: its modules, the log, Redis, health checks, what operators ask. */
const ELSE = 200

/**
 * The most connections that the configuration lets `workers` threads have at a time, and what is open besides. Services that discover their
 * instances count with those that have been `found`, and at least one: there may be more some day, and to count with all that there may be would
 * ask for far too many.
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
 * Warns where the limit of open files is below how many are `needed`: connections would fail one day, at the worst time. `limits` is the
 * text of /proc/self/limits, null where there is none; Node has raised the soft limit to the hard one by then.
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
