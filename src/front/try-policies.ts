import type { GatewayConfig } from '../config/schema.ts'
import { formatAddress } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../policies/policy.ts'
import type { Logger } from '../core/logger.ts'
import { Holder } from '../core/shared.ts'
import { Slices } from '../core/slices.ts'
import type { Threads } from '../core/threads.ts'
import { Deadlines } from '../http/deadlines.ts'
import { HealthBoard } from '../services/health/board.ts'
import type { Addressed } from '../services/health/slots.ts'
import { CurrentService } from '../services/current-service.ts'
import { storesToTry } from '../policies/generation-stores.ts'
import { ProcessStores } from '../policies/process-stores.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import type { SnapshotToolbox } from './compiler.ts'
import { Snapshot } from './snapshot.ts'

/** Entries of a table in which nothing is counted. */
const ENTRIES = 1024

const half = (): number => 0.5

/** Time stands still, so nothing that a policy wants to do later is done. */
const still: Clock = { now: () => 0, wall: () => Date.now(), every: () => () => {}, after: () => () => {} }

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false }

/** No thread is asked anything. */
const nobody: Threads = { askAll: () => Promise.resolve([]), askMain: () => Promise.resolve([]) }

/**
 * Makes the policies of every route, to be thrown away: what cannot be made is known before anything listens. Nothing is
 * asked, not even Redis. Rejects with PolicyError.
 */
export async function tryPolicies(config: GatewayConfig, policies: readonly Policy[]): Promise<void> {
  const metrics = new ThreadMetrics(() => {}, still)
  const deadlines = new Deadlines(still)
  const board = HealthBoard.create(1)
  const process = ProcessStores.create(ENTRIES)
  const holder = new Holder({})
  const tools = { board, deadlines, random: half, metrics, holder, stickyKeys: [], zone: null }
  const services = Object.entries(config.services).map(
    ([name, service]) =>
      [name, new CurrentService(name, service, { slots: slotsOf(service), previous: null }, null, tools)] as const,
  )
  const toolbox: SnapshotToolbox = {
    clock: still,
    random: half,
    log: silent,
    policies,
    timings: false,
    toldOfDropped: () => {},
    overload: { active: false, shed: () => null },
    callService: () => Promise.reject(new Error('nothing can be asked before the gateway has started')),
    metrics,
    holder,
    answer: () => () => {},
    threads: nobody,
    ...storesToTry(config.stores.redis, { process, threads: 1, asked: nobody, clock: still, log: silent }),
  }
  await Snapshot.build(config, new Map(services), [], toolbox, new Slices(still))
}

/** No instance is picked: all have the one slot that there is. */
function slotsOf({ instances }: Addressed): ReadonlyMap<string, number> {
  return new Map(instances.map(({ url }) => [formatAddress(url), 0]))
}
