import { Bytes } from '../http/body.ts'
import type { HeadLimits } from '../http/limits.ts'
import { ServerExchange } from '../http/server-exchange.ts'
import { type AskedHead, askedHead } from '../http1/asked-head.ts'
import { ForwardedClient } from './trusted-proxies.ts'

/** A request that nobody has sent, and where it is taken to come from. */
export interface AskedRequest extends AskedHead {
  /** null for none. */
  readonly body: string | null
  /** IP address of the client. */
  readonly from: string
  readonly scheme: 'http' | 'https'
  /** Name of the listener that it comes by. */
  readonly listener: string
}

const NOBODY = { inform(): void {} }

/** The exchange that a listener would make of the request, from a client that speaks to it itself. Throws a GatewayError where it would be refused. */
export function askedExchange(request: AskedRequest, limits: HeadLimits, now: number): ServerExchange {
  const { from, scheme, listener, body } = request
  const client = new ForwardedClient(from, scheme, from, null)
  const exchange = new ServerExchange(askedHead(request, limits), client, now, NOBODY)
  exchange.listener = listener
  if (body !== null) exchange.body = Bytes.fromText(body).kept()
  return exchange
}
