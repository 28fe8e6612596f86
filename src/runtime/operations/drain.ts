import { z } from 'zod'
import { formatAddress } from '../../core/address.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { defineOperation } from '../../core/operation.ts'
import type { HealthBoard } from '../../services/health/board.ts'
import type { ServiceReport } from '../../services/health/checker.ts'
import type { HealthHistory } from '../../services/health/history.ts'
import type { SlotTable } from '../../services/health/slots.ts'
import type { ServiceOptions } from '../../services/service.ts'
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

/** Runs the operation in this gateway. Throws GatewayError 'not-found', or 'conflict' for the last usable instance. */
export function drainHere({ service, instance, drained, force }: Input, sources: DrainSources): Record<string, never> {
  const { board, history, log } = sources
  const slot = slotOf(service, instance, sources)
  if (drained && !force && isLast(service, instance, sources))
    throw new GatewayError(
      'conflict',
      `${instance} is the last usable instance of ${service}; to drain it anyway, use --force (by HTTP: ?force=true).`,
    )
  if (board.drained(slot) !== drained) history.record(service, instance, drained ? 'drained' : 'undrained', null)
  board.drain(slot, drained)
  log.warn(
    { service, instance },
    drained ? 'An operator has drained an instance' : 'An operator has undrained an instance',
  )
  return {}
}

function isLast(service: string, address: string, { board, slots, services }: DrainSources): boolean {
  const instances = services()[service]?.instances ?? []
  const weights = new Map(instances.map(({ url, weight }) => [formatAddress(url), weight]))
  const taking = [...(slots()[service] ?? [])].filter(([at, slot]) => board.usable(slot) && weights.get(at) !== 0)
  return taking.length === 1 && taking[0]?.[0] === address
}

function slotOf(service: string, address: string, { slots, report }: DrainSources): number {
  const services = report()
  const instances = services.find((each) => each.service === service)?.instances
  if (instances === undefined) throw unknownService(service, services)
  const slot = slots()[service]?.get(address)
  if (slot !== undefined) return slot
  const known = instances.map((each) => each.address).join(', ')
  throw new GatewayError('not-found', `"${address}" is not an instance of ${service}; its instances are ${known}.`)
}
