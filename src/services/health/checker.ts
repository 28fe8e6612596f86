import { type Address, formatAddress, formatAuthority } from '../../core/address.ts'
import type { OutgoingTlsOptions } from '../../tls/outgoing.ts'
import type { ProxyVersion } from '../../proxy-protocol/written-header.ts'
import { InstanceMonitor, type HealthOptions, type InstanceReport, type MonitorContext } from './monitor.ts'
import { httpProbe, type Probe } from './probe.ts'
import { SlotRegistry, type Addressed, type SlotTable } from './slots.ts'

/** The part of a service's configuration that its checks need. */
export interface CheckedService extends Addressed {
  readonly instances: readonly { readonly url: Address & { readonly scheme: 'http' | 'https' } }[]
  /** How https instances are connected to. */
  readonly tls?: OutgoingTlsOptions | undefined
  readonly health: HealthOptions | false
  /** 'client', 'instance', or the Host to send. */
  readonly host: string
  /** The version of the PROXY protocol that its instances read. Default off. */
  readonly proxyProtocol?: ProxyVersion | 'off'
}

/** What is known of a service's instances. */
export interface ServiceReport {
  readonly service: string
  readonly instances: readonly InstanceReport[]
}

/** Checks every instance of every service and writes what it finds on the board: one for the process, in its main thread. */
export class HealthChecker {
  private readonly context: MonitorContext
  private readonly slots: SlotRegistry
  /** By service name, in the order of the configuration. */
  private monitors: ReadonlyMap<string, readonly InstanceMonitor[]> = new Map()
  private running = false

  constructor(context: Omit<MonitorContext, 'probe'> & { readonly probe?: Probe }) {
    this.context = { probe: httpProbe, ...context }
    this.slots = new SlotRegistry(context.board)
  }

  /**
   * Resolved when each present instance has been checked once since it was added; each takes no longer than its timeout.
   * Pending until `start`; resolved by `stop`.
   */
  get firstRound(): Promise<void> {
    return Promise.all(all(this.monitors).map((monitor) => monitor.checked)).then(() => undefined)
  }

  /** Begins checking, every instance at once. */
  start(): void {
    this.running = true
    for (const monitor of all(this.monitors)) monitor.start()
  }

  /** Ends checking for good and closes the connections of the checks under way. */
  stop(): void {
    this.running = false
    for (const monitor of all(this.monitors)) monitor.stop()
  }

  /**
   * Takes on the services of a new configuration; an instance that stays in its service keeps its slot and what is known
   * of it. Returns the slots, for whoever picks instances by the same configuration.
   * Throws RangeError, and changes nothing, when there are more instances than the board has slots.
   */
  update(services: Readonly<Record<string, CheckedService>>): SlotTable {
    const slots = this.slots.allot(services)
    const before = all(this.monitors)
    this.monitors = new Map(
      Object.entries(services).map(([name, service]) => [name, this.adopt(name, service, slots[name]!)]),
    )
    const kept = new Set(all(this.monitors))
    for (const monitor of before) if (!kept.has(monitor)) monitor.stop()
    return slots
  }

  /** Checks the instances of a service by other options of TLS from now on. */
  exchangeTls(service: string, tls: OutgoingTlsOptions): void {
    for (const monitor of this.monitors.get(service) ?? []) monitor.exchangeTls(tls)
  }

  /** What is known now, in the order of the configuration. */
  report(): readonly ServiceReport[] {
    return [...this.monitors].map(([service, monitors]) => ({
      service,
      instances: monitors.map((monitor) => monitor.report()),
    }))
  }

  private adopt(
    service: string,
    { instances, health, host, tls = {}, proxyProtocol = 'off' }: CheckedService,
    slots: SlotTable[string],
  ): InstanceMonitor[] {
    const before = this.monitors.get(service) ?? []
    const monitors = new Map<string, InstanceMonitor>()
    for (const { url } of instances) {
      const address = formatAddress(url)
      if (monitors.has(address)) continue
      // There is no client whose Host could be passed on.
      const authority = host === 'client' || host === 'instance' ? formatAuthority(url) : host
      const connection = { tls: url.scheme === 'https' ? tls : null, proxyProtocol }
      const options = health === false ? false : { ...health, ...connection, authority }
      const target = { service, address, host: url.host, port: url.port, slot: slots.get(address)! }
      const monitor =
        before.find((known) => known.target.address === address) ?? new InstanceMonitor(target, options, this.context)
      monitor.configure(options)
      if (this.running) monitor.start()
      monitors.set(address, monitor)
    }
    return [...monitors.values()]
  }
}

function all(monitors: ReadonlyMap<string, readonly InstanceMonitor[]>): InstanceMonitor[] {
  return [...monitors.values()].flat()
}
