import { z } from 'zod'
import type { ReplicaResults } from '../../core/operation.ts'
import { SingleFlight } from '../../core/single-flight.ts'
import { readinessStates } from '../../front/built-in-routes.ts'
import { describe, type ReplicaDescription } from '../../runtime/operations/describe.ts'
import type { AdminApp } from '../app.ts'
import type { AdminContext } from '../context.ts'
import { KnownReplicas, type SeenReplica } from './known-replicas.ts'

const replica = z.object({
  name: z.string().describe('Host and process.'),
  self: z.boolean().describe('Whether it is the gateway that received this request.'),
  answers: z.boolean().describe('Whether it answered just now; otherwise the data is from when it was last seen.'),
  lastSeen: z.iso.datetime(),
  version: z.string(),
  startedAt: z.iso.datetime(),
  readiness: z.enum(readinessStates),
  revision: z.string().describe('Of its configuration.'),
  since: z.iso.datetime().describe('When it applied that configuration.'),
  isCurrent: z.boolean().describe('Whether it has the same configuration as the gateway that was asked.'),
  console: z.string().nullable().describe('URL of its console; null if admin.publicUrl is not set.'),
})

export const answer = z.object({
  shared: z.boolean().describe('Whether the configuration has a Redis, through which gateways find each other.'),
  replicas: replica
    .array()
    .describe('The gateway that was asked comes first. One that no longer answers is left out after 15 minutes.'),
  problems: z
    .object({ name: z.string(), problem: z.string() })
    .array()
    .describe('Gateways that answered but could not report their state.'),
  unreached: z.string().nullable().describe('Why other gateways may not have answered; null if all did.'),
})

/** GET /replicas: the gateways that share the Redis of the configuration. */
export function replicaEndpoints(app: AdminApp, { config, everywhere, clock }: AdminContext): void {
  const known = new KnownReplicas()
  // Concurrent callers share the pending result.
  const asking = new SingleFlight<ReplicaResults<ReplicaDescription>>()

  app.get(
    '/replicas',
    {
      schema: {
        summary: 'The gateways on the same Redis',
        description: 'Asks all gateways. This takes up to 1.5 s if one does not answer.',
        tags: ['gateway'],
        response: { 200: answer },
      },
    },
    async () => {
      const { results, replicas, unreached } = await asking.join('', () => everywhere(describe, {}))
      const [own] = results
      const problems = replicas.flatMap(({ name, problem }) => (problem === null ? [] : [{ name, problem }]))
      const seen = known.note(results, clock.wall()).map((each) => shown(each, own))
      return { shared: config().stores.redis !== null, replicas: seen, problems, unreached }
    },
  )
}

function shown({ description, answers, lastSeen }: SeenReplica, own: ReplicaDescription): z.input<typeof replica> {
  const { id, name, version, startedAt, readiness, revision, since, publicUrl } = description
  return {
    name,
    self: id === own.id,
    answers,
    lastSeen: new Date(lastSeen).toISOString(),
    version,
    startedAt: new Date(startedAt).toISOString(),
    readiness,
    revision,
    since: new Date(since).toISOString(),
    isCurrent: revision === own.revision,
    console: publicUrl === null ? null : `${publicUrl}/console/`,
  }
}
