import { GatewayError } from '../../core/errors.ts'
import { Bytes, isStream } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Handler } from '../../http/handler.ts'
import { wireOf } from '../../http/headers.ts'
import { isLasting, type Reply } from '../../http/reply.ts'
import { type Digested, digestBody } from './fingerprint.ts'
import { KeptBody } from './kept-body.ts'
import type { Leases } from './leases.ts'
import type { Outcomes } from './outcomes.ts'
import type { HeldKey, RepeatStore } from './store.ts'

/** What the first requests of a route have in common. */
export interface FirstContext {
  readonly store: RepeatStore
  readonly leases: Leases
  readonly outcomes: Outcomes
  readonly next: Handler
  readonly forward: boolean
  /** Octets. */
  readonly maxBody: number
  readonly perClient: number
}

/**
 * Replies by which a service says that it has not done what it was asked, and that the same may be asked again (RFC 9110
 * sections 15.5.2, 15.5.9, 15.5.20 and 15.6.4, RFC 8470, RFC 6585).
 */
const NOT_DONE = new Set([401, 408, 421, 425, 429, 503])

/** Replies of what lies before a service, which does not know what that has done. */
const UNKNOWN = new Set([502, 504])

/**
 * The first request with a key, which is held for it.
 *
 * 1. It goes on, whether its client stays or not, and the digest of its body is made on the way.
 * 2. Where it was not sent, or its client has broken off its body, or the service has not done it, the key is free again.
 * 3. Where nobody knows what came of it, or the reply cannot be kept, the key stands for it without a reply.
 * 4. Else the reply is kept, and the client gets it once it is.
 */
export class FirstRequest {
  private readonly context: FirstContext
  private readonly exchange: Exchange
  private readonly held: HeldKey
  private readonly body: Digested

  constructor(context: FirstContext, exchange: Exchange, held: HeldKey) {
    this.context = context
    this.exchange = exchange
    this.held = held
    this.body = digestBody(exchange)
  }

  async run(): Promise<Reply> {
    const { context, exchange, held } = this
    context.leases.hold(held)
    // 1.
    exchange.outlivesClient = true
    let reply: Reply
    try {
      reply = await context.next(exchange)
    } catch (thrown) {
      await this.failed(thrown)
      throw thrown
    }
    return this.replied(reply, exchange.error)
  }

  /** `error` is what a step further in has made the reply of. */
  private async replied(reply: Reply, error: GatewayError | null): Promise<Reply> {
    const { status, body } = reply
    const { maxBody } = this.context
    if (error !== null || UNKNOWN.has(status)) await this.failed(error)
    // 2.
    else if (NOT_DONE.has(status)) await this.release()
    // 3.
    else if (isLasting(reply) || (body !== null && body.length > maxBody)) await this.spend()
    // 4.
    else if (isStream(body)) reply.body = this.keepPassing(reply)
    else await this.keep(reply.status, wireOf(reply.headers), body === null ? null : body.toBuffer())
    return reply
  }

  private keepPassing({ status, headers, body }: Reply): KeptBody | Reply['body'] {
    if (!isStream(body)) return body
    // As it is now: steps further out add what is theirs to every reply, also to one that is repeated.
    const fields = wireOf(headers)
    return new KeptBody(body, this.context.maxBody, this.exchange.client.address, (whole) =>
      whole === null ? this.spend() : this.keep(status, fields, whole),
    )
  }

  private async keep(status: number, fields: string, body: Buffer | null): Promise<void> {
    const { store, perClient } = this.context
    // A copy, as what a thread is sent is all of the memory that a buffer is a part of.
    const own = body === null ? null : new Uint8Array(body)
    const reply = { status, fields, body: own, digest: this.body.digest }
    this.end((await store.keep(this.held, reply, perClient)) ? 'kept' : 'lost')
  }

  private failed(error: unknown): Promise<void> {
    // What is not there as a whole is not done (RFC 9112 section 8).
    const brokeOff = this.body.digest === null && error instanceof GatewayError && error.fault === 'client'
    return this.exchange.sent && !brokeOff ? this.spend() : this.release()
  }

  private async spend(): Promise<void> {
    const { store, forward, perClient } = this.context
    if (forward) return this.release()
    this.end((await store.spend(this.held, perClient)) ? 'unkept' : 'lost')
  }

  private async release(): Promise<void> {
    this.end('released')
    await this.context.leases.release(this.held)
  }

  private end(outcome: 'kept' | 'unkept' | 'lost' | 'released'): void {
    this.context.leases.letGo(this.held)
    this.context.outcomes.note(this.exchange, outcome)
  }
}

/** A reply that is repeated. */
export function bodyOf(octets: Uint8Array | null): Bytes | null {
  return octets === null
    ? null
    : Bytes.fromBuffer(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)).kept()
}
