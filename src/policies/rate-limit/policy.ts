import { definePolicy, type PolicyToolbox } from '../policy.ts'
import type { Exchange } from '../../http/exchange.ts'
import { editReplies } from '../../http/handler.ts'
import type { Decision, Quota } from './meter.ts'
import type { ExchangeRecord } from '../../http/record.ts'
import type { Reply } from '../../http/reply.ts'
import { clientName } from './client-name.ts'
import { documentLimits } from './document.ts'
import { countStates } from './count-states.ts'
import { LimitCounts } from './limit-counts.ts'
import { Limiter } from './limiter.ts'
import type { LimitWatch } from './limit-watch.ts'
import { isGeneral, ownName, SINGLE } from './own-name.ts'
import { type RateLimitOptions, rateLimitOptions } from './options.ts'

const ANONYMOUS = 'unauthenticated'
/** Its rates apply to tiers that the configuration does not name. */
const FALLBACK = 'authenticated'
/** The limits for one kind of clients. */
interface Tier {
  readonly limiter: Limiter
  readonly counts: LimitCounts
  readonly watch: LimitWatch
}

/** The decision to be reported in the reply. */
interface Reported {
  readonly limiter: Limiter
  readonly decision: Decision
}

/** Limits the number of requests of each client per period of time. */
export const rateLimit = definePolicy({
  name: 'rate-limit',
  summary: 'Limits how many requests each user, API key or address may send.',
  options: rateLimitOptions,
  stores: [{ path: ['store'], instead: 'memory' }],
  document: documentLimits,
  keeps: (options, route, general) => countStates(options, ownName(options, route, general)),
  decidesBy: () => 'facts',
  isShared: (options, general) => isGeneral(options, general),
  create(options, toolbox, route, general) {
    const tierOf = compileTiers(options, toolbox, ownName(options, route, general))
    const { cost } = options
    return (next) => {
      const reported = editReplies<Reported>(next, (reply, _, { limiter, decision }) =>
        limiter.addFields(reply.headers, decision),
      )

      function proceed(
        exchange: Exchange,
        { limiter, counts, watch }: Tier,
        client: string,
        decision: Decision | null,
      ): Reply | Promise<Reply> {
        counts.decided(decision)
        if (decision !== null) watch.decided(exchange, client, decision)
        if (exchange.record !== null) note(exchange.record, limiter, decision)
        if (decision === null) return next(exchange)
        if (!decision.admitted) throw limiter.refusal(decision)
        return reported(exchange, { limiter, decision })
      }

      return (exchange) => {
        const tier = tierOf(exchange)
        if (tier === null) return next(exchange)
        const client = clientName(exchange)
        const decision = tier.limiter.meter.decide(client, cost)
        if (!(decision instanceof Promise)) return proceed(exchange, tier, client, decision)
        return decision.then((made) => proceed(exchange, tier, client, made))
      }
    }
  },
})

function note(record: ExchangeRecord, { name }: Limiter, decision: Decision | null): void {
  record.event('sallyport.rate_limit', {
    'sallyport.rate_limit.limit': name,
    'sallyport.rate_limit.outcome': decision === null ? 'uncounted' : decision.admitted ? 'admitted' : 'refused',
    ...(decision !== null && {
      'sallyport.rate_limit.remaining': Math.min(...decision.quotas.map(({ remaining }) => remaining)),
    }),
  })
}

/** Finds the tier of an exchange; null if there is no limit. */
function compileTiers(
  options: RateLimitOptions,
  toolbox: PolicyToolbox,
  own: string,
): (exchange: Exchange) => Tier | null {
  const { algorithm, store, onStoreFailure, cost } = options
  const compile = (tier: string, quotas: readonly Quota[]): Tier | null => {
    if (quotas.length === 0) return null
    const limit = { name: tier + own, algorithm, quotas }
    const limiter = new Limiter(limit, toolbox.limits.meter(limit, onStoreFailure, store), options)
    const watch = toolbox.limits.watch(limit, store)
    return { limiter, counts: new LimitCounts(toolbox.metrics, tier, cost), watch }
  }
  const tiers = new Map(Object.entries(options.tiers).map(([tier, quotas]) => [tier, compile(tier, quotas)]))
  const single = new Map(Object.entries(options.consumers).map(([id, quotas]) => [id, compile(SINGLE, quotas)]))
  const anonymous = tiers.get(ANONYMOUS) ?? null
  const fallback = tiers.get(FALLBACK) ?? null
  return ({ consumer }) => {
    if (consumer === null) return anonymous
    if (single.size > 0) {
      // null stands for no limit.
      const ofKey = consumer.key === null ? undefined : single.get(consumer.key)
      const alone = ofKey === undefined ? single.get(consumer.id) : ofKey
      if (alone !== undefined) return alone
    }
    const tier = tiers.get(consumer.tier)
    return tier === undefined ? fallback : tier
  }
}
