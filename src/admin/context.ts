import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../policies/policy.ts'
import type { Logger } from '../core/logger.ts'
import type { Threads } from '../core/threads.ts'
import type { Readiness } from '../front/own-routes.ts'
import type { HealthBoard } from '../services/health/board.ts'
import type { ServiceReport } from '../services/health/checker.ts'
import type { SlotTable } from '../services/health/slots.ts'

/** What the endpoints for operators tell of, and act on. */
export interface AdminContext {
  readonly config: GatewayConfig
  /** Every policy that the configuration may name, in the order of the chain. */
  readonly policies: readonly Policy[]
  readonly board: HealthBoard
  readonly slots: SlotTable
  /** What the health checks have found. */
  readonly report: () => readonly ServiceReport[]
  readonly readiness: () => Readiness
  /** Where requests are accepted. */
  readonly addresses: () => readonly Address[]
  readonly threads: Threads
  readonly clock: Clock
  readonly log: Logger
}
