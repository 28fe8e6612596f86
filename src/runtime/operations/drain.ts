import { z } from 'zod'
import { formatAddress } from '../../core/address.ts'
import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { defineOperation } from '../../core/operation.ts'
import type { HealthBoard } from '../../services/health/board.ts'
import type { ServiceReport } from '../../services/health/checker.ts'
import type { HealthHistory } from '../../services/health/history.ts'
import type { SlotTable } from '../../services/health/slots.ts'
import type { ServiceOptions } from '../../services/service-options.ts'
import { unknownService } from './unknown-service.ts'

/** Maximum number of orders that a gateway passes on: they have to fit into one message. */
const PASSED_ON = 256
/** The latest time that a Date can have, in milliseconds. */
const LATEST = 8.64e15

const name = z.string().min(1).max(1024)

const order = z.strictObject({
  service: name,
  /** Host and port. */
  instance: name,
  drained: z.boolean(),
  /** Drain it even if no other instance is usable. */
  force: z.boolean(),
  /** When it was given, in wall-clock milliseconds: added by the gateway that an operator has asked. */
  at: z.int().min(0).max(LATEST).optional(),
})

const datedOrder = order.required()

type Order = z.output<typeof order>
type DatedOrder = z.output<typeof datedOrder>

/** Drains or undrains an instance. */
export const drain = defineOperation({ name: 'drain', arguments: order, result: z.strictObject({}) })

/** Lists what operators have ordered last, for gateways that were not connected then. */
export const drainOrders = defineOperation({
  name: 'drain-orders',
  readsOnly: true,
  arguments: z.strictObject({}),
  result: z.object({ orders: datedOrder.array() }),
})

/** The instance state of a gateway. */
export interface DrainSources {
  readonly board: HealthBoard
  readonly slots: () => SlotTable
  readonly services: () => Readonly<Record<string, Pick<ServiceOptions, 'instances'>>>
  readonly report: () => readonly ServiceReport[]
  /** Records the transition. */
  readonly history: Pick<HealthHistory, 'record'>
  readonly clock: Clock
  readonly log: Logger
}

/** The instances that are drained in this gateway. The newest order counts, whenever it arrives. */
export class Drains {
  private readonly sources: DrainSources
  /** The newest order for each instance. */
  private orders = new Map<string, DatedOrder>()

  constructor(sources: DrainSources) {
    this.sources = sources
  }

  /** The order of an operator with its time: later than any that is known here, even if the clock of another gateway is ahead. */
  date(given: Order): DatedOrder {
    const known = this.orders.get(keyOf(given))
    return { ...given, at: Math.max(this.sources.clock.wall(), (known?.at ?? 0) + 1) }
  }

  /** Does what an operator has ordered. Throws GatewayError 'not-found', or 'conflict' for the last usable instance. */
  change(given: Order): Record<string, never> {
    const { service, instance, drained } = given
    const slot = slotOf(given, this.sources)
    const dated = { ...given, at: given.at ?? this.date(given).at }
    if (!this.isNewest(dated)) return {}
    if (isLast(given, this.sources))
      throw new GatewayError(
        'conflict',
        `${instance} is the last usable instance of ${service}; to drain it anyway, use --force (by HTTP: ?force=true).`,
      )
    this.apply(slot, dated)
    const { log } = this.sources
    log.warn(
      { service, instance },
      drained ? 'An operator has drained an instance' : 'An operator has undrained an instance',
    )
    return {}
  }

  list(): z.output<typeof drainOrders.result> {
    const standing = [...this.orders.values()].filter((each) => this.stands(each))
    // A drain that is not passed on does more harm than an undrain, which only concerns gateways that were away.
    const sorted = standing.toSorted((a, b) => Number(b.drained) - Number(a.drained) || b.at - a.at)
    return { orders: sorted.slice(0, PASSED_ON) }
  }

  /** Does what operators have ordered in another gateway, unless it is older than what is known here. */
  adopt({ orders }: z.output<typeof drainOrders.result>): void {
    const { slots, log } = this.sources
    for (const each of orders) {
      const { service, instance, drained } = each
      const slot = slots()[service]?.get(instance)
      if (slot === undefined || !this.isNewest(each)) continue
      if (isLast(each, this.sources)) {
        log.warn({ service, instance }, 'An instance that is drained in another gateway is the last usable one here')
        continue
      }
      if (this.apply(slot, each))
        log.warn(
          { service, instance },
          drained
            ? 'An instance is drained, as it is in another gateway'
            : 'An instance is undrained, as it is in another gateway',
        )
    }
  }

  /** Returns whether that changes anything. */
  private apply(slot: number, dated: DatedOrder): boolean {
    const { board, history } = this.sources
    const { service, instance, drained } = dated
    const isNews = board.drained(slot) !== drained
    if (isNews) history.record(service, instance, drained ? 'drained' : 'undrained', null)
    board.drain(slot, drained)
    this.orders = new Map([...this.orders].filter(([, each]) => this.stands(each)))
    this.orders.set(keyOf(dated), dated)
    return isNews
  }

  private isNewest(dated: DatedOrder): boolean {
    const known = this.orders.get(keyOf(dated))
    return known === undefined || dated.at > known.at
  }

  /** Whether the instance is still what the order says: one that is removed and added again is not drained. */
  private stands({ service, instance, drained }: DatedOrder): boolean {
    const { board, slots } = this.sources
    const slot = slots()[service]?.get(instance)
    return slot !== undefined && board.drained(slot) === drained
  }
}

function keyOf({ service, instance }: Order): string {
  return JSON.stringify([service, instance])
}

/** Whether the order drains the last usable instance without being told to. */
function isLast({ service, instance, drained, force }: Order, { board, slots, services }: DrainSources): boolean {
  if (!drained || force) return false
  const instances = services()[service]?.instances ?? []
  const weights = new Map(instances.map(({ url, weight }) => [formatAddress(url), weight]))
  const taking = [...(slots()[service] ?? [])].filter(([at, slot]) => board.usable(slot) && weights.get(at) !== 0)
  return taking.length === 1 && taking[0]?.[0] === instance
}

function slotOf({ service, instance }: Order, { slots, report }: DrainSources): number {
  const slot = slots()[service]?.get(instance)
  if (slot !== undefined) return slot
  const services = report()
  const instances = services.find((each) => each.service === service)?.instances
  if (instances === undefined) throw unknownService(service, services)
  const known = instances.map((each) => each.address).join(', ')
  throw new GatewayError('not-found', `"${instance}" is not an instance of ${service}; its instances are ${known}.`)
}
