import { isIP } from 'node:net'
import { z } from 'zod'
import { GatewayError } from '../core/errors.ts'
import { algorithms, limitStores } from '../policies/rate-limit/meter.ts'
import { type AskedClient, forgetClientTopic, type LimitState, limitStatesTopic } from '../front/limit-states.ts'
import { clientKinds } from '../policies/rate-limit/client-name.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { rounded } from './rounded.ts'

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

/** GET and DELETE /limits/{client}: where a client stands with the limits, and a new start for it. */
export function limitEndpoints(app: AdminApp, { threads, log }: AdminContext): void {
  app.get(
    '/limits/:client',
    {
      schema: {
        summary: 'Where a client stands with the rate limits',
        tags: ['limits'],
        params,
        querystring: query,
        response: { 200: z.object({ limits: limit.array() }) },
      },
    },
    async ({ params: { client: asked }, query: { all } }) => {
      const states = oneOf(await threads.askAll(limitStatesTopic, asked))
      return { limits: states.filter((state) => all || isUsed(state)).map(describe) }
    },
  )

  app.delete(
    '/limits/:client',
    {
      schema: {
        summary: 'Forget what a client has used of its rate limits',
        tags: ['limits'],
        params,
        response: { 204: z.null().describe('Forgotten.') },
      },
    },
    async ({ params: { client: asked } }, reply) => {
      if (!oneOf(await threads.askAll(forgetClientTopic, asked)))
        throw new GatewayError('limits-unavailable', 'Redis could not be told: try again later.')
      log.warn({ client: `${asked.kind}:${asked.id}` }, 'An operator has reset the rate limits of a client')
      return reply.code(204).send(null)
    },
  )
}

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
