import type { ProxyVersion } from '../proxy-protocol/written-header.ts'
import type { BalancerOptions } from './balancers/index.ts'
import type { ConcurrencyOptions } from './concurrency/index.ts'
import type { ServiceTlsOptions } from './connection-key.ts'
import type { HedgeOptions } from './hedge/index.ts'
import type { PassiveOptions } from './passive/index.ts'
import type { RetryOptions } from './retry/index.ts'
import type { StickyOptions } from './sticky/index.ts'

/** An instance, configured or discovered. */
export interface InstanceOptions {
  readonly url: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }
  readonly weight: number
  /** Zone of the instance; omitted if unknown. */
  readonly zone?: string | null | undefined
}

/** Options of a service; times in milliseconds. */
export interface ServiceOptions {
  readonly instances: readonly InstanceOptions[]
  readonly balancer: BalancerOptions
  /** Session affinity; omitted if there is none. */
  readonly sticky?: StickyOptions | undefined
  /** When instances are ejected because of their replies; false or omitted for never. */
  readonly passive?: PassiveOptions | false | undefined
  readonly concurrency: ConcurrencyOptions
  /** How long a new instance gets less than its full share; 0 or omitted to disable this. */
  readonly slowStart?: number | undefined
  /** Which requests are retried on another instance; false or omitted for none. */
  readonly retry?: RetryOptions | false | undefined
  /** When requests are hedged to a second instance; false or omitted for never. */
  readonly hedge?: HedgeOptions | false | undefined
  readonly timeouts: {
    readonly connect: number
    readonly response: number
    readonly idle: number
    /** Time limit across all attempts; omitted for none. */
    readonly total?: number | undefined
  }
  readonly pool: {
    readonly connections: number
    readonly streams: number
    readonly queue: number
    readonly queueTimeout: number
    readonly idleTimeout: number
    readonly lifetime: number
  }
  /** Limits for the replies of the service. */
  readonly limits: { readonly head: number; readonly headers: number }
  /** 'client', 'instance', or a fixed Host value. */
  readonly host: string
  /** TLS options for https instances. */
  readonly tls?: ServiceTlsOptions | undefined
  /** The version of the PROXY protocol that its instances expect, or 'off'. */
  readonly proxyProtocol: ProxyVersion | 'off'
  /** Whether its instances are reached over HTTP/2. */
  readonly http2: boolean
}

/** A route's own timeouts, in milliseconds, which take precedence over its service's. */
export interface RouteTimeouts {
  readonly response?: number | undefined
  readonly idle?: number | undefined
  readonly total?: number | undefined
}
