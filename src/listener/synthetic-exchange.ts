import { Bytes } from '../http/body.ts'
import type { HeadLimits } from '../http/limits.ts'
import { ServerExchange } from '../http/server-exchange.ts'
import { type SyntheticHead, syntheticHead } from '../http1/synthetic-head.ts'
import { ForwardedClient } from './trusted-proxies.ts'

/** A hypothetical request, and where it supposedly comes from. */
export interface SyntheticRequest extends SyntheticHead {
  /** Null for no body. */
  readonly body: string | null
  /** IP address of the client. */
  readonly from: string
  readonly scheme: 'http' | 'https'
  /** Name of the listener that receives it. */
  readonly listener: string
}

const NOBODY = { inform(): void {} }

/**
 * The exchange that a listener would create for the request, from a client without a proxy. Throws a GatewayError where
 * it would be refused.
 */
export function syntheticExchange(request: SyntheticRequest, limits: HeadLimits, now: number): ServerExchange {
  const { from, scheme, listener, body } = request
  const client = new ForwardedClient(from, scheme, from, null)
  const exchange = new ServerExchange(syntheticHead(request, limits), client, now, NOBODY)
  exchange.listener = listener
  if (body !== null) exchange.body = Bytes.fromText(body).detached()
  return exchange
}
