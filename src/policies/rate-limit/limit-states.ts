import { GatewayError } from '../../core/errors.ts'
import type { Algorithm, Limit, Meter, Quota, QuotaState } from './meter.ts'
import type { LimitStoreName } from './limit-stores.ts'
import { defineTopic } from '../../core/threads.ts'
import { type ClientIdentity, namesUnder } from './client-name.ts'
import { NEAR } from './near-limits.ts'
import type { LimitStores } from './limit-stores.ts'

/** The state of a client under one limit. */
export interface LimitState {
  /** The tier, followed by "@" and the id of the route if the route has its own counts. */
  readonly name: string
  readonly algorithm: Algorithm
  readonly store: LimitStoreName
  /** Null if the store is unavailable. */
  readonly quotas: readonly (Quota & QuotaState)[] | null
}

/** The state of a client under every limit. All threads give the same result. */
export const limitStatesTopic = defineTopic<ClientIdentity, LimitState[]>('limit-states')

/** A client that is near or over a limit. */
export interface NearClient extends LimitState {
  readonly client: ClientIdentity
  /** The name under which it is counted. */
  readonly countedAs: string
  readonly quotas: readonly (Quota & QuotaState)[]
  /** Requests of the client refused by the thread since it noticed the client. */
  readonly refused: number
  /** When the thread last saw it, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
}

/** Asks each thread for the clients that it has seen and that have used at least that fraction (0 to 1) of a quota. */
export const nearClientsTopic = defineTopic<number, NearClient[]>('near-clients')

/** The used fraction, from 0 to 1, of the quota that is most exhausted. */
export function shareUsed(quotas: readonly (Quota & QuotaState)[]): number {
  return Math.max(0, ...quotas.map(({ limit, remaining }) => (limit - remaining) / limit))
}

/** Resets what a client has used of every limit; false if a store is unavailable. */
export const forgetClientTopic = defineTopic<ClientIdentity, boolean>('forget-client')

/** Answers `limitStatesTopic`. */
export async function limitStates(stores: LimitStores, client: ClientIdentity): Promise<LimitState[]> {
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

/** Answers `nearClientsTopic`; expired sightings are dropped. */
export async function nearClients(stores: LimitStores, share: number): Promise<NearClient[]> {
  const found = Array.from(stores.near.entries, async (sighting) => {
    const known = stores.find(sighting.limit)
    const { client, name: countedAs, refused, at } = sighting
    const quotas = known === undefined ? null : await quotasOf(known.limit, known.meter, countedAs)
    if (known === undefined || (quotas !== null && shareUsed(quotas) * 100 < NEAR)) stores.near.forget(sighting)
    // Unknown if the store is unavailable.
    if (known === undefined || quotas === null || shareUsed(quotas) < share) return []
    const { limit, store } = known
    return [{ client, countedAs, name: limit.name, algorithm: limit.algorithm, store, quotas, refused, at }]
  })
  return (await Promise.all(found)).flat()
}

/** Answers `forgetClientTopic`. */
export async function forgetClient(stores: LimitStores, client: ClientIdentity): Promise<boolean> {
  const forgotten = Array.from(stores.known, ({ limit, meter }) =>
    namesOf(client, limit).map(async (name) => meter.forget(name)),
  )
  return (await Promise.all(forgotten.flat())).every(Boolean)
}

function namesOf({ kind, id }: ClientIdentity, { name }: Limit): string[] {
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
