import { isIP } from 'node:net'
import { z } from 'zod'
import { defineOperation, replicasShape, replicasOf } from '../../core/operation.ts'
import { rounded } from '../../core/rounded.ts'
import { defineOperatorEndpoint, type OperationTools } from '../operator-endpoint.ts'
import { GatewayError } from '../../core/errors.ts'
import { algorithms, type Quota, type QuotaState } from './meter.ts'
import { limitStores } from './limit-stores.ts'
import {
  forgetClientTopic,
  type LimitState,
  limitStatesTopic,
  type NearClient,
  nearClientsTopic,
  shareUsed,
} from './limit-states.ts'
import { type ClientIdentity, clientKinds } from './client-name.ts'
import { NEAR } from './near-limits.ts'

const clientExpected = 'expected user:ID, key:ID, address:IP or an IP address'

/** How IPv6 clients are counted, and named. */
const NETWORK = /^([\da-f:]+)\/64$/i

const client = z
  .string()
  .transform((text, context): ClientIdentity => {
    const address = text.replace(/^address:/, '').replace(NETWORK, '$1')
    if (isIP(address) > 0) return { kind: 'address', id: address }
    const at = text.indexOf(':')
    const kind = clientKinds.find((each) => each === text.slice(0, Math.max(at, 0)))
    const id = text.slice(at + 1)
    if (kind !== undefined && id !== '' && kind !== 'address') return { kind, id }
    context.addIssue({ code: 'custom', message: clientExpected })
    return z.NEVER
  })
  .describe('user:42, key:partner, address:192.0.2.1 or 192.0.2.1.')

const quota = z.object({
  limit: z.int(),
  windowSeconds: z.number(),
  used: z.number(),
  remaining: z.number(),
  moreInSeconds: z.number().describe('Seconds until more units are available.'),
  waitSeconds: z.number().describe('Seconds until a request of cost 1 would be admitted; 0 if it would be now.'),
})

export const limit = z.object({
  name: z.string().describe('The tier, with "@" and the ID of the route if the route has its own count.'),
  algorithm: z.enum(algorithms),
  store: z.enum(limitStores),
  quotas: quota.array().nullable().describe('Null if the store did not answer.'),
})

const params = z.object({ client })
const query = z.object({
  all: z.stringbool().default(false).describe('Include limits of which nothing is used.'),
})

export const limited = z.object({
  client: z.string().describe('In the form of /limits/{client}: user:42, key:partner or address:192.0.2.1.'),
  limit: z.string().describe('The tier, with "@" and the ID of the route if the route has its own count.'),
  algorithm: z.enum(algorithms),
  store: z.enum(limitStores),
  share: z.number().describe('Used fraction of the quota with the least left, up to 1.'),
  limited: z.boolean().describe('Whether a request of cost 1 would be refused now.'),
  refused: z.int().describe('Requests that this gateway has refused since it noticed the client.'),
  lastSeenAt: z.iso.datetime().describe('When its last request near or over the limit came.'),
  quotas: quota.array(),
})

/** GET /limits: the clients near or over their limits. */
export const listLimited = defineOperatorEndpoint({
  method: 'GET',
  path: '/limits',
  summary: 'The clients near or over their rate limits, those with the least left first',
  description:
    'Only clients that this gateway has seen: each worker remembers about 500 of them. If limits are counted in Redis, their usage ' +
    'includes what all gateways have counted.',
  tag: 'limits',
  query: z.object({
    above: z.coerce
      .number()
      .min(NEAR / 100)
      .max(1)
      .default(NEAR / 100)
      .describe('Minimum used fraction of a quota, from 0.8 to 1; 1 lists those that have nothing left. Default 0.8.'),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(100)
      .describe('Maximum number of clients to return, 1 to 1000. Default 100.'),
  }),
  status: 200,
  schema: z.object({
    clients: limited.array(),
    more: z.int().describe('Number of further clients that are left out.'),
  }),
  async answer({ query: { above, limit: most } }, { threads }) {
    const all = together((await threads.askAll(nearClientsTopic, above)).flat())
    const clients = all.toSorted((a, b) => b.share - a.share || b.refused - a.refused).slice(0, most)
    return { clients, more: all.length - clients.length }
  },
})

/** Merges the sightings of workers, which see different requests of a client but the same counts. */
function together(seen: readonly NearClient[]): z.input<typeof limited>[] {
  const groups = Map.groupBy(seen, ({ store, name, algorithm, countedAs, quotas }) =>
    JSON.stringify([store, name, algorithm, quotas.map(({ limit: units, window }) => [units, window]), countedAs]),
  )
  return Array.from(groups.values(), (group) => {
    const newest = group.reduce((one, other) => (other.at > one.at ? other : one))
    const { client: identity, name, algorithm, store, quotas } = newest
    return {
      client: `${identity.kind}:${identity.id}`,
      limit: name,
      algorithm,
      store,
      share: Math.floor(shareUsed(quotas) * 1000) / 1000,
      limited: quotas.some(({ remaining }) => remaining < 1),
      refused: group.reduce((sum, { refused }) => sum + refused, 0),
      lastSeenAt: new Date(newest.at).toISOString(),
      quotas: quotas.map(describeQuota),
    }
  })
}

/** GET /limits/{client}: the state of a client under all limits. */
export const showLimits = defineOperatorEndpoint({
  method: 'GET',
  path: '/limits/:client',
  summary: 'What a client has used of its rate limits',
  tag: 'limits',
  params,
  query,
  status: 200,
  schema: z.object({ limits: limit.array() }),
  async answer({ params: { client: asked }, query: { all } }, { threads }) {
    const states = oneOf(await threads.askAll(limitStatesTopic, asked))
    return { limits: states.filter((state) => all || isUsed(state)).map(describe) }
  },
})

/** Has gateways reset what a client has used. */
export const forgetLimitsOperation = defineOperation({
  name: 'forget-limits',
  arguments: z.strictObject({ kind: z.enum(clientKinds), id: z.string().min(1).max(1024) }),
  result: z.strictObject({}),
})

/** Does this in this gateway. Rejects with GatewayError 'limits-unavailable' if a store is unavailable. */
export async function forgetHere(
  identity: ClientIdentity,
  { threads, log }: OperationTools,
): Promise<Record<string, never>> {
  if (!oneOf(await threads.askAll(forgetClientTopic, identity)))
    throw new GatewayError(
      'limits-unavailable',
      'Redis could not be reached, so the counts in it were not reset, and other gateways were not informed: try again later.',
    )
  log.warn({ client: `${identity.kind}:${identity.id}` }, 'An operator has reset the rate limits of a client')
  return {}
}

/** DELETE /limits/{client}: resets a client. */
export const forgetLimits = defineOperatorEndpoint({
  method: 'DELETE',
  role: 'operator',
  path: '/limits/:client',
  summary: 'Reset the rate limits of a client',
  tag: 'limits',
  params,
  status: 200,
  schema: z.object(replicasShape),
  async answer({ params: { client: asked } }, { everywhere }) {
    return replicasOf(await everywhere(forgetLimitsOperation, asked))
  },
})

/** All workers give the same answer. */
function oneOf<Answer>([answer]: readonly Answer[]): Answer {
  if (answer !== undefined) return answer
  throw new GatewayError('too-busy', 'No worker has answered in time: try again later.')
}

function isUsed({ quotas }: LimitState): boolean {
  return quotas === null || quotas.some((each) => each.remaining < each.limit)
}

function describe({ quotas, ...state }: LimitState): z.input<typeof limit> {
  if (quotas === null) return { ...state, quotas }
  return { ...state, quotas: quotas.map(describeQuota) }
}

function describeQuota({ limit: units, window, remaining, reset, wait }: Quota & QuotaState): z.input<typeof quota> {
  return {
    limit: units,
    windowSeconds: window / 1000,
    used: units - remaining,
    remaining,
    moreInSeconds: rounded(reset / 1000),
    waitSeconds: rounded(wait / 1000),
  }
}
