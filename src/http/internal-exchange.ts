import type { Client, Exchange } from './exchange.ts'
import { type Headers, wireOf } from './headers.ts'
import { ReceivedFields } from './received-fields.ts'
import { type InterimSink, ServerExchange } from './server-exchange.ts'

/** A request of the gateway itself. */
export interface InternalRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly host: string
  /** Copied. */
  readonly headers: Headers
  readonly client: Client
  /** Monotonic milliseconds. */
  readonly start: number
}

const NOBODY: InterimSink = { inform() {} }

/** An exchange that was not begun by a client's request: its `target` is null, and interim responses are discarded. */
export function internalExchange({ method, target, host, headers, client, start }: InternalRequest): ServerExchange {
  const fields = new ReceivedFields()
  fields.raw = wireOf(headers)
  const request = { protocol: '1.1', method, target, authority: host, fields } as const
  const head = { ...request, upgrade: null, expectsContinue: false, refusal: null }
  const exchange = new ServerExchange(head, client, start, NOBODY)
  exchange.target = null
  return exchange
}

/** What policies may have changed in a request until its reply has arrived. */
export type RequestForm = Pick<Exchange, 'path' | 'query' | 'headers'>

/**
 * A copy of the request of an exchange, without its body, for the gateway to send itself with that method. `form`: the request as an
 * earlier step saw it, if not as it is now.
 */
export function copyOf(
  exchange: Exchange,
  method: string,
  start: number,
  form: RequestForm = exchange,
): ServerExchange {
  const { path, query, headers } = form
  const { host, client } = exchange
  const copy = internalExchange({ method, target: path + query, host, headers, client, start })
  copy.path = path
  copy.forms = exchange.forms
  copy.query = query
  copy.target = exchange.target
  copy.listener = exchange.listener
  copy.correlationId = exchange.correlationId
  copy.route = exchange.route
  copy.params = exchange.params
  copy.consumer = exchange.consumer
  copy.trace = exchange.trace
  return copy
}
