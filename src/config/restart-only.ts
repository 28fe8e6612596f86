import { isDeepStrictEqual } from 'node:util'
import { formatPath, type Path } from './problems.ts'
import type { GatewayConfig } from './schema.ts'
import { at, isFields } from '../core/value.ts'

/** A setting that a running process keeps from its start. */
export interface RestartOnly {
  /** The place of the setting; for a map with members in the list, only its presence counts. */
  readonly path: Path
  /** Why, in one sentence. */
  readonly reason: string
}

const ADMIN = 'The admin listener is opened when the process starts.'

/** Settings that take effect only after a restart. */
export const RESTART_ONLY: readonly RestartOnly[] = [
  { path: ['workers'], reason: 'Worker threads are created when the process starts.' },
  { path: ['workerTimeout'], reason: 'Worker threads get it when they are created.' },
  { path: ['memoryLimit'], reason: 'The heap limits of worker threads are set when they are created.' },
  { path: ['stores', 'memory', 'entries'], reason: 'The table of counters is created when the process starts.' },
  { path: ['admin'], reason: ADMIN },
  { path: ['admin', 'address'], reason: ADMIN },
  { path: ['log', 'file'], reason: 'The log is opened when the process starts.' },
]

/** Names of the changed settings that require a restart, such as "admin.address"; empty if there are none. */
export function restartOnly(before: GatewayConfig, after: GatewayConfig): string[] {
  const found = RESTART_ONLY.filter(({ path }) => {
    const [old, fresh] = [valueAt(before, path), valueAt(after, path)]
    const isWhole = !RESTART_ONLY.some((other) => isBelow(other.path, path))
    return isWhole ? !isDeepStrictEqual(old, fresh) : isFields(old) !== isFields(fresh)
  })
  return found
    .filter(({ path }) => !found.some((other) => isBelow(path, other.path)))
    .map(({ path }) => formatPath(path))
}

function valueAt(config: GatewayConfig, path: Path): unknown {
  return path.reduce<unknown>(at, config)
}

function isBelow(path: Path, above: Path): boolean {
  return path.length > above.length && above.every((step, i) => step === path[i])
}
