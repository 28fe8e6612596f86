import { isIP } from 'node:net'
import { z } from 'zod'
import { isToken } from '../core/field.ts'
import { GatewayError } from '../core/errors.ts'
import { Semaphore } from '../core/semaphore.ts'
import {
  type Explanation,
  explainTopic,
  origins,
  type Question,
  readAskedUrl,
  verdicts,
} from '../front/explain/explanation.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'

/** Maximum number of questions in progress or waiting: each compiles the chain of a route. */
const WAITING = 8

const urlExpected = 'expected https://host/path, http://host/path, or /path'

const question = z.strictObject({
  method: z.string().refine(isToken, 'expected a method such as GET').default('GET'),
  url: z
    .string()
    .refine((url) => readAskedUrl(url) !== null, urlExpected)
    .describe('An http or https URL, or only path and query.'),
  headers: z
    .record(z.string().refine(isToken, 'expected the name of a header'), z.union([z.string(), z.string().array()]))
    .default({})
    .describe('Headers, each with its value, or a list of values.'),
  body: z.string().optional().describe('Body of the request; its Content-Type is one of the headers. Default none.'),
  from: z
    .string()
    .refine((address) => isIP(address) !== 0, 'expected an IP address')
    .default('127.0.0.1')
    .describe('IP address of the client.'),
  listener: z
    .string()
    .optional()
    .describe('Listener that receives the request. Default: the first one for the scheme.'),
  as: z
    .strictObject({
      id: z.string().min(1),
      roles: z.string().array().default([]),
      scopes: z.string().array().default([]),
      tier: z.string().default('authenticated'),
      key: z.string().nullable().default(null).describe('ID of the API key; null for none.'),
    })
    .optional()
    .describe('Consumer to act as, without credentials. Default: the one that its headers authenticate.'),
  worker: z.int().min(0).optional().describe('Worker to ask; each has its own cache. Default any.'),
})

const changes = z.object({ set: z.string().array().readonly(), removed: z.string().array().readonly() })
const fields = z.object({ name: z.string(), value: z.string() }).array().readonly()

const policy = z.object({
  name: z.string(),
  verdict: z
    .enum(verdicts)
    .describe(
      'passed: the request continued; answered, refused: the policy replied; not-reached: an earlier policy replied; not-run: skipped, because it may change ' +
        'something; off: turned off by the route.',
    ),
  origin: z.enum(origins).describe('Where its options come from.'),
  ofRoute: z.string().array().readonly().describe('Options set by the route, if they come from both.'),
  status: z.int().nullable(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  events: z
    .object({ name: z.string(), attributes: z.record(z.string(), z.unknown()) })
    .array()
    .readonly()
    .describe('What it recorded, as in spans.'),
  request: changes.describe('Names of the request headers that it set or removed, including path and query.'),
  reply: changes.describe('The same for the reply.'),
})

export const explanation = z.object({
  worker: z.int().nullable(),
  method: z.string(),
  scheme: z.enum(['http', 'https']),
  host: z.string(),
  from: z.string(),
  listener: z.string(),
  path: z.object({
    written: z.string(),
    normal: z
      .string()
      .nullable()
      .describe('The normalized path, which routes are matched against; null if it is refused.'),
    refused: z.string().nullable().describe('Why it is refused; null if it is not.'),
  }),
  routes: z.object({
    candidates: z
      .object({
        route: z.string(),
        pattern: z.string(),
        host: z.string().nullable(),
        listener: z.string().nullable(),
        lacks: z.string().array().readonly().describe('The conditions of the route that the request does not meet.'),
        selected: z.boolean(),
      })
      .array()
      .readonly()
      .describe(
        'Entries of the routing table for this path, in the order in which they are tried; the first one whose conditions are met is selected.',
      ),
    more: z.int().describe('Number of further entries.'),
    others: z.int().describe('Number of entries of routes for other paths.'),
  }),
  route: z.object({ id: z.string(), pattern: z.string() }).nullable(),
  params: z.record(z.string(), z.string()),
  consumer: z.object({ id: z.string(), tier: z.string(), roles: z.string().array().readonly() }).nullable(),
  policies: policy.array().readonly(),
  leads: z.string().array().readonly().describe('Where the route leads, and what is split, rewritten and mirrored.'),
  service: z
    .object({
      name: z.string(),
      balancer: z.string(),
      limit: z.int().nullable().describe('Limit of concurrent requests; null if there is none.'),
      instances: z
        .object({
          address: z.string(),
          weight: z.number(),
          inFlight: z.int(),
          state: z.string(),
          unusable: z.string().nullable().describe('Why it gets no requests; null if it does.'),
          slowStart: z.boolean().describe('It is new or has recovered, and gets only part of its share.'),
          next: z.boolean().describe('The balancer of this worker would select it now.'),
        })
        .array()
        .readonly(),
    })
    .nullable(),
  outcome: z
    .enum(['sent', 'replied'])
    .describe('Whether the request goes to a service, or the gateway replies itself.'),
  status: z.int().nullable().describe('Status of the reply of the gateway; null if the request goes to a service.'),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  reply: fields.describe('Headers of the reply, or if it comes from a service, those that the gateway adds.'),
  sent: z
    .object({ method: z.string(), target: z.string(), host: z.string(), fields })
    .nullable()
    .describe('The request as it would be sent to the service. Secrets are masked.'),
  notes: z.string().array().readonly().describe('What could not be determined, and other remarks.'),
})

/** POST /explain: how a request would be handled. */
export function explainEndpoints(app: AdminApp, { threads }: AdminContext): void {
  const turns = new Semaphore()

  async function ask(worker: number, toExplain: Question): Promise<Explanation | null> {
    const answers = await threads.askAll(explainTopic, { worker, question: toExplain })
    const answer = answers.find((each) => each !== null)
    if (answer === undefined) return null
    if ('problem' in answer) throw new GatewayError('bad-request', answer.problem)
    return answer.explanation
  }

  app.post(
    '/explain',
    {
      // It reveals whether credentials are valid, and runs the code of policies.
      config: { role: 'operator', readsOnly: true },
      schema: {
        summary: 'Explain how a request would be handled, without sending it',
        description:
          'The routes that were tried, the verdict of each policy, the instances of the service, and the request as it would be sent, or the ' +
          'reply. Nothing is counted, stored or sent, but a token or an API key may be looked up.',
        tags: ['requests'],
        body: question,
        response: { 200: explanation },
      },
    },
    async ({ body: { url, headers, body = null, listener = null, as: consumer = null, worker, method, from } }) => {
      const read = readAskedUrl(url)
      if (read === null) throw new GatewayError('bad-request', `url: ${urlExpected}.`)
      if (turns.length >= WAITING)
        throw new GatewayError('too-busy', 'Too many requests are being explained: try again later.')
      const pairs = Object.entries(headers).flatMap(([name, values]) =>
        [values].flat().map((value) => [name, value] as const),
      )
      const toExplain = { ...read, method, headers: pairs, body, from, listener, as: consumer }
      // The first worker may be about to be replaced.
      const workers = worker === undefined ? [0, 1] : [worker]
      return turns.run(async () => {
        for (const each of workers) {
          const answer = await ask(each, toExplain)
          if (answer !== null) return answer
        }
        throw new GatewayError('too-busy', `Worker ${workers[0]} does not answer.`)
      })
    },
  )
}
