import type { GatewayError } from '../../core/errors.ts'
import { type Body, type BodyStream, Bytes, isStream } from '../../http/body.ts'
import { bufferedBodies, BufferedBody } from '../../http/buffered-body.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Handler } from '../../http/handler.ts'
import { wireOf } from '../../http/headers.ts'
import { isLasting, type Reply } from '../../http/reply.ts'
import { type Digested, digestBody } from './fingerprint.ts'
import { KeptBody } from './kept-body.ts'
import type { Leases } from './leases.ts'
import type { Outcomes } from './outcomes.ts'
import type { HeldKey, RepeatStore } from './store.ts'

/** What all first requests of a route have in common. */
export interface FirstContext {
  readonly store: RepeatStore
  readonly leases: Leases
  readonly outcomes: Outcomes
  /** Errors are replies. */
  readonly next: Handler
  readonly forward: boolean
  /** Bytes. */
  readonly maxBody: number
  readonly perClient: number
}

/**
 * Statuses that say that the service did not carry out the request, and that it may be repeated unchanged (RFC 9110 sections
 * 15.5.2, 15.5.9, 15.5.20 and 15.6.4, RFC 8470, RFC 6585).
 */
const NOT_DONE = new Set([401, 408, 421, 425, 429, 503])

/** Statuses of intermediaries, which do not know whether the service carried out the request. */
const UNKNOWN = new Set([502, 504])

/**
 * The first request with a key, which is claimed for it.
 *
 * 1. It continues even if its client disconnects, and the digest of its body is computed on the way.
 * 2. If it was not sent, its client aborted the body, or the service did not carry it out, the key is released.
 * 3. If the outcome is unknown, or the reply cannot be stored, the key is marked as used without a reply.
 * 4. Otherwise the reply is stored, and then sent to the client.
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
    return this.replied(await context.next(exchange), exchange.error)
  }

  /** `error` is the error behind the reply, if a step further in created it. */
  private async replied(reply: Reply, error: GatewayError | null): Promise<Reply> {
    const { status, body } = reply
    const { maxBody } = this.context
    if (error !== null || UNKNOWN.has(status)) await this.failed(error)
    // 2.
    else if (NOT_DONE.has(status)) await this.release()
    // 3.
    else if (isLasting(reply) || (body !== null && body.length > maxBody)) await this.spend()
    // 4.
    else reply.body = await this.kept(reply)
    return reply
  }

  /** The reply's body, which is stored by the time the client has all of it. */
  private async kept({ status, headers, body }: Reply): Promise<Body> {
    // The headers at this point: outer steps add theirs to every reply, including a repeated one.
    const fields = wireOf(headers)
    // A page in place of an error's body would reach the client before the reply is stored.
    const content = isStream(body) && status >= 400 ? await this.arrived(body) : body
    if (isStream(content))
      return new KeptBody(content, this.context.maxBody, this.exchange.client.address, (whole) =>
        whole === null ? this.spend() : this.keep(status, fields, whole),
      )
    await this.keep(status, fields, content === null ? null : content.toBuffer())
    return content
  }

  /** The body once it is all there, or as a stream if it is too large or has trailers. Rejects if it breaks off. */
  private async arrived(body: BodyStream): Promise<Body> {
    const buffer = new BufferedBody(body, this.exchange.client.address, bufferedBodies, this.context.maxBody)
    try {
      const content = await new Promise<Bytes | BufferedBody>((buffered, broken) => buffer.buffer({ buffered, broken }))
      if (content instanceof Bytes) buffer.release()
      return content
    } catch (thrown) {
      await this.spend()
      throw thrown
    }
  }

  private async keep(status: number, fields: string, body: Buffer | null): Promise<void> {
    const { store, perClient } = this.context
    // Copied, because sending a buffer to another thread sends the whole memory that it is a part of.
    const own = body === null ? null : new Uint8Array(body)
    const reply = { status, fields, body: own, digest: this.body.digest }
    this.end((await store.keep(this.held, reply, perClient)) ? 'kept' : 'lost')
  }

  private failed(error: GatewayError | null): Promise<void> {
    // An incomplete request is not carried out (RFC 9112 section 8).
    const brokeOff = this.body.digest === null && error?.fault === 'client'
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
    this.context.leases.releaseSoon(this.held)
    this.context.outcomes.note(this.exchange, outcome)
  }
}

/** The body of a repeated reply. */
export function bodyOf(bytes: Uint8Array | null): Bytes | null {
  return bytes === null
    ? null
    : Bytes.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).detached()
}
