import { hash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../../http/exchange.ts'
import { type LiveNetworks, liveNetworks } from '../live-networks.ts'
import type { PolicyToolbox } from '../policy.ts'
import type { CdnOptions } from './options.ts'

/** Whether a request has come through the CDN. */
export type CdnCheck = (exchange: Exchange) => boolean

/**
 * Compiles the check that identifies the CDN by the networks, the secret and the certificate of the options, as far as they are
 * given. Null if none is. The header with the secret is removed from every request.
 */
export function compileCheck({ from, secret, certificate }: CdnOptions, toolbox: PolicyToolbox): CdnCheck | null {
  const checks: CdnCheck[] = []
  if (from !== undefined) checks.push(comesFrom(liveNetworks(from, toolbox)))
  if (secret !== undefined) checks.push(knowsSecret(secret))
  if (certificate) checks.push(({ client }) => client.peerCertificate !== null)
  if (checks.length === 0) return null
  return (exchange) => {
    let passes = true
    // All checks are run, as one of them also removes the secret.
    for (const check of checks) passes = check(exchange) && passes
    return passes
  }
}

/** The CDN may connect through a load balancer, which counts if it is a trusted proxy. */
function comesFrom(networks: LiveNetworks): CdnCheck {
  return ({ client: { hops } }) => hops.some((hop) => networks.has(hop))
}

function knowsSecret({ header, values }: NonNullable<CdnOptions['secret']>): CdnCheck {
  const digests = values.map(digestOf)
  return ({ headers }) => {
    const sent = headers.single(header)
    headers.delete(header)
    if (typeof sent !== 'string') return false
    const digest = digestOf(sent)
    let known = false
    // All of them are compared, in constant time.
    for (const each of digests) known = timingSafeEqual(each, digest) || known
    return known
  }
}

function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}
