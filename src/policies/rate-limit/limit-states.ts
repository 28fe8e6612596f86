import { GatewayError } from '../../core/errors.ts'
import type { Algorithm, Limit, Meter, Quota, QuotaState } from './meter.ts'
import type { LimitStoreName } from './limit-stores.ts'
import { defineTopic } from '../../core/threads.ts'
import { type ClientKind, namesUnder } from './client-name.ts'
import type { LimitStores } from './limit-stores.ts'

/** Whose limits are asked for. */
export interface AskedClient {
  readonly kind: ClientKind
  /** Id of a user or of an API key, or an IP address. */
  readonly id: string
}

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
