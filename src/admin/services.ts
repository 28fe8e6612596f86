import { present } from '../core/present.ts'
import { z } from 'zod'
import { formatAddress } from '../core/address.ts'
import { type ReplicaResults, replicasShape, replicasOf } from '../core/operation.ts'
import { type InstanceTraffic, type ThreadStatus, threadStatusTopic } from '../front/thread-status.ts'
import { drain } from '../runtime/operations/drain.ts'
import { unknownService } from '../runtime/operations/unknown-service.ts'
import { balancerName } from '../services/balancers/index.ts'
import type { DiscoveryReport } from '../services/discovery/discovery.ts'
import { discoveryKinds } from '../services/discovery/discoverer.ts'
import { healthStates } from '../services/health/board.ts'
import { type Transition, transitionKinds } from '../services/health/history.ts'
import { type Ejection, ejectionReasons } from '../services/health/ejections.ts'
import { ejectionWords } from '../services/passive/words.ts'
import { createLimit } from '../services/concurrency/create-limit.ts'
import type { ConcurrencyOptions } from '../services/concurrency/index.ts'
import type { ServiceReport } from '../services/health/checker.ts'
import { serviceStatus } from '../services/health/report.ts'
import { hedgeBudget } from '../services/hedge/index.ts'
import { RetryBudget } from '../services/retry/retry-budget.ts'
import type { ServiceOptions } from '../services/service-options.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'
import { rounded } from '../core/rounded.ts'

const time = z.iso.datetime()

const instance = z.object({
  address: z.string().describe('Host and port.'),
  weight: z.int().describe('Share of the requests relative to the others; 0 for none.'),
  zone: z.string().nullable().describe('Its zone; null if unknown.'),
  usable: z.boolean().describe('Whether it gets new requests.'),
  drained: z.boolean().describe('Whether an operator has drained it.'),
  ejected: z
    .object({
      kind: z
        .enum(ejectionReasons)
        .describe('row for consecutive failures, rate for the failure rate, stall if replies stopped coming.'),
      reason: z.string().describe('Why, in words.'),
      since: time,
      until: time.describe('Latest time at which it gets requests again.'),
      times: z.int().describe('Number of ejections in quick succession; each is longer than the one before.'),
    })
    .nullable()
    .describe('Set while it is ejected because it failed more than the others; otherwise null.'),
  health: z.object({
    state: z.enum(healthStates).describe('Before its first check unknown, or pending if a reload has added it.'),
    since: time.describe('Since when it is in this state.'),
    reason: z.string().nullable().describe('Result of the last check; null before the first.'),
    checkedAt: time.nullable().describe('When the last check ended.'),
    checkMs: z.number().nullable().describe('How long it took.'),
    failures: z.int().describe('Failed checks in a row, up to the last one.'),
  }),
  inFlight: z.int().describe('Requests in flight at it, of all workers, as balancers compare them.'),
  connections: z.object({
    idle: z.int(),
    busy: z.int(),
    connecting: z.int(),
    streaming: z.int().describe('Event streams and WebSockets.'),
    waiting: z.int().describe('Requests waiting for a connection.'),
  }),
})

export const service = z.object({
  name: z.string(),
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  balancer: z.string(),
  discovery: z
    .object({
      kind: z.enum(discoveryKinds).describe('How the instances are found.'),
      subject: z.string().describe('What is looked up.'),
      instances: z.int().describe('How many were found.'),
      lastSuccessAt: time.nullable().describe('When they were last discovered; null before the first answer.'),
      problem: z.string().nullable().describe('Why discovery fails at present; null while it works.'),
    })
    .nullable()
    .describe('How instances are discovered; null if the configuration lists them.'),
  concurrency: z
    .object({
      adaptive: z.boolean().describe('Whether the limit is derived from latency; otherwise it is fixed.'),
      limit: z.int().describe('Current limit of concurrent requests; further ones are shed.'),
    })
    .nullable()
    .describe('Limit on concurrent requests; null if there is none.'),
  retries: z
    .object({ left: z.int().describe('Retries left in the budget.') })
    .nullable()
    .describe('Retry budget; null if retries are off.'),
  hedges: z
    .object({
      after: z.string().describe('Delay before the second request: milliseconds, or a latency percentile.'),
      left: z.int().describe('Hedged requests left in the budget.'),
    })
    .nullable()
    .describe('Hedging; null if it is off.'),
  instances: instance.array(),
})

const changed = service.extend(replicasShape)

export const transition = z.object({
  at: time,
  instance: z.string(),
  kind: z
    .enum(transitionKinds)
    .describe('What happened. returned: an ejection ended; undrained: an operator put it back into service.'),
  reason: z.string().nullable().describe('Why; null if there is nothing to explain.'),
})

const named = z.object({ name: z.string().describe('Name of the service.') })
const placed = named.extend({ instance: z.string().describe('Host and port of the instance.') })
const forced = z.object({
  force: z.stringbool().default(false).describe('Even if no other instance of the service is usable.'),
})
const NOTHING: InstanceTraffic = { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0, inFlight: 0 }

/**
 * GET /services and /services/{name}: the state of the instances and the reasons. PUT and DELETE …/drain: drains an instance and restores
 * it.
 */
export function serviceEndpoints(app: AdminApp, context: AdminContext): void {
  const { report, threads, everywhere, history } = context

  async function describeAll(): Promise<z.input<typeof service>[]> {
    const statuses = await threads.askAll(threadStatusTopic, null)
    return report().map((each) => describe(each, statuses, context))
  }

  async function describeOne(name: string): Promise<z.input<typeof service>> {
    const found = (await describeAll()).find((each) => each.name === name)
    if (found === undefined) throw unknownService(name, report())
    return found
  }

  async function describeChanged(name: string, done: ReplicaResults<object>): Promise<z.input<typeof changed>> {
    return { ...(await describeOne(name)), ...replicasOf(done) }
  }

  app.get(
    '/services',
    {
      schema: {
        summary: 'Services and their instances, with the state of each and the reason',
        tags: ['services'],
        response: { 200: z.object({ services: service.array() }) },
      },
    },
    async () => ({ services: await describeAll() }),
  )

  app.get(
    '/services/:name',
    { schema: { summary: 'One service', tags: ['services'], params: named, response: { 200: service } } },
    ({ params }) => describeOne(params.name),
  )

  app.get(
    '/services/:name/history',
    {
      schema: {
        summary: 'What happened to the instances of a service in the last 24 hours, newest first',
        description: 'Health, ejections and drains: the newest 200 of each current instance, since the start.',
        tags: ['services'],
        params: named,
        response: { 200: z.object({ transitions: transition.array() }) },
      },
    },
    async ({ params: { name } }) => {
      const found = report().find((each) => each.service === name)
      if (found === undefined) throw unknownService(name, report())
      const transitions = history.of(
        name,
        found.instances.map(({ address }) => address),
      )
      return { transitions: transitions.map(describeTransition) }
    },
  )

  app.put(
    '/services/:name/instances/:instance/drain',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Drain an instance: it gets no new requests, and requests in flight finish',
        description:
          'Clients that sticky binds to it stay with it. Lasts until it is undrained, removed from the configuration, or the gateway stops, whatever its health checks say.',
        tags: ['services'],
        params: placed,
        querystring: forced,
        response: { 200: changed },
      },
    },
    async ({ params: { name, instance: address }, query: { force } }) =>
      describeChanged(name, await everywhere(drain, { service: name, instance: address, drained: true, force })),
  )

  app.delete(
    '/services/:name/instances/:instance/drain',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Undrain an instance: it gets requests again when healthy',
        tags: ['services'],
        params: placed,
        response: { 200: changed },
      },
    },
    async ({ params: { name, instance: address } }) =>
      describeChanged(
        name,
        await everywhere(drain, { service: name, instance: address, drained: false, force: false }),
      ),
  )
}

function describeTransition({ at, instance: address, kind, reason }: Transition): z.input<typeof transition> {
  return { at: new Date(at).toISOString(), instance: address, kind, reason }
}

/** By instance address. */
function zonesOf(name: string, context: AdminContext): ReadonlyMap<string, string | null> {
  const instances = context.services()[name]?.instances ?? []
  return new Map(instances.map(({ url, zone }) => [formatAddress(url), zone ?? null]))
}

/** By instance address. */
function weightsOf(name: string, context: AdminContext): ReadonlyMap<string, number> {
  const instances = context.services()[name]?.instances ?? []
  return new Map(instances.map(({ url, weight }) => [formatAddress(url), weight]))
}

function describeDiscovery(report: DiscoveryReport | null): z.input<typeof service>['discovery'] {
  if (report === null) return null
  const { kind, subject, instances, lastSuccess, problem } = report
  return {
    kind,
    subject,
    instances,
    lastSuccessAt: lastSuccess === null ? null : new Date(lastSuccess).toISOString(),
    problem,
  }
}

function describeEjection(ejection: Ejection, { clock }: AdminContext) {
  const { reason: kind, since, until, times } = ejection
  // Converts a time of the monotonic clock to the wall clock.
  const at = (ms: number): string => new Date(clock.wall() + ms - clock.now()).toISOString()
  return { kind, reason: ejectionWords(ejection), since: at(since), until: at(until), times }
}

function describeConcurrency(
  name: string,
  options: ConcurrencyOptions,
  { board, clock }: AdminContext,
): z.input<typeof service>['concurrency'] {
  const limit = createLimit(options, board.loads.of(name), clock)
  return limit === null ? null : { adaptive: typeof options === 'object', limit: Math.floor(limit.value) }
}

function describeRetries(
  name: string,
  { retry = false }: ServiceOptions,
  { board, clock, services }: AdminContext,
): z.input<typeof service>['retries'] {
  const { instances = [] } = services()[name] ?? {}
  if (retry === false || instances.length < 2) return null
  const { retries, slot } = board.loads.of(name)
  return { left: new RetryBudget(retries, slot, retry, { now: clock.now() }).left }
}

function describeHedges(
  name: string,
  { hedge = false }: ServiceOptions,
  { board, clock, services }: AdminContext,
): z.input<typeof service>['hedges'] {
  const { instances = [] } = services()[name] ?? {}
  if (hedge === false || instances.length < 2) return null
  const load = board.loads.of(name)
  const budget = new RetryBudget(load.retries, load.slot, hedgeBudget(hedge), { now: clock.now() }, 'hedge')
  return { after: typeof hedge.after === 'number' ? `${hedge.after}ms` : hedge.after, left: budget.left }
}

function describe(
  found: ServiceReport,
  statuses: readonly ThreadStatus[],
  context: AdminContext,
): z.input<typeof service> {
  const name = found.service
  const { board } = context
  const slots = present(context.slots()[name], `slots of ${name}`)
  const options = present(context.config().services[name], `service ${name}`)
  const { balancer, concurrency } = options
  const weights = weightsOf(name, context)
  const zones = zonesOf(name, context)
  const weighted = found.instances.map((each) => ({
    ...each,
    weight: weights.get(each.address) ?? 0,
    ejected: each.ejection !== null,
  }))
  return {
    name,
    status: serviceStatus({ ...found, instances: weighted }),
    balancer: balancerName(balancer),
    discovery: describeDiscovery(context.discovery(name)),
    concurrency: describeConcurrency(name, concurrency, context),
    retries: describeRetries(name, options, context),
    hedges: describeHedges(name, options, context),
    instances: weighted.map((each) => {
      const { address, weight } = each
      const traffic = statuses.map(({ services }) => services[name]?.[address] ?? NOTHING)
      const slot = present(slots.get(address), `slot of ${address}`)
      const total = (count: keyof InstanceTraffic): number => traffic.reduce((sum, counts) => sum + counts[count], 0)
      return {
        address,
        weight,
        zone: zones.get(address) ?? null,
        usable: board.usable(slot) && weight > 0,
        drained: each.drained,
        ejected: each.ejection === null ? null : describeEjection(each.ejection, context),
        health: {
          state: each.state,
          since: new Date(each.since).toISOString(),
          reason: each.reason,
          checkedAt: each.checkedAt === null ? null : new Date(each.checkedAt).toISOString(),
          checkMs: each.duration === null ? null : rounded(each.duration),
          failures: each.failures,
        },
        inFlight: board.requests.of(slot),
        connections: {
          idle: total('idle'),
          busy: total('busy'),
          connecting: total('connecting'),
          streaming: total('streaming'),
          waiting: total('waiting'),
        },
      }
    }),
  }
}
