import { Bytes, isStream } from '../http/body.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Abortable, Exchange } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { type Awaiting, GatheredBody } from '../http/gathered-body.ts'
import { knownLine } from '../http/field-lines.ts'
import { type Headers, wireOf } from '../http/headers.ts'
import type { Lane, ReplyListener } from '../http/lane.ts'
import { ClosedBeforeReply, HandshakeFailed } from '../http/lane-errors.ts'
import type { OutgoingRequest, ServiceTimeouts } from '../http/outgoing-request.ts'
import { sentPath } from '../http/path-forms.ts'
import { PendingReply } from '../http/pending-reply.ts'
import type { AttemptRecord } from '../http/record.ts'
import type { Reply } from '../http/reply.ts'
import { checkTarget, isAsked } from '../http/target.ts'
import { gather } from './gathering.ts'
import { type FailureReason, failureReason } from './instance-metrics.ts'
import type { PooledInstance } from './pooled-instance.ts'
import type { Service } from './service.ts'

/** RFC 9110 section 9.2.2, and QUERY (safe, so idempotent). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'])

/** RFC 9110 section 7.6.3: a gateway says on the way in that the message passed through it. */
const VIA = knownLine('Via', '1.1 sallyport')

/** What a route says of requests to its service. */
export interface ForwardOptions {
  /** Changes the normal form of paths; null: they go on as they were written. */
  readonly rewrite: ((path: string) => string) | null
  /** What a service is told whose path the rewrite has changed, as a field line, or "". */
  readonly prefixField: string
  readonly timeouts: ServiceTimeouts
}

/** The handler at the end of a chain: passes the exchange to an instance of the service and returns its reply. */
export function createForward(service: Service, options: ForwardOptions): Handler {
  const { rewrite } = options
  return (exchange) => {
    const path = rewrite === null ? sentPath(exchange) : rewrite(exchange.path)
    // Most go on as they came: what the wire has read needs no other look.
    if (!isAsked(exchange.target, path, exchange.query)) checkTarget(path, exchange.query)
    const pending = new PendingReply(exchange)
    new Attempts(service, options, path, exchange, pending).begin()
    return pending.promise
  }
}

/**
 * The attempts to get one exchange answered.
 *
 * 0. Have a body that is still arriving gathered, unless the client waits to be asked for it: a slow one holds no connection.
 * 1. Pick an instance, never one that could not be connected to before.
 * 2. Take a lane to it, one that is free if there is one.
 * 3. Send the request.
 * 4. Report: the reply, or what went wrong. An instance that cannot be connected to, or has no connection free,
 *    makes way for the next one. One that closes the connection before the head of a reply is whole makes way once,
 *    if the method is idempotent and the body can be sent again (RFC 9110 section 9.2.2). Where there is no other
 *    instance, the same one is asked over a new connection if the old one had served before: it may just have closed
 *    it for being idle (RFC 9112 section 9.3.1).
 */
class Attempts implements ReplyListener, Abortable, Awaiting {
  private readonly service: Service
  private readonly options: ForwardOptions
  private readonly path: string
  private readonly query: string
  private readonly exchange: Exchange
  private readonly pending: PendingReply
  private instance: PooledInstance | null = null
  /** The one that the client is bound to, if any. */
  private bound: PooledInstance | null = null
  /** The one that the request is counted for at the moment. */
  private counted: PooledInstance | null = null
  private lane: Lane | null = null
  private tried: PooledInstance[] | null = null
  private sentAgain = false
  /** The body as it was gathered, where it had to be. */
  private body: GatheredBody | null = null
  /** When the attempt began, or the last one was over, in monotonic milliseconds. */
  private begun = 0
  private record: AttemptRecord | null = null

  constructor(service: Service, options: ForwardOptions, path: string, exchange: Exchange, pending: PendingReply) {
    this.service = service
    this.options = options
    this.path = path
    this.query = exchange.query
    this.exchange = exchange
    this.pending = pending
  }

  /** Begins with what comes first. */
  begin(): void {
    const { exchange, service } = this
    const { body } = exchange
    if (!isStream(body) || exchange.expectsContinue) return this.next()
    // 0.
    this.begun = service.clock.now()
    this.body = new GatheredBody(body)
    gather(this.body, service.deadlines, this)
  }

  gathered(body: Bytes | GatheredBody): void {
    const { exchange, service } = this
    exchange.clientTime += service.clock.now() - this.begun
    exchange.body = body
    this.next()
  }

  broken(error: Error): void {
    const { exchange, service } = this
    exchange.clientTime += service.clock.now() - this.begun
    this.pending.fail(error)
  }

  private next(cause?: GatewayError, reason?: FailureReason): void {
    // 1.
    const instance = this.pick()
    if (instance === null) return this.fail(lastWord(cause))
    if (reason !== undefined) this.service.retries.count(reason)
    this.choose(instance)
    // 2.
    const lane = instance.pool.take(this.exchange.client.address)
    if (lane !== null) return this.send(lane, instance)
    this.connect(instance)
  }

  /** The instance that the client is bound to, where there is one that was not tried, or else the next one of the balancer. */
  private pick(): PooledInstance | null {
    const { service, exchange, tried } = this
    if (service.sticky !== null && tried === null) this.bound = service.sticky.bound(exchange)
    if (this.bound !== null && tried === null) return this.bound
    return service.balancer.pick(exchange, tried)
  }

  private choose(instance: PooledInstance): void {
    const { exchange } = this
    this.instance = this.counted = instance
    instance.begin()
    exchange.instance = instance.address
    exchange.waiter = this
    this.begun = this.service.clock.now()
    if (exchange.record !== null) this.record = exchange.record.attempt(instance.address)
  }

  private connect(instance: PooledInstance): void {
    instance.pool.acquire(this.exchange.client.address).then(
      (lane) => this.send(lane, instance),
      (error: unknown) => this.failed(asGatewayError(error)),
    )
  }

  // 3.
  private send(lane: Lane, instance: PooledInstance): void {
    const { exchange } = this
    if (exchange.aborted) {
      this.leave()
      lane.giveBack()
      return this.fail(new GatewayError('client-closed'))
    }
    this.lane = lane
    instance.beginExchange()
    lane.exchange(this.request(instance), this)
  }

  private request(instance: PooledInstance): OutgoingRequest {
    const { exchange, service, options, path, query, record } = this
    const { method, headers, body, client, trace, acceptsTrailers } = exchange
    const authority =
      service.host === 'client' ? exchange.host : service.host === 'instance' ? instance.authority : service.host
    if (record !== null) record.path = path
    const own = trace.fields(record === null ? trace.spanId : record.spanId)
    const prefixField = path === exchange.path ? '' : options.prefixField
    const protocol = exchange.upgrade
    const changes = body === null && protocol?.toLowerCase() === 'websocket'
    return {
      client: client.address,
      method,
      authority,
      target: path + query,
      fields: `${wireOf(headers)}${client.forwardingFields(exchange.host)}${VIA}${own}${prefixField}`,
      body,
      acceptsTrailers,
      expectsContinue: exchange.expectsContinue && isStream(body),
      upgrade: changes ? { protocol, key: headers.get('Sec-WebSocket-Key') ?? '' } : null,
      timeouts: options.timeouts,
    }
  }

  // 4.
  informed(status: number, headers: Headers): void {
    this.exchange.inform(status, headers)
  }

  replied(reply: Reply): void {
    const { instance, service } = this
    const { status } = reply
    const took = this.over()
    instance?.metrics.replied(status, took)
    if (instance !== null) this.judge(instance, took, status >= 502 && status <= 504)
    if (instance !== null) service.sticky?.bind(this.exchange, instance, reply)
    if (this.record !== null) this.record.status = status
    this.body?.release()
    this.pending.settle(reply)
  }

  failed(error: GatewayError): void {
    const { exchange, instance } = this
    this.leave()
    const took = this.over()
    this.record?.failed(error)
    if (exchange.aborted || instance === null) return this.fail(error)
    const reason = failureReason(error)
    if (reason === null) return this.fail(error)
    // That an idle connection was closed is no failure of the instance.
    const stale = error instanceof ClosedBeforeReply && error.stale
    if (!stale) this.judge(instance, took, true)
    if (error instanceof ClosedBeforeReply && this.repeat(error, instance)) return
    instance.metrics.failed(reason)
    // Nothing was sent: no connection could be made, or none became free.
    if (reason === 'connect' || reason === 'tls' || reason === 'busy') {
      this.tried ??= []
      this.tried.push(instance)
      return this.next(error, reason)
    }
    this.fail(error)
  }

  /** Tells the balancer how long the instance took: of a body that was still coming, its sender may have taken most of that. */
  private judge(instance: PooledInstance, took: number, failed: boolean): void {
    const streamed = isStream(this.exchange.body)
    if (failed || !streamed) this.service.balancer.answered?.(instance, streamed ? 0 : took, failed)
  }

  /** Whether the request goes out once more: always over a new connection, as idle ones may be closed like the one before. */
  private repeat({ stale }: ClosedBeforeReply, instance: PooledInstance): boolean {
    if (this.sentAgain || !this.mayRepeat()) return false
    this.tried ??= []
    this.tried.push(instance)
    // What is bound to the instance would be lost elsewhere, and it may be all right.
    const stays = stale && this.bound === instance
    const other = stays ? null : this.service.balancer.pick(this.exchange, this.tried)
    if (other === null && !stale) return false
    this.sentAgain = true
    if (!stale) instance.metrics.failed('closed')
    this.service.retries.count('closed')
    this.choose(other ?? instance)
    this.connect(other ?? instance)
    return true
  }

  /** There will be no reply. Nobody takes what has not been sent of the body. */
  private fail(error: GatewayError): void {
    this.body?.cancel()
    this.pending.fail(error)
  }

  finished(): void {
    this.instance?.endExchange()
    this.leave()
    this.record?.finished()
    this.lane = null
  }

  /** The request is no load of the instance any more. */
  private leave(): void {
    this.counted?.end()
    this.counted = null
  }

  abort(): void {
    // Now, as the exchange is over before the lane is.
    const took = this.over()
    const { instance, service, exchange } = this
    if (instance !== null && !isStream(exchange.body)) service.balancer.left?.(instance, took)
    this.lane?.cancel()
  }

  /** The attempt is: how long it took, in milliseconds. */
  private over(): number {
    const now = this.service.clock.now()
    const took = now - this.begun
    this.begun = now
    this.exchange.serviceTime += took
    return took
  }

  private mayRepeat(): boolean {
    const { method, body } = this.exchange
    return IDEMPOTENT.has(method) && (body === null || body instanceof Bytes)
  }
}

/** What the client is told where no instance is left, which the last one failed with. */
function lastWord(cause: GatewayError | undefined): GatewayError {
  if (cause?.code === 'too-busy' || cause instanceof HandshakeFailed) return cause
  return new GatewayError('service-unavailable', 'Service unavailable', { cause })
}
