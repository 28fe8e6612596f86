import { isIPv4 } from 'node:net'
import { ipOctets } from './ip-octets.ts'

/** The first 12 octets of IPv6 addresses that stand for IPv4 addresses (RFC 4291 section 2.5.5.2). */
const MAPPED = '00000000000000000000ffff'

/**
 * A set of addresses, made of addresses and networks in CIDR notation. Looking an address up takes a number of steps that grows with the
 * logarithm of the number of networks. An IPv4 address and the IPv6 address that stands for it are the same one.
 */
export class NetworkSet {
  private readonly v4: Ranges
  private readonly v6: Ranges

  /** Each must be one that `isNetwork` takes; octets beyond a prefix count as zeros. */
  constructor(networks: readonly string[]) {
    const ranges = networks.flatMap((network) => rangeOf(network) ?? [])
    this.v4 = new Ranges(ranges.filter(({ first }) => first.length === 8))
    this.v6 = new Ranges(ranges.filter(({ first }) => first.length === 32))
  }

  /** Whether it holds the address; false for a text that is none. */
  has(address: string): boolean {
    const key = keyOf(address)
    if (key === null) return false
    return (key.length === 8 ? this.v4 : this.v6).has(key)
  }
}

/** The first and the last address of a network, as hexadecimal digits: 8 of IPv4, 32 of IPv6. */
interface Range {
  readonly first: string
  readonly last: string
}

/** Ranges of addresses of one family. */
class Ranges {
  /** Rising, and apart from one another. */
  private readonly firsts: string[] = []
  private readonly lasts: string[] = []

  constructor(ranges: readonly Range[]) {
    for (const { first, last } of ranges.toSorted((a, b) => (a.first < b.first ? -1 : Number(a.first > b.first)))) {
      const before = this.lasts.at(-1)
      if (before === undefined || first > before) {
        this.firsts.push(first)
        this.lasts.push(last)
      } else if (last > before) this.lasts[this.lasts.length - 1] = last
    }
  }

  has(key: string): boolean {
    let low = 0
    let high = this.firsts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.firsts[middle] ?? '') <= key) low = middle + 1
      else high = middle
    }
    // The last range that does not begin behind it.
    return low > 0 && key <= (this.lasts[low - 1] ?? '')
  }
}

/** Hexadecimal digits of an address, by which addresses of a family are in order; null for any other text. */
function keyOf(address: string): string | null {
  if (isIPv4(address)) return hexOf(address)
  // The zone says on which link it is, not which address (RFC 4007 section 11).
  const zone = address.indexOf('%')
  const digits = hexOf(zone === -1 ? address : address.slice(0, zone))
  return digits?.startsWith(MAPPED) === true ? digits.slice(MAPPED.length) : digits
}

function hexOf(address: string): string | null {
  return ipOctets(address)?.toString('hex') ?? null
}

function rangeOf(network: string): Range | null {
  const [address = '', prefix] = network.split('/')
  const key = keyOf(address)
  if (key === null) return null
  const bits = key.length * 4
  if (prefix === undefined) return { first: key, last: key }
  // Of a network of mapped addresses, the prefix counts the octets before the IPv4 address too.
  const isMapped = key.length === 8 && !isIPv4(address)
  const kept = Number(prefix) - (isMapped ? 96 : 0)
  if (kept < 0) return beyondMapped(Number(prefix))
  const value = BigInt(`0x${key}`)
  const free = BigInt(bits - kept)
  const first = (value >> free) << free
  return { first: padded(first, bits), last: padded(first + (1n << free) - 1n, bits) }
}

/** A network of IPv6 that begins so, and in which the mapped addresses are only some: it is one of IPv6 addresses. */
function beyondMapped(prefix: number): Range {
  const free = BigInt(128 - prefix)
  const first = ((0xffffn << 32n) >> free) << free
  return { first: padded(first, 128), last: padded(first + (1n << free) - 1n, 128) }
}

function padded(value: bigint, bits: number): string {
  return value.toString(16).padStart(bits / 4, '0')
}
