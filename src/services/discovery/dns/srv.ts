/** An SRV record (RFC 2782). */
export interface SrvRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** Records of weight 0 get this fraction (1/LITTLE) of the lowest weight above 0: RFC 2782 asks for "a very small chance". */
const LITTLE = 100

/** The records with the lowest priority value, which are preferred over all others; none if the service states that it is not available. */
export function firstOf(records: readonly SrvRecord[]): readonly SrvRecord[] {
  const lowest = Math.min(...records.map(({ priority }) => priority))
  return records.filter(({ name, priority }) => priority === lowest && name !== '' && name !== '.')
}

/**
 * The weight of each address of a record, so that its addresses together have the record's share. `parts` has the weight and the number of
 * addresses of each record. The results are integers, as small as possible.
 */
export function sharesOf(parts: readonly { readonly weight: number; readonly addresses: number }[]): readonly number[] {
  const weights = parts.map(({ weight }) => weight)
  const some = weights.some((weight) => weight > 0)
  const raised = weights.map((weight) => (!some ? 1 : weight === 0 ? 1 : weight * LITTLE))
  const multiple = parts.reduce((product, { addresses }) => lcm(product, Math.max(addresses, 1)), 1)
  const shares = raised.map((weight, i) => {
    const addresses = Math.max(parts[i]?.addresses ?? 1, 1)
    return Math.max(1, Math.round((weight * multiple) / addresses))
  })
  const divisor = shares.reduce(gcd, 0)
  return shares.map((share) => share / Math.max(divisor, 1))
}

/** If the address counts have no reasonably small common multiple, shares are approximate. */
const MAX_SIZE = 1_000_000

function lcm(a: number, b: number): number {
  const multiple = (a / gcd(a, b)) * b
  return multiple > MAX_SIZE ? a : multiple
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
