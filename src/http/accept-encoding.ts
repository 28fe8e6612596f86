import { remember } from '../core/remember.ts'

/** What a client takes, of the codings that are offered. */
export interface Acceptance<Name extends string> {
  /** The coding that it likes best, or null where it would rather have none. */
  readonly coding: Name | null
  /** It takes no reply without a coding. */
  readonly refusesIdentity: boolean
}

const ELEMENT = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[\t ]*;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/

/**
 * Answers the Accept-Encoding of clients (RFC 9110 section 12.5.3), of which few different ones are sent. Of codings
 * that a client likes equally it takes the first offered.
 */
export function createNegotiation<Name extends string>(
  offered: readonly Name[],
): (acceptEncoding: string) => Acceptance<Name> {
  return remember((acceptEncoding) => negotiate(offered, acceptEncoding))
}

function negotiate<Name extends string>(offered: readonly Name[], acceptEncoding: string): Acceptance<Name> {
  const weights = parse(acceptEncoding)
  const others = weights.get('*')
  let coding: Name | null = null
  // Without a weight of its own, no coding is what a client takes least gladly, unless it says that it does not.
  let most = weights.get('identity') ?? 0
  for (const name of offered) {
    const weight = weights.get(name) ?? others ?? 0
    if (weight === 0 || weight < most || (coding !== null && weight === most)) continue
    coding = name
    most = weight
  }
  return { coding, refusesIdentity: (weights.get('identity') ?? others ?? 1) === 0 }
}

/** Coding -> weight; what is malformed counts for nothing. */
function parse(acceptEncoding: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const element of acceptEncoding.toLowerCase().split(',')) {
    const match = ELEMENT.exec(element.trim())
    if (match === null) continue
    const [, name = '', weight = '1'] = match
    // RFC 9110 section 8.4.1.3
    weights.set(name === 'x-gzip' ? 'gzip' : name, Number(weight))
  }
  return weights
}
