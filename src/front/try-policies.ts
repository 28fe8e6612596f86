import type { GatewayConfig } from '../config/schema.ts'
import { formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../policies/policy.ts'
import { Holder } from '../core/shared.ts'
import { TimeSlices } from '../core/time-slices.ts'
import { Deadlines } from '../http/deadlines.ts'
import { HealthBoard } from '../services/health/board.ts'
import type { Addressed } from '../services/health/slots.ts'
import { CurrentService } from '../services/current-service.ts'
import { type OfPolicies, storesToTry } from '../policies/generation-stores.ts'
import { ProcessStores } from '../policies/process-stores.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import type { SnapshotToolbox } from './compiler.ts'
import type { BuiltInRoute } from './built-in-routes.ts'
import { noThreads, silentLogger } from './silent-tools.ts'
import { Snapshot } from './snapshot.ts'

/** Table size for trials, in which nothing is counted. */
const ENTRIES = 1024

const half = (): number => 0.5

/** Time stands still, so that nothing scheduled by policies ever runs. */
const still: Clock = { now: () => 0, wall: () => Date.now(), every: () => () => {}, after: () => () => {} }

/** A configuration created for a trial: it does not listen and initiates nothing. */
export interface Trial {
  readonly services: ReadonlyMap<string, CurrentService>
  readonly board: HealthBoard
  readonly snapshot: Snapshot
  readonly stores: OfPolicies
  /** Releases everything. */
  readonly close: () => void
}

/**
 * Creates the policies of every route and discards them, so that errors are found before anything listens. Nothing is contacted, not even
 * Redis. Rejects with PolicyError.
 */
export async function tryPolicies(config: GatewayConfig, policies: readonly Policy[]): Promise<void> {
  const { close } = await makeTrial(config, policies, [], still)
  close()
}

/** Like `tryPolicies`, but returns the result for inspection. Its services may be called, using that clock. Rejects with PolicyError. */
export async function makeTrial(
  config: GatewayConfig,
  policies: readonly Policy[],
  own: readonly BuiltInRoute[],
  clock: Clock,
): Promise<Trial> {
  const metrics = new ThreadMetrics(() => {}, still)
  const deadlines = new Deadlines(clock)
  const board = HealthBoard.create(1)
  const process = ProcessStores.create(ENTRIES)
  const holder = new Holder({})
  const tools = { board, deadlines, random: half, metrics, holder, stickyKeys: [], zone: null }
  const services = new Map(
    Object.entries(config.services).map(
      ([name, service]) =>
        [name, new CurrentService(name, service, { slots: slotsOf(service), previous: null }, null, tools)] as const,
    ),
  )
  const stores = storesToTry(config.stores.redis, { process, allThreads: noThreads, clock: still, log: silentLogger })
  const toolbox: SnapshotToolbox = {
    clock: still,
    random: half,
    log: silentLogger,
    policies,
    logDroppedFields: () => {},
    overload: { active: false, shed: () => null },
    callService: () => Promise.reject(new Error('services cannot be called before the gateway has started')),
    metrics,
    holder,
    answer: () => () => {},
    threads: noThreads,
    ...stores,
  }
  const close = (): void => {
    holder.release()
    deadlines.close()
  }
  try {
    const snapshot = await Snapshot.build(config, services, own, toolbox, new TimeSlices(still))
    return { services, board, snapshot, stores, close }
  } catch (error) {
    close()
    throw error
  }
}

/** No instance is picked, so all share the single slot. */
function slotsOf({ instances }: Addressed): ReadonlyMap<string, number> {
  return new Map(instances.map(({ url }) => [formatAddress(url), 0]))
}
