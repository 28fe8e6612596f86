import { hash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../../http/exchange.ts'
import { type LiveNetworks, liveNetworks } from '../live-networks.ts'
import type { PolicyToolbox } from '../policy.ts'
import type { CdnOptions } from './options.ts'

/** Whether a request has come through the CDN. */
export type CdnCheck = (exchange: Exchange) => boolean

/**
 * Compiles how the CDN is known: by all that the options name of networks, a secret and a certificate. Null where they name nothing. The
 * field with the secret is taken out of every request.
 */
export function compileCheck({ from, secret, certificate }: CdnOptions, toolbox: PolicyToolbox): CdnCheck | null {
  const checks: CdnCheck[] = []
  if (from !== undefined) checks.push(comesFrom(liveNetworks(from, toolbox)))
  if (secret !== undefined) checks.push(knowsSecret(secret))
  if (certificate) checks.push(({ client }) => client.peerCertificate !== null)
  if (checks.length === 0) return null
  return (exchange) => {
    let passes = true
    // All of them, as the secret is taken out on the way.
    for (const check of checks) passes = check(exchange) && passes
    return passes
  }
}

/** The CDN may speak to a load balancer, whose word counts where it is trusted. */
function comesFrom(networks: LiveNetworks): CdnCheck {
  return ({ client: { hops } }) => hops.some((hop) => networks.has(hop))
}

function knowsSecret({ header, values }: NonNullable<CdnOptions['secret']>): CdnCheck {
  const digests = values.map(digestOf)
  return ({ headers }) => {
    const given = headers.single(header)
    headers.delete(header)
    if (typeof given !== 'string') return false
    const digest = digestOf(given)
    let known = false
    // Each of them, in the same time whichever it is.
    for (const each of digests) known = timingSafeEqual(each, digest) || known
    return known
  }
}

function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}
