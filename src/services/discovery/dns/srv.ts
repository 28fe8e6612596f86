/** A record that says where a service runs (RFC 2782). */
export interface SrvRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** How much less than those with the least weight above 0 records with weight 0 get: RFC 2782 wants "a very small chance". */
const LITTLE = 100

/** Those of the lowest priority, which come before all others; none where the service says that it runs nowhere. */
export function firstOf(records: readonly SrvRecord[]): readonly SrvRecord[] {
  const lowest = Math.min(...records.map(({ priority }) => priority))
  return records.filter(({ name, priority }) => priority === lowest && name !== '' && name !== '.')
}

/**
 * The weight of each address of a record: all of them together have its share. `parts` says of each record its weight and how many
 * addresses its target has. Whole numbers, as small as may be.
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

/** Where addresses are so many that no whole number is a multiple of all of their counts, the shares are about right. */
const LARGEST = 1_000_000

function lcm(a: number, b: number): number {
  const multiple = (a / gcd(a, b)) * b
  return multiple > LARGEST ? a : multiple
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
