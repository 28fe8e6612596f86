import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { MetricName } from '../core/metric-table.ts'
import type { Policy } from '../policies/policy.ts'
import type { NetworkFileContents } from '../core/network-file-contents.ts'
import type { Logger } from '../core/logger.ts'
import type { RunOnReplicas } from '../core/operation.ts'
import type { Threads } from '../core/threads.ts'
import type { Readiness } from '../front/built-in-routes.ts'
import type { ConfigurationSource } from '../runtime/configuration-source.ts'
import type { CertificateReport } from '../runtime/certificates.ts'
import type { Reloads } from '../runtime/reloads.ts'
import type { DiscoveryReport } from '../services/discovery/discovery.ts'
import type { HealthBoard } from '../services/health/board.ts'
import type { HealthHistory } from '../services/health/history.ts'
import type { ServiceReport } from '../services/health/checker.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { ServiceOptions } from '../services/service-options.ts'
import type { MetricsHub } from '../telemetry/metrics/hub.ts'
import type { Totals } from '../telemetry/metrics/totals.ts'

/** What the admin endpoints report on and act on; call the functions for each request, because a reload changes the results. */
export interface AdminContext {
  /** The configuration in force. */
  readonly config: () => GatewayConfig
  /** Every policy that a configuration may name, in chain order. */
  readonly policies: (config: GatewayConfig) => Promise<readonly Policy[]>
  /** The contents of the network files that the configuration names. */
  readonly networks: () => NetworkFileContents
  readonly board: HealthBoard
  /** The slots of the configuration in force. */
  readonly slots: () => SlotTable
  /** The configured services, with the discovered instances where discovery is used. */
  readonly services: () => Readonly<Record<string, Pick<ServiceOptions, 'instances'>>>
  /** The discovery state of a service; null if the configuration lists its instances. */
  readonly discovery: (service: string) => DiscoveryReport | null
  /** The health history of the instances. */
  readonly history: Pick<HealthHistory, 'record' | 'of'>
  /** The current totals of those metrics over all threads. */
  readonly totals: (names: ReadonlySet<MetricName>) => Totals
  /** The increases of those metrics from now on, each with its meaning; the result must be closed. */
  readonly follow: MetricsHub['follow']
  /** The certificates that the listeners present. */
  readonly certificates: () => readonly CertificateReport[]
  /** The results of the health checks. */
  readonly report: () => readonly ServiceReport[]
  readonly readiness: () => Readiness
  /** The addresses that accept requests. */
  readonly addresses: () => readonly Address[]
  readonly reloads: Reloads
  /** Null if the configuration was passed by the program that embeds the gateway. */
  readonly source: ConfigurationSource | null
  readonly threads: Threads
  /** Performs an action on this gateway and on all others that share its Redis. */
  readonly everywhere: RunOnReplicas
  readonly clock: Clock
  readonly log: Logger
}
