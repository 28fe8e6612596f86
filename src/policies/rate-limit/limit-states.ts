import { GatewayError } from '../../core/errors.ts'
import type { Algorithm, Limit, Meter, Quota, QuotaState } from './meter.ts'
import type { LimitStoreName } from './limit-stores.ts'
import { defineTopic } from '../../core/threads.ts'
import { type AskedClient, namesUnder } from './client-name.ts'
import { NEAR } from './near-limits.ts'
import type { LimitStores } from './limit-stores.ts'

/** Where a client stands with one limit. */
export interface LimitState {
  /** The tier, with "@" and the id of the route where a route counts by itself. */
  readonly name: string
  readonly algorithm: Algorithm
  readonly store: LimitStoreName
  /** Null where the store could not be asked. */
  readonly quotas: readonly (Quota & QuotaState)[] | null
}

/** Where a client stands with each limit there is. Every thread knows the same ones. */
export const limitStatesTopic = defineTopic<AskedClient, LimitState[]>('limit-states')

/** A client near a limit, or over it. */
export interface NearClient extends LimitState {
  readonly client: AskedClient
  /** The name that it is counted under. */
  readonly countedAs: string
  readonly quotas: readonly (Quota & QuotaState)[]
  /** Requests that the thread has seen refused since it noticed the client. */
  readonly refused: number
  /** When the thread has seen it last, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
}

/** Asks each thread for the clients that it has seen, and that have used so much of 1 of a quota now. */
export const nearClientsTopic = defineTopic<number, NearClient[]>('near-clients')

/** The part of the quota that is used up which has least left: from 0 to 1. */
export function shareUsed(quotas: readonly (Quota & QuotaState)[]): number {
  return Math.max(0, ...quotas.map(({ limit, remaining }) => (limit - remaining) / limit))
}

/** Forgets what a client has used of every limit; false where a store could not be told. */
export const forgetClientTopic = defineTopic<AskedClient, boolean>('forget-client')

/** Answers `limitStatesTopic`. */
export async function limitStates(stores: LimitStores, client: AskedClient): Promise<LimitState[]> {
  const states = Array.from(stores.known, ({ limit, store, meter }) =>
    namesOf(client, limit).map(async (name) => ({
      name: limit.name,
      algorithm: limit.algorithm,
      store,
      quotas: await quotasOf(limit, meter, name),
    })),
  )
  return Promise.all(states.flat())
}

/** Answers `nearClientsTopic`; those whose time is over are forgotten. */
export async function nearClients(stores: LimitStores, share: number): Promise<NearClient[]> {
  const found = Array.from(stores.near.sightings, async (sighting) => {
    const known = stores.find(sighting.limit)
    const { client, name: countedAs, refused, at } = sighting
    const quotas = known === undefined ? null : await quotasOf(known.limit, known.meter, countedAs)
    if (known === undefined || (quotas !== null && shareUsed(quotas) * 100 < NEAR)) stores.near.forget(sighting)
    // Where the store cannot be asked, nobody knows.
    if (known === undefined || quotas === null || shareUsed(quotas) < share) return []
    const { limit, store } = known
    return [{ client, countedAs, name: limit.name, algorithm: limit.algorithm, store, quotas, refused, at }]
  })
  return (await Promise.all(found)).flat()
}

/** Answers `forgetClientTopic`. */
export async function forgetClient(stores: LimitStores, client: AskedClient): Promise<boolean> {
  const told = Array.from(stores.known, ({ limit, meter }) =>
    namesOf(client, limit).map(async (name) => meter.forget(name)),
  )
  return (await Promise.all(told.flat())).every(Boolean)
}

function namesOf({ kind, id }: AskedClient, { name }: Limit): string[] {
  return namesUnder(kind, id, name)
}

async function quotasOf({ quotas }: Limit, meter: Meter, client: string): Promise<LimitState['quotas']> {
  try {
    const decision = await meter.decide(client, 0)
    if (decision === null) return null
    return quotas.flatMap((quota, i) => {
      const state = decision.quotas[i]
      return state === undefined ? [] : [{ ...quota, ...state }]
    })
  } catch (error) {
    if (error instanceof GatewayError) return null
    throw error
  }
}
