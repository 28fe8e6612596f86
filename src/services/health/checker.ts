import { present } from '../../core/present.ts'
import { isDeepStrictEqual } from 'node:util'
import { type Address, formatAddress, formatAuthority } from '../../core/address.ts'
import { MAX_DELAY } from '../../core/clock.ts'
import { TimeSlices, type SlicedWork, runToEnd } from '../../core/time-slices.ts'
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
  /** TLS options for https instances. */
  readonly tls?: OutgoingTlsOptions | undefined
  readonly health: HealthOptions | false
  /** 'client', 'instance', or a fixed Host value. */
  readonly host: string
  /** The version of the PROXY protocol to use. Default off. */
  readonly proxyProtocol?: ProxyVersion | 'off'
  /** Whether instances are reached over HTTP/2. Default false. */
  readonly http2?: boolean
}

type InstanceUrl = Address & { readonly scheme: 'http' | 'https' }

type Services = Readonly<Record<string, CheckedService>>

/** Health report of a service's instances. */
export interface ServiceReport {
  readonly service: string
  readonly instances: readonly InstanceReport[]
}

/** The checks of a configuration that is about to replace the current one. */
export interface PreparedHealth extends Prepared {
  /** For balancers of the same configuration. */
  readonly slots: SlotTable
  /**
   * Resolves when every added instance has been checked once, or after that many milliseconds; immediately if checking has not started.
   * Never rejects.
   */
  warm(timeout: number): Promise<void>
}

/** A service under health checking. */
interface Checked {
  readonly service: CheckedService
  /** By instance address. */
  readonly monitors: ReadonlyMap<string, InstanceMonitor>
}

/** A service as it should be checked. */
interface Wanted {
  readonly name: string
  readonly service: CheckedService
  /** By instance address. */
  readonly slots: ReadonlyMap<string, number>
}

/** What happens to one service. */
interface Planned {
  readonly name: string
  readonly service: CheckedService
  /** Its existing checks, if nothing has changed. */
  readonly existing: Checked | null
  /** By instance address, if its checks must be recreated. */
  readonly urls: ReadonlyMap<string, InstanceUrl>
}

const NO_URLS: Planned['urls'] = new Map()

/** The changes required by a configuration. */
interface Changes {
  readonly added: InstanceMonitor[]
  /** Actions deferred to the commit. */
  readonly commit: (() => void)[]
}

/** Checks every instance of every service and writes the results to the board: one per process, in its main thread. */
export class HealthChecker {
  private readonly context: MonitorContext
  private readonly slots: SlotRegistry
  /** By service name, in configuration order. */
  private services: ReadonlyMap<string, Checked> = new Map()
  /** Monitors of a configuration that is not in effect yet. */
  private added: readonly InstanceMonitor[] = []
  private running = false

  constructor(context: Omit<MonitorContext, 'probe' | 'pace'> & { readonly probe?: Probe }) {
    this.context = { probe, pace: new RecoveryPace(), ...context }
    this.slots = new SlotRegistry(context.board, context.clock)
  }

  /**
   * Resolves when every current instance has been checked once since it was added; each check is bounded by its timeout. Pending until
   * `start`; resolved by `stop`.
   */
  get firstRound(): Promise<void> {
    return checkedOnce(this.monitors)
  }

  /** Starts checking all instances immediately. */
  start(): void {
    this.running = true
    for (const monitor of this.monitors) monitor.start()
  }

  /** Stops checking for good and closes the connections of checks in progress. */
  stop(): void {
    this.running = false
    for (const monitor of [...this.monitors, ...this.added]) monitor.stop()
    this.slots.close()
  }

  /** Switches to these services immediately and returns their slots. Throws RangeError if there are not enough slots. */
  update(services: Services): SlotTable {
    const prepared = runToEnd(this.preparing(services, 0))
    prepared.commit()
    return prepared.slots
  }

  /**
   * Prepares the checks of a new configuration: added instances are checked from now on, and get no requests before their first check has
   * passed. An instance that stays in its service keeps its slot and state; the slot of a removed one keeps its state for `gracePeriod` ms after
   * the commit. Yields to other work.
   *
   * Rejects with a RangeError, and changes nothing, if there are fewer free slots than new instances.
   */
  async prepare(services: Services, gracePeriod: number): Promise<PreparedHealth> {
    return new TimeSlices(this.context.clock).run(this.preparing(services, gracePeriod))
  }

  /**
   * 1. Find the services that are new or have changed.
   * 2. Assign slots to all instances.
   * 3. Create the checks of those services, and start those of new instances.
   */
  private *preparing(services: Services, gracePeriod: number): SlicedWork<PreparedHealth> {
    const current = this.services
    // 1.
    const plan: Planned[] = []
    for (const [name, service] of Object.entries(services)) {
      const existing = current.get(name) ?? null
      if (existing !== null && isDeepStrictEqual(existing.service, service))
        plan.push({ name, service, existing, urls: NO_URLS })
      else plan.push({ name, service, existing: null, urls: urlsOf(service) })
      yield
    }
    // 2.
    const addresses = plan.map(({ name, existing, urls }) => [name, [...(existing?.monitors ?? urls).keys()]] as const)
    // At process start, instances are trusted until they have been checked; readiness waits for these checks.
    const state = this.running ? 'pending' : 'unknown'
    const prepared = this.slots.prepare(new Map(addresses), { state, gracePeriod })
    // 3.
    const next = new Map<string, Checked>()
    const changes: Changes = { added: [], commit: [] }
    this.added = changes.added
    for (const { name, service, existing, urls } of plan) {
      const wanted = { name, service, slots: present(prepared.slots[name], `slots of ${name}`) }
      next.set(name, existing ?? (yield* this.adopt(wanted, urls, changes)))
    }
    return this.prepared(prepared, next, changes)
  }

  private *adopt(
    { name, service, slots }: Wanted,
    urls: ReadonlyMap<string, InstanceUrl>,
    { added, commit }: Changes,
  ): SlicedWork<Checked> {
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
      warm: (timeout) => (this.running ? this.within(timeout, added) : Promise.resolve()),
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

  /** Applies new TLS options to the checks of a service's instances. */
  exchangeTls(service: string, tls: OutgoingTlsOptions): void {
    for (const monitor of this.services.get(service)?.monitors.values() ?? []) monitor.exchangeTls(tls)
  }

  /** The current state, in configuration order. */
  report(): readonly ServiceReport[] {
    return [...this.services].map(([service, { monitors }]) => ({
      service,
      instances: Array.from(monitors.values(), (monitor) => monitor.report()),
    }))
  }

  private get monitors(): InstanceMonitor[] {
    return monitorsOf(this.services)
  }

  private within(timeout: number, monitors: readonly InstanceMonitor[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.context.clock.after(Math.min(timeout, MAX_DELAY), resolve)
    void checkedOnce(monitors).then(() => {
      cancel()
      resolve()
    })
    return promise
  }
}

/** By address; of duplicates, the first one. */
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
  // There is no client whose Host header could be passed on.
  const authority = host === 'client' || host === 'instance' ? formatAuthority(url) : host
  return { ...health, tls: url.scheme === 'https' ? tls : null, proxyProtocol, http2, authority }
}

function monitorsOf(services: ReadonlyMap<string, Checked>): InstanceMonitor[] {
  return Array.from(services.values(), ({ monitors }) => [...monitors.values()]).flat()
}

function monitorsOnlyIn(one: ReadonlyMap<string, Checked>, other: ReadonlyMap<string, Checked>): InstanceMonitor[] {
  return [...one].flatMap(([name, { monitors }]) => {
    const others = other.get(name)?.monitors
    if (others === monitors) return []
    return [...monitors].flatMap(([address, monitor]) => (others?.get(address) === monitor ? [] : [monitor]))
  })
}

async function checkedOnce(monitors: readonly InstanceMonitor[]): Promise<void> {
  await Promise.all(monitors.map((monitor) => monitor.checked))
}
