import { type BodySink, isStream } from '../../http/body.ts'
import type { GatewayError } from '../../core/errors.ts'
import type { Abortable, Exchange } from '../../http/exchange.ts'
import type { Headers } from '../../http/headers.ts'
import type { PendingReply } from '../../http/pending-reply.ts'
import type { Reply } from '../../http/reply.ts'

/** A request made again for the cache's sake alone, after its client was answered with a stale reply. */
export class Refresh implements Exchange {
  readonly method = 'GET'
  path: string
  forms: Exchange['forms']
  query: string
  readonly target: string | null
  readonly host: string
  readonly headers: Headers
  readonly body = null
  readonly upgrade = null
  readonly acceptsTrailers = false
  readonly expectsContinue = false
  readonly client: Exchange['client']
  readonly start: number
  correlationId: string
  route: Exchange['route']
  params: Exchange['params']
  consumer: Exchange['consumer']
  readonly sharesCredentials = null
  instance: string | null = null
  serviceTime = 0
  clientTime = 0
  repliedAt: number | null = null
  error: GatewayError | null = null
  readonly trace: Exchange['trace']
  readonly record = null
  readonly refusal = null
  readonly aborted = false
  waiter: Abortable | null = null
  pending: PendingReply | null = null

  constructor(exchange: Exchange, start: number) {
    this.path = exchange.path
    this.forms = exchange.forms
    this.query = exchange.query
    this.target = exchange.target
    this.host = exchange.host
    this.headers = exchange.headers.clone()
    this.client = exchange.client
    this.start = start
    this.correlationId = exchange.correlationId
    this.route = exchange.route
    this.params = exchange.params
    this.consumer = exchange.consumer
    this.trace = exchange.trace
  }

  inform(): void {}
}

const NOWHERE: BodySink = { write: () => true, end() {}, fail() {} }

/** Takes a reply that nobody waits for, so that it is read to its end. */
export function consume({ body }: Reply): void {
  if (isStream(body)) body.pipe(NOWHERE)
}
