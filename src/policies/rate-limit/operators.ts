import { isIP } from 'node:net'
import { z } from 'zod'
import { rounded } from '../../core/rounded.ts'
import { defineOperatorEndpoint } from '../operator-endpoint.ts'
import { GatewayError } from '../../core/errors.ts'
import { algorithms } from './meter.ts'
import { limitStores } from './limit-stores.ts'
import { type AskedClient, forgetClientTopic, type LimitState, limitStatesTopic } from './limit-states.ts'
import { clientKinds } from './client-name.ts'

const clientExpected = 'expected user:ID, key:ID, address:IP or an IP address'

const client = z
  .string()
  .transform((text, context): AskedClient => {
    if (isIP(text) > 0) return { kind: 'address', id: text }
    const at = text.indexOf(':')
    const kind = clientKinds.find((each) => each === text.slice(0, Math.max(at, 0)))
    const id = text.slice(at + 1)
    if (kind !== undefined && id !== '' && (kind !== 'address' || isIP(id) > 0)) return { kind, id }
    context.addIssue({ code: 'custom', message: clientExpected })
    return z.NEVER
  })
  .describe('user:42, key:partner, address:192.0.2.1 or 192.0.2.1.')

const quota = z.object({
  limit: z.int(),
  windowSeconds: z.number(),
  used: z.number(),
  remaining: z.number(),
  moreInSeconds: z.number().describe('Until more units are left.'),
  waitSeconds: z.number().describe('Until a request of cost 1 would be admitted; 0 where it would be now.'),
})

const limit = z.object({
  name: z.string().describe('The tier, with "@" and the id of the route where a route counts by itself.'),
  algorithm: z.enum(algorithms),
  store: z.enum(limitStores),
  quotas: quota.array().nullable().describe('Null where the store could not be asked.'),
})

const params = z.object({ client })
const query = z.object({
  all: z.stringbool().default(false).describe('Limits of which nothing is used, too.'),
})

/** GET /limits/{client}: where a client stands with the limits. */
export const showLimits = defineOperatorEndpoint({
  method: 'GET',
  path: '/limits/:client',
  summary: 'Where a client stands with the rate limits',
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

/** DELETE /limits/{client}: a new start for a client. */
export const forgetLimits = defineOperatorEndpoint({
  method: 'DELETE',
  path: '/limits/:client',
  summary: 'Forget what a client has used of its rate limits',
  tag: 'limits',
  params,
  status: 204,
  schema: z.null().describe('Forgotten.'),
  async answer({ params: { client: asked } }, { threads, log }) {
    if (!oneOf(await threads.askAll(forgetClientTopic, asked)))
      throw new GatewayError('limits-unavailable', 'Redis could not be told: try again later.')
    log.warn({ client: `${asked.kind}:${asked.id}` }, 'An operator has reset the rate limits of a client')
    return null
  },
})

/** Every worker has the same answer. */
function oneOf<Answer>([answer]: readonly Answer[]): Answer {
  if (answer !== undefined) return answer
  throw new GatewayError('too-busy', 'No worker has answered in time: try again later.')
}

function isUsed({ quotas }: LimitState): boolean {
  return quotas === null || quotas.some((each) => each.remaining < each.limit)
}

function describe({ quotas, ...state }: LimitState): z.input<typeof limit> {
  if (quotas === null) return { ...state, quotas }
  return {
    ...state,
    quotas: quotas.map((each) => ({
      limit: each.limit,
      windowSeconds: each.window / 1000,
      used: each.limit - each.remaining,
      remaining: each.remaining,
      moreInSeconds: rounded(each.reset / 1000),
      waitSeconds: rounded(each.wait / 1000),
    })),
  }
}
