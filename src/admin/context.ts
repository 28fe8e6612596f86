import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { MetricName } from '../core/metric-table.ts'
import type { Policy } from '../policies/policy.ts'
import type { HeldNetworks } from '../core/held-networks.ts'
import type { Logger } from '../core/logger.ts'
import type { DoEverywhere } from '../core/operation.ts'
import type { Threads } from '../core/threads.ts'
import type { Readiness } from '../front/own-routes.ts'
import type { ConfigurationSource } from '../runtime/configuration-source.ts'
import type { CertificateReport } from '../runtime/certificates.ts'
import type { Reloads } from '../runtime/reloader.ts'
import type { DiscoveryReport } from '../services/discovery/discovery.ts'
import type { HealthBoard } from '../services/health/board.ts'
import type { HealthHistory } from '../services/health/history.ts'
import type { ServiceReport } from '../services/health/checker.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { ServiceOptions } from '../services/service.ts'
import type { MetricsHub } from '../telemetry/metrics/hub.ts'
import type { Totals } from '../telemetry/metrics/totals.ts'

/** What the endpoints for operators tell of, and act on: to be asked with each request, as a reload changes it. */
export interface AdminContext {
  /** The one that is applied. */
  readonly config: () => GatewayConfig
  /** Every policy that a configuration may name, in the order of the chain. */
  readonly policies: (config: GatewayConfig) => Promise<readonly Policy[]>
  /** What the files with networks hold that the configuration names. */
  readonly networks: () => HeldNetworks
  readonly board: HealthBoard
  /** Of the configuration that is applied. */
  readonly slots: () => SlotTable
  /** Those that it has, with the instances that were found where they are discovered. */
  readonly services: () => Readonly<Record<string, Pick<ServiceOptions, 'instances'>>>
  /** How the instances of a service are found; null where the configuration names them. */
  readonly discovery: (service: string) => DiscoveryReport | null
  /** What became of the instances. */
  readonly history: Pick<HealthHistory, 'tell' | 'of'>
  /** What the threads have counted so far of those metrics. */
  readonly totals: (names: ReadonlySet<MetricName>) => Totals
  /** By how much those metrics rise from now on, each with what it stands for; to be closed. */
  readonly follow: MetricsHub['follow']
  /** Those that the listeners show. */
  readonly certificates: () => readonly CertificateReport[]
  /** What the health checks have found. */
  readonly report: () => readonly ServiceReport[]
  readonly readiness: () => Readiness
  /** Where requests are accepted. */
  readonly addresses: () => readonly Address[]
  readonly reloads: Reloads
  /** Null where the program that the gateway is part of has given it its configuration. */
  readonly source: ConfigurationSource | null
  readonly threads: Threads
  /** Has this gateway do something, and all that share its Redis. */
  readonly everywhere: DoEverywhere
  readonly clock: Clock
  readonly log: Logger
}
