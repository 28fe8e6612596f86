import { memoize } from '../core/memoize.ts'

/** What a client accepts, out of the codings on offer. */
export interface Acceptance<Name extends string> {
  /** The coding that it prefers, or null where it prefers none at all. */
  readonly coding: Name | null
  /** The client does not accept a reply without a coding. */
  readonly refusesIdentity: boolean
}

const ELEMENT = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[\t ]*;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/

/**
 * Evaluates the Accept-Encoding of clients (RFC 9110 section 12.5.3). Results are remembered, as few different values
 * are sent in practice. Among codings that the client weights equally, the first one offered wins.
 */
export function createNegotiation<Name extends string>(
  offered: readonly Name[],
): (acceptEncoding: string) => Acceptance<Name> {
  return memoize((acceptEncoding) => negotiate(offered, acceptEncoding))
}

function negotiate<Name extends string>(offered: readonly Name[], acceptEncoding: string): Acceptance<Name> {
  const weights = parse(acceptEncoding)
  const others = weights.get('*')
  let coding: Name | null = null
  // Without an explicit weight, identity is the client's last choice, unless it is ruled out.
  let max = weights.get('identity') ?? 0
  for (const name of offered) {
    const weight = weights.get(name) ?? others ?? 0
    if (weight === 0 || weight < max || (coding !== null && weight === max)) continue
    coding = name
    max = weight
  }
  return { coding, refusesIdentity: (weights.get('identity') ?? others ?? 1) === 0 }
}

/** Coding -> weight; malformed elements are ignored. */
function parse(acceptEncoding: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const element of acceptEncoding.toLowerCase().split(',')) {
    const match = ELEMENT.exec(element.trim())
    if (match === null) continue
    const [, name = '', weight = '1'] = match
    // "x-gzip" is an alias of "gzip" (RFC 9110 section 8.4.1.3).
    weights.set(name === 'x-gzip' ? 'gzip' : name, Number(weight))
  }
  return weights
}
