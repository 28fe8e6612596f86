import { fieldOf, type Fields, isFields } from '../../core/value.ts'
import { parseHostAndPort } from '../../config/addresses.ts'
import { isToken } from '../../core/field.ts'
import { numberOf, textOf } from '../read.ts'
import { hasVariable } from '../variables.ts'
import type { Context } from './context.ts'
import type { Entity } from './entities.ts'
import { healthOf } from './health.ts'

/** The default port of a target. */
const DEFAULT_PORT = 8000
const DEFAULT_WEIGHT = 100
const MAX_WEIGHT = 1000

interface Target {
  readonly address: string
  readonly weight: number
  readonly entity: Entity
}

/** The options of a service whose host is an upstream; null if it has no usable target. */
export function instancesOf(upstream: Entity, scheme: string, context: Context): Fields | null {
  const targets = targetsOf(upstream, context)
  if (!targets.some(({ weight }) => weight > 0)) {
    upstream.entry.tell('left out', 'It has no target with a weight above 0.')
    return null
  }
  const weights = scaled(targets.map(({ weight }) => weight))
  const isEven = weights.every((weight) => weight === weights[0])
  return {
    instances: targets.map(({ address }, i) => {
      const url = `${scheme}://${address}`
      return isEven ? url : { url, weight: weights[i] ?? 1 }
    }),
    ...(targets.length > 1 && { balancer: balancerOf(upstream) }),
    ...healthOf(upstream, scheme),
  }
}

function targetsOf(upstream: Entity, context: Context): Target[] {
  const { entities } = context
  const known = new Set<string>()
  return entities.ofKind('targets').flatMap((entity): Target[] => {
    if (entities.of(entity, 'upstream') !== upstream) return []
    const written = textOf(entity.fields['target']) ?? ''
    const address = addressOf(written)
    if (address === null) {
      entity.entry.tell('left out', `${JSON.stringify(written)} is not a host and port.`)
      return []
    }
    if (known.has(address)) {
      entity.entry.tell('left out', 'It is a duplicate: give the other one the weight of both.')
      return []
    }
    known.add(address)
    const weight = Math.max(0, Math.round(numberOf(entity.fields['weight']) ?? DEFAULT_WEIGHT))
    if (weight === 0) entity.entry.tell('exact', 'It gets no requests, because its weight is 0.')
    return [{ address, weight, entity }]
  })
}

/** With its port; null if it is not an address. */
function addressOf(written: string): string | null {
  if (hasVariable(written)) return /^[^\s/]+$/.test(written) ? written : null
  const parsed = parseHostAndPort(written)
  if (parsed === undefined || parsed.port === 0) return null
  const host = parsed.host.includes(':') ? `[${parsed.host}]` : parsed.host
  return `${host}:${parsed.port ?? DEFAULT_PORT}`
}

/** Keeps the proportions as well as whole numbers up to the maximum weight can. */
function scaled(weights: readonly number[]): number[] {
  const common = weights.reduce(greatestCommonDivisor, 0)
  const highest = Math.max(...weights) / common
  const factor = highest > MAX_WEIGHT ? MAX_WEIGHT / highest : 1
  return weights.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round((weight / common) * factor))))
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

function balancerOf(upstream: Entity): unknown {
  const { entry, fields } = upstream
  const algorithm = textOf(fields['algorithm']) ?? 'round-robin'
  if (algorithm === 'round-robin') return 'round-robin'
  if (algorithm === 'least-connections') return 'least-requests'
  if (algorithm === 'latency') return 'latency'
  if (algorithm === 'consistent-hashing') return hashOf(upstream)
  entry.tell('different', `The algorithm ${algorithm} is not supported: least-requests is used. See docs/balancing.md.`)
  return 'least-requests'
}

/** The request property that selects the instance. */
function hashOf({ entry, fields }: Entity): unknown {
  const on = textOf(fields['hash_on']) ?? 'none'
  const fallback = textOf(fields['hash_fallback']) ?? 'none'
  if (fallback !== 'none')
    entry.tell('different', `hash_fallback ${fallback} was left out: least-requests is the fallback.`)
  if (on === 'consumer' || on === 'ip') return { hash: { by: on } }
  const name = textOf(fields[`hash_on_${on === 'query_arg' ? 'query_arg' : on}`])
  if (on === 'header' && name !== undefined && isToken(name)) return { hash: { by: { header: name } } }
  if (on === 'query_arg' && name !== undefined && name !== '') return { hash: { by: { query: name } } }
  if (on === 'cookie' && name !== undefined && isToken(name)) {
    entry.tell(
      'different',
      'Kong sets the cookie if the client has none. Here it does not: see sticky in docs/balancing.md.',
    )
    return { hash: { by: { cookie: name } } }
  }
  if (on !== 'none') entry.tell('different', `hash_on ${on} is not supported: the client address is used.`)
  return { hash: { by: 'ip' } }
}

/** The Host header that an upstream sets for its targets. */
export function hostHeaderOf(upstream: Entity): string | null {
  const host = textOf(fieldOf(upstream.fields, 'host_header'))
  return host === undefined || host === '' ? null : host
}

/** Reports the remaining settings of an upstream. */
export function tellOfUpstream({ entry, fields }: Entity): void {
  if (isFields(fields['client_certificate']) || textOf(fields['client_certificate']) !== undefined)
    entry.tell(
      'different',
      'The client certificate was left out: name its files in tls.cert and tls.key of the service.',
    )
}
