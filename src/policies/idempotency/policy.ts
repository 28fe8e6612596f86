import type { Exchange } from '../../http/exchange.ts'
import { headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { newUuid } from '../../core/uuid.ts'
import { changedFor } from '../change-request.ts'
import { definePolicy, type PolicyToolbox } from '../policy.ts'
import { clientName } from '../rate-limit/client-name.ts'
import { documentIdempotency } from './document.ts'
import { digestOf, headDigest, readDigest } from './fingerprint.ts'
import { bodyOf, type FirstContext, FirstRequest } from './first-request.ts'
import { FIELD, readKey } from './key.ts'
import { Leases } from './leases.ts'
import { type IdempotencyOptions, idempotencyOptions } from './options.ts'
import { Outcomes } from './outcomes.ts'
import { missing, outstanding, reused, unavailable, unrepeatable } from './refusals.ts'
import type { KeyClaimant, StoredReply } from './store.ts'

/** Marks a repeated reply. */
const REPLAYED = 'Idempotent-Replayed'

/** Has a request with a key carried out only once, however often it is sent (draft-ietf-httpapi-idempotency-key-header-07). */
export const idempotency = definePolicy({
  name: 'idempotency',
  summary: 'Stores the reply to a request with an Idempotency-Key, and repeats it for the same request.',
  options: idempotencyOptions,
  fields: () => [FIELD, 'Accept-Encoding'],
  stores: [{ path: ['store'], instead: 'memory' }],
  document: documentIdempotency,
  keeps({ store = 'memory' }, { id, service }) {
    if (service === null) return []
    return [
      {
        name: 'idempotency keys',
        identities: [`${store} ${id}`],
        options: [['store']],
        loss: 'Used keys are forgotten: a request that is repeated is sent again.',
      },
    ]
  },
  create(options, toolbox, route) {
    // Replies of the gateway itself can safely be repeated.
    if (route.service === null) return (next) => next
    const methods = new Set(options.methods)
    return (next) => {
      const { context, outcomes, handle } = duplicatesOf(options, toolbox, route.id)
      // Who repeats the request may not accept the content coding of the first reply.
      const withoutCoding = changedFor(next, ({ headers }) => headers.set('Accept-Encoding', 'identity'))
      const first: FirstContext = { ...context, next: withoutCoding }
      return (exchange) => {
        if (!methods.has(exchange.method) || exchange.refusal !== null) return next(exchange)
        // gRPC calls have trailers, streams, and their own retries.
        if (exchange.grpc !== null) return next(exchange)
        let key: string | null
        try {
          key = readKey(exchange.headers)
          if (key === null && options.required) throw missing(exchange.method)
        } catch (error) {
          outcomes.note(exchange, 'invalid')
          throw error
        }
        return key === null ? next(exchange) : handle(exchange, key, first)
      }
    }
  },
})

/** Handles requests with keys on one route. */
function duplicatesOf(options: IdempotencyOptions, toolbox: PolicyToolbox, route: string) {
  const { repeats, metrics, holder, storesKey, clock } = toolbox
  const { callerFields, ttl, maxBody, perClient, onStoreFailure } = options
  const name = options.store ?? repeats.preferred
  const forward = options.unrepeatable === 'forward'
  const store = repeats.store(name, metrics)
  const leases = Leases.of(holder, `${name} ${storesKey}`, store, clock)
  const outcomes = new Outcomes(metrics)
  const context = { store, leases, outcomes, forward, maxBody, perClient }

  async function handle(exchange: Exchange, key: string, first: FirstContext): Promise<Reply> {
    const place = { client: clientName(exchange), id: digestOf([route, key]) }
    const head = headDigest(exchange, callerFields)
    const claimant: KeyClaimant = { place, token: newUuid(), head, ttl, forward }
    const claim = await store.claim(claimant)
    if (claim === null) return without(exchange, claimant, first)
    if (claim.is === 'claimed') return new FirstRequest(first, exchange, claimant).run()
    if (claim.head !== head) return refuse(exchange, 'reused')
    if (claim.is !== 'stored') return refuse(exchange, claim.is === 'spent' ? 'unrepeatable' : 'outstanding')
    return repeat(exchange, claim.reply)
  }

  /** Refuses the request, or passes it on unprotected. The key is released in case the store did claim it. */
  async function without(exchange: Exchange, claimant: KeyClaimant, { next }: FirstContext): Promise<Reply> {
    void leases.release(claimant)
    if (onStoreFailure === 'closed') return refuse(exchange, 'unavailable')
    outcomes.note(exchange, 'unprotected')
    return next(exchange)
  }

  async function repeat(exchange: Exchange, reply: StoredReply): Promise<Reply> {
    const digest = await readDigest(exchange.body)
    if (reply.digest !== null && reply.digest !== digest) return refuse(exchange, 'reused')
    outcomes.note(exchange, 'replayed')
    const headers = headersFromWire(reply.fields)
    headers.set(REPLAYED, 'true')
    return new Reply(reply.status, headers, bodyOf(reply.body))
  }

  function refuse(exchange: Exchange, outcome: keyof typeof refusals): never {
    outcomes.note(exchange, outcome)
    throw refusals[outcome]()
  }

  return { context, outcomes, handle }
}

const refusals = { outstanding, unrepeatable, reused, unavailable }
