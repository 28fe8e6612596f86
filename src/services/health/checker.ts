import { present } from '../../core/present.ts'
import { isDeepStrictEqual } from 'node:util'
import { type Address, formatAddress, formatAuthority } from '../../core/address.ts'
import { LONGEST_DELAY } from '../../core/clock.ts'
import { Slices, type Steps, takeAll } from '../../core/slices.ts'
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
import type { Probe } from './probe.ts'
import { probe } from './probes.ts'
import { RecoveryPace } from './recovery-pace.ts'
import { SlotRegistry, type Addressed, type PreparedSlots, type SlotTable } from './slots.ts'

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
  /** They are asked over HTTP/2. Default false. */
  readonly http2?: boolean
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

/** One service as it is checked. */
interface Checked {
  readonly service: CheckedService
  /** By the addresses of its instances. */
  readonly monitors: ReadonlyMap<string, InstanceMonitor>
}

/** One service as it is to be checked. */
interface Wanted {
  readonly name: string
  readonly service: CheckedService
  /** By the addresses of its instances. */
  readonly slots: ReadonlyMap<string, number>
}

/** What becomes of one service. */
interface Planned {
  readonly name: string
  readonly service: CheckedService
  /** As it is checked already, where nothing is different. */
  readonly kept: Checked | null
  /** By their addresses, where it is to be checked anew. */
  readonly urls: ReadonlyMap<string, InstanceUrl>
}

const NO_URLS: Planned['urls'] = new Map()

/** What a configuration changes. */
interface Changes {
  readonly added: InstanceMonitor[]
  /** What is left for the commit. */
  readonly commit: (() => void)[]
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

  constructor(context: Omit<MonitorContext, 'probe' | 'pace'> & { readonly probe?: Probe }) {
    this.context = { probe, pace: new RecoveryPace(), ...context }
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

  /** Takes on the services at once. Returns their slots. Throws RangeError when there are not enough. */
  update(services: Services): SlotTable {
    const prepared = takeAll(this.preparing(services, 0))
    prepared.commit()
    return prepared.slots
  }

  /**
   * Makes ready the checks of a new configuration: what it adds is checked from now on, and gets no requests before its
   * first check has passed. An instance that stays in its service keeps its slot and what is known of it; the slot of one
   * that is taken out says what it says for `rest` ms after the commit. Everything else has its turn meanwhile.
   *
   * Rejects with a RangeError, and changes nothing, when there are fewer slots than instances that are new.
   */
  async prepare(services: Services, rest: number): Promise<PreparedHealth> {
    return new Slices(this.context.clock).take(this.preparing(services, rest))
  }

  /**
   * 1. Finds the services that are new, or others than before.
   * 2. Has slots for all instances.
   * 3. Makes the checks of those services, and begins with those of new instances.
   */
  private *preparing(services: Services, rest: number): Steps<PreparedHealth> {
    const current = this.services
    // 1.
    const plan: Planned[] = []
    for (const [name, service] of Object.entries(services)) {
      const kept = current.get(name) ?? null
      if (kept !== null && isDeepStrictEqual(kept.service, service)) plan.push({ name, service, kept, urls: NO_URLS })
      else plan.push({ name, service, kept: null, urls: urlsOf(service) })
      yield
    }
    // 2.
    const addresses = plan.map(({ name, kept, urls }) => [name, [...(kept?.monitors ?? urls).keys()]] as const)
    // With which the process begins: it is ready when they have been checked, and trusts them meanwhile.
    const state = this.running ? 'pending' : 'unknown'
    const prepared = this.slots.prepare(new Map(addresses), { state, rest })
    // 3.
    const next = new Map<string, Checked>()
    const changes: Changes = { added: [], commit: [] }
    this.added = changes.added
    for (const { name, service, kept, urls } of plan) {
      const wanted = { name, service, slots: present(prepared.slots[name], `slots of ${name}`) }
      next.set(name, kept ?? (yield* this.adopt(wanted, urls, changes)))
    }
    return this.prepared(prepared, next, changes)
  }

  private *adopt(
    { name, service, slots }: Wanted,
    urls: ReadonlyMap<string, InstanceUrl>,
    { added, commit }: Changes,
  ): Steps<Checked> {
    const before = this.services.get(name)?.monitors
    const monitors = new Map<string, InstanceMonitor>()
    for (const [address, url] of urls) {
      const options = optionsFor(service, url)
      const known = before?.get(address)
      const target = {
        service: name,
        address,
        host: url.host,
        port: url.port,
        slot: present(slots.get(address), `slot of ${address}`),
      }
      const monitor = known ?? new InstanceMonitor(target, options, this.context)
      monitors.set(address, monitor)
      if (known === undefined) added.push(monitor)
      if (known === undefined && this.running) monitor.start()
      if (!monitor.goesBy(options)) commit.push(() => monitor.configure(options))
      yield
    }
    return { service, monitors }
  }

  private prepared(prepared: PreparedSlots, next: ReadonlyMap<string, Checked>, changes: Changes): PreparedHealth {
    const { added } = changes
    return {
      slots: prepared.slots,
      warm: (patience) => (this.running ? this.within(patience, added) : Promise.resolve()),
      commit: () => {
        prepared.commit()
        for (const change of changes.commit) change()
        for (const monitor of monitorsOnlyIn(this.services, next)) monitor.stop()
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
    for (const monitor of this.services.get(service)?.monitors.values() ?? []) monitor.exchangeTls(tls)
  }

  /** What is known now, in the order of the configuration. */
  report(): readonly ServiceReport[] {
    return [...this.services].map(([service, { monitors }]) => ({
      service,
      instances: Array.from(monitors.values(), (monitor) => monitor.report()),
    }))
  }

  private get monitors(): InstanceMonitor[] {
    return monitorsOf(this.services)
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

/** By their addresses; of those that are named twice the first one. */
function urlsOf({ instances }: CheckedService): ReadonlyMap<string, InstanceUrl> {
  const urls = new Map<string, InstanceUrl>()
  for (const { url } of instances) {
    const address = formatAddress(url)
    if (!urls.has(address)) urls.set(address, url)
  }
  return urls
}

function optionsFor(
  { health, host, tls = {}, proxyProtocol = 'off', http2 = false }: CheckedService,
  url: InstanceUrl,
): MonitorOptions | false {
  if (health === false) return false
  // There is no client whose Host could be passed on.
  const authority = host === 'client' || host === 'instance' ? formatAuthority(url) : host
  return { ...health, tls: url.scheme === 'https' ? tls : null, proxyProtocol, http2, authority }
}

function monitorsOf(services: ReadonlyMap<string, Checked>): InstanceMonitor[] {
  return Array.from(services.values(), ({ monitors }) => [...monitors.values()]).flat()
}

function monitorsOnlyIn(one: ReadonlyMap<string, Checked>, other: ReadonlyMap<string, Checked>): InstanceMonitor[] {
  return [...one].flatMap(([name, { monitors }]) => {
    const kept = other.get(name)?.monitors
    if (kept === monitors) return []
    return [...monitors].flatMap(([address, monitor]) => (kept?.get(address) === monitor ? [] : [monitor]))
  })
}

async function checkedOnce(monitors: readonly InstanceMonitor[]): Promise<void> {
  await Promise.all(monitors.map((monitor) => monitor.checked))
}
