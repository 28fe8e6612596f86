import { isDeepStrictEqual } from 'node:util'
import { type Address, formatAddress, formatAuthority } from '../../core/address.ts'
import { LONGEST_DELAY } from '../../core/clock.ts'
import type { Prepared } from '../../core/prepared.ts'
import type { OutgoingTlsOptions } from '../../tls/outgoing.ts'
import type { ProxyVersion } from '../../proxy-protocol/written-header.ts'
import {
  InstanceMonitor,
  type HealthOptions,
  type InstanceReport,
  type MonitorContext,
  type MonitorOptions,
} from './monitor.ts'
import { httpProbe, type Probe } from './probe.ts'
import { SlotRegistry, type Addressed, type SlotTable } from './slots.ts'

/** The part of a service's configuration that its checks need. */
export interface CheckedService extends Addressed {
  readonly instances: readonly { readonly url: InstanceUrl }[]
  /** How https instances are connected to. */
  readonly tls?: OutgoingTlsOptions | undefined
  readonly health: HealthOptions | false
  /** 'client', 'instance', or the Host to send. */
  readonly host: string
  /** The version of the PROXY protocol that its instances read. Default off. */
  readonly proxyProtocol?: ProxyVersion | 'off'
}

type InstanceUrl = Address & { readonly scheme: 'http' | 'https' }

type Services = Readonly<Record<string, CheckedService>>

/** What is known of a service's instances. */
export interface ServiceReport {
  readonly service: string
  readonly instances: readonly InstanceReport[]
}

/** The checks of a configuration that is to replace the one before. */
export interface PreparedHealth extends Prepared {
  /** For whoever picks instances by the same configuration. */
  readonly slots: SlotTable
  /**
   * Resolves when every instance that is added has been checked once, or after so many milliseconds; at once where nothing
   * is checked yet. Never rejects.
   */
  warm(patience: number): Promise<void>
}

/** One service as it is checked, by the addresses of its instances. */
interface Checked {
  readonly service: CheckedService
  readonly instances: ReadonlyMap<string, CheckedInstance>
}

interface CheckedInstance {
  readonly monitor: InstanceMonitor
  readonly options: MonitorOptions | false
}

/** Checks every instance of every service and writes what it finds on the board: one for the process, in its main thread. */
export class HealthChecker {
  private readonly context: MonitorContext
  private readonly slots: SlotRegistry
  /** By service name, in the order of the configuration. */
  private services: ReadonlyMap<string, Checked> = new Map()
  /** Those of a configuration that is not in effect yet. */
  private added: readonly InstanceMonitor[] = []
  private running = false

  constructor(context: Omit<MonitorContext, 'probe'> & { readonly probe?: Probe }) {
    this.context = { probe: httpProbe, ...context }
    this.slots = new SlotRegistry(context.board, context.clock)
  }

  /**
   * Resolved when each present instance has been checked once since it was added; each takes no longer than its timeout.
   * Pending until `start`; resolved by `stop`.
   */
  get firstRound(): Promise<void> {
    return checkedOnce(this.monitors)
  }

  /** Begins checking, every instance at once. */
  start(): void {
    this.running = true
    for (const monitor of this.monitors) monitor.start()
  }

  /** Ends checking for good and closes the connections of the checks under way. */
  stop(): void {
    this.running = false
    for (const monitor of [...this.monitors, ...this.added]) monitor.stop()
    this.slots.close()
  }

  /** Takes on the services of the first configuration. Returns their slots. */
  update(services: Services): SlotTable {
    const prepared = this.prepare(services, 0)
    prepared.commit()
    return prepared.slots
  }

  /**
   * Makes ready the checks of a new configuration: what it adds is checked from now on, and gets no requests before its
   * first check has passed. An instance that stays in its service keeps its slot and what is known of it; the slot of one
   * that is taken out says what it says for `rest` ms after the commit.
   *
   * Throws RangeError, and changes nothing, when there are fewer slots than instances that are new.
   */
  prepare(services: Services, rest: number): PreparedHealth {
    // With which the process begins: it is ready when they have been checked, and trusts them meanwhile.
    const state = this.running ? 'pending' : 'unknown'
    const prepared = this.slots.prepare(services, { state, rest })
    const { slots } = prepared
    const next = new Map(
      Object.entries(services).map(([name, service]) => [name, this.adopt(name, service, slots[name]!)]),
    )
    const known = new Set(this.monitors)
    const added = monitorsOf(next).filter((monitor) => !known.has(monitor))
    this.added = added
    if (this.running) for (const monitor of added) monitor.start()
    return {
      slots,
      warm: (patience) => (this.running ? this.within(patience, added) : Promise.resolve()),
      commit: () => {
        prepared.commit()
        for (const [name, checked] of next) configure(checked, this.services.get(name) ?? null)
        const kept = new Set(monitorsOf(next))
        for (const monitor of known) if (!kept.has(monitor)) monitor.stop()
        this.services = next
        this.added = []
      },
      abandon: () => {
        for (const monitor of added) monitor.stop()
        this.added = []
        prepared.abandon()
      },
    }
  }

  /** Checks the instances of a service by other options of TLS from now on. */
  exchangeTls(service: string, tls: OutgoingTlsOptions): void {
    for (const { monitor } of this.services.get(service)?.instances.values() ?? []) monitor.exchangeTls(tls)
  }

  /** What is known now, in the order of the configuration. */
  report(): readonly ServiceReport[] {
    return [...this.services].map(([service, { instances }]) => ({
      service,
      instances: Array.from(instances.values(), ({ monitor }) => monitor.report()),
    }))
  }

  private get monitors(): InstanceMonitor[] {
    return monitorsOf(this.services)
  }

  private adopt(name: string, service: CheckedService, slots: ReadonlyMap<string, number>): Checked {
    const before = this.services.get(name)?.instances
    const instances = new Map<string, CheckedInstance>()
    for (const { url } of service.instances) {
      const address = formatAddress(url)
      if (instances.has(address)) continue
      const options = optionsFor(service, url)
      const target = { service: name, address, host: url.host, port: url.port, slot: slots.get(address)! }
      const monitor = before?.get(address)?.monitor ?? new InstanceMonitor(target, options, this.context)
      instances.set(address, { monitor, options })
    }
    return { service, instances }
  }

  private within(patience: number, monitors: readonly InstanceMonitor[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.context.clock.after(Math.min(patience, LONGEST_DELAY), resolve)
    void checkedOnce(monitors).then(() => {
      cancel()
      resolve()
    })
    return promise
  }
}

/** Has the instances of a service checked as it says. */
function configure({ service, instances }: Checked, before: Checked | null): void {
  // Most of a configuration is what it was.
  if (before !== null && isDeepStrictEqual(before.service, service)) return
  for (const { monitor, options } of instances.values()) monitor.configure(options)
}

function optionsFor(
  { health, host, tls = {}, proxyProtocol = 'off' }: CheckedService,
  url: InstanceUrl,
): MonitorOptions | false {
  if (health === false) return false
  // There is no client whose Host could be passed on.
  const authority = host === 'client' || host === 'instance' ? formatAuthority(url) : host
  return { ...health, tls: url.scheme === 'https' ? tls : null, proxyProtocol, authority }
}

function monitorsOf(services: ReadonlyMap<string, Checked>): InstanceMonitor[] {
  return Array.from(services.values(), ({ instances }) =>
    Array.from(instances.values(), ({ monitor }) => monitor),
  ).flat()
}

async function checkedOnce(monitors: readonly InstanceMonitor[]): Promise<void> {
  await Promise.all(monitors.map((monitor) => monitor.checked))
}
