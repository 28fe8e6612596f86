import { z } from 'zod'
import { formatAddress } from '../../core/address.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { defineOperation } from '../../core/operation.ts'
import type { HealthBoard } from '../../services/health/board.ts'
import type { ServiceReport } from '../../services/health/checker.ts'
import type { HealthHistory } from '../../services/health/history.ts'
import type { SlotTable } from '../../services/health/slots.ts'
import type { ServiceOptions } from '../../services/service-options.ts'
import { unknownService } from './unknown-service.ts'

const name = z.string().min(1).max(1024)

/** Drains or undrains an instance. */
export const drain = defineOperation({
  name: 'drain',
  arguments: z.strictObject({
    service: name,
    /** Host and port. */
    instance: name,
    drained: z.boolean(),
    /** Drain it even if no other instance is usable. */
    force: z.boolean(),
  }),
  result: z.strictObject({}),
})

type Input = z.output<typeof drain.arguments>

/** Lists the instances that are drained in a gateway. */
export const drained = defineOperation({
  name: 'drained',
  readsOnly: true,
  arguments: z.strictObject({}),
  result: z.object({ instances: z.object({ service: name, instance: name }).array() }),
})

type Drained = z.output<typeof drained.result>

/** The instance state of a gateway. */
export interface DrainSources {
  readonly board: HealthBoard
  readonly slots: () => SlotTable
  readonly services: () => Readonly<Record<string, Pick<ServiceOptions, 'instances'>>>
  readonly report: () => readonly ServiceReport[]
  /** Records the transition. */
  readonly history: Pick<HealthHistory, 'record'>
  readonly log: Logger
}

/** The instances that are drained in this gateway. */
export class Drains {
  private readonly sources: DrainSources
  /** What operators have drained or undrained here. */
  private readonly decided = new Set<string>()

  constructor(sources: DrainSources) {
    this.sources = sources
  }

  /** Drains or undrains an instance for an operator. Throws GatewayError 'not-found', or 'conflict' for the last usable instance. */
  change({ service, instance, drained: isDrained, force }: Input): Record<string, never> {
    const { sources } = this
    const { board, history, log } = sources
    const slot = slotOf(service, instance, sources)
    if (isDrained && !force && isLast(service, instance, sources))
      throw new GatewayError(
        'conflict',
        `${instance} is the last usable instance of ${service}; to drain it anyway, use --force (by HTTP: ?force=true).`,
      )
    this.decided.add(keyOf(service, instance))
    if (board.drained(slot) !== isDrained) history.record(service, instance, isDrained ? 'drained' : 'undrained', null)
    board.drain(slot, isDrained)
    log.warn(
      { service, instance },
      isDrained ? 'An operator has drained an instance' : 'An operator has undrained an instance',
    )
    return {}
  }

  list(): Drained {
    const { board, slots } = this.sources
    const instances = Object.entries(slots()).flatMap(([service, addresses]) =>
      [...addresses].flatMap(([instance, slot]) => (board.drained(slot) ? [{ service, instance }] : [])),
    )
    return { instances }
  }

  /** Drains what is drained in another gateway, unless an operator has decided otherwise here meanwhile. */
  adopt({ instances }: Drained): void {
    const { board, slots, history, log } = this.sources
    for (const { service, instance } of instances) {
      const slot = slots()[service]?.get(instance)
      if (slot === undefined || board.drained(slot) || this.decided.has(keyOf(service, instance))) continue
      board.drain(slot, true)
      history.record(service, instance, 'drained', null)
      log.warn({ service, instance }, 'An instance is drained, as it is in another gateway')
    }
  }
}

function keyOf(service: string, instance: string): string {
  return JSON.stringify([service, instance])
}

function isLast(service: string, address: string, { board, slots, services }: DrainSources): boolean {
  const instances = services()[service]?.instances ?? []
  const weights = new Map(instances.map(({ url, weight }) => [formatAddress(url), weight]))
  const taking = [...(slots()[service] ?? [])].filter(([at, slot]) => board.usable(slot) && weights.get(at) !== 0)
  return taking.length === 1 && taking[0]?.[0] === address
}

function slotOf(service: string, address: string, { slots, report }: DrainSources): number {
  const slot = slots()[service]?.get(address)
  if (slot !== undefined) return slot
  const services = report()
  const instances = services.find((each) => each.service === service)?.instances
  if (instances === undefined) throw unknownService(service, services)
  const known = instances.map((each) => each.address).join(', ')
  throw new GatewayError('not-found', `"${address}" is not an instance of ${service}; its instances are ${known}.`)
}
