import { ipBytes } from './ip-bytes.ts'

/** The first 12 bytes of IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2). */
const MAPPED = '00000000000000000000ffff'

const ZERO = 48
const NINE = 57
const DOT = 46

/**
 * A set of IP addresses, built from addresses and networks in CIDR notation. A lookup takes logarithmic time in the number of networks. An
 * IPv4 address and its IPv4-mapped IPv6 address are treated as the same.
 */
export class NetworkSet {
  /** IPv4 addresses are numbers, IPv6 addresses 32 hexadecimal digits. */
  private readonly v4: Ranges<number>
  private readonly v6: Ranges<string>

  /** Each entry must satisfy `isNetwork`; bits beyond a prefix are treated as zeros. */
  constructor(networks: readonly string[]) {
    const v4: number[] = []
    const v6: Range<string>[] = []
    for (const network of networks) {
      const [address = '', prefix] = network.split('/')
      const key = keyOf(address)
      if (typeof key === 'number') v4.push(packed(key, mappedPrefix(address, prefix)))
      else if (key !== null) v6.push(rangeOf(key, prefix === undefined ? 128 : Number(prefix)))
    }
    this.v4 = new Ranges(rangesOf(v4))
    this.v6 = new Ranges(v6.toSorted((a, b) => (a.first < b.first ? -1 : Number(a.first > b.first))))
  }

  /** Whether the set contains the address; false for text that is not an address. */
  has(address: string): boolean {
    const key = keyOf(address)
    if (key === null) return false
    return typeof key === 'number' ? this.v4.has(key) : this.v6.has(key)
  }
}

/** The first and last address of a network. */
interface Range<Key> {
  readonly first: Key
  readonly last: Key
}

/** Address ranges of one family. */
class Ranges<Key extends number | string> {
  /** Ascending and disjoint. */
  private readonly firsts: Key[] = []
  private readonly lasts: Key[] = []

  /** Ranges must be passed in ascending order of their first addresses. */
  constructor(ranges: Iterable<Range<Key>>) {
    for (const { first, last } of ranges) {
      const before = this.lasts.at(-1)
      if (before === undefined || first > before) {
        this.firsts.push(first)
        this.lasts.push(last)
      } else if (last > before) this.lasts[this.lasts.length - 1] = last
    }
  }

  has(key: Key): boolean {
    const { firsts, lasts } = this
    let low = 0
    let high = firsts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = firsts[middle]
      if (first !== undefined && first <= key) low = middle + 1
      else high = middle
    }
    // Of the last range that begins at or before the key.
    const last = lasts[low - 1]
    return last !== undefined && key <= last
  }
}

/** The sort key of an address within its family; null for text that is not an address. */
function keyOf(address: string): number | string | null {
  const number = v4Of(address)
  if (number !== null) return number
  // The zone identifies a link and is not part of the address (RFC 4007 section 11).
  const zone = address.indexOf('%')
  const digits = ipBytes(zone === -1 ? address : address.slice(0, zone))?.toString('hex')
  if (digits === undefined) return null
  return digits.startsWith(MAPPED) ? Number.parseInt(digits.slice(MAPPED.length), 16) : digits
}

/** An IPv4 address as a number; null for any other text. Runs for each request, so it allocates no strings. */
function v4Of(text: string): number | null {
  const { length } = text
  if (length < 7 || length > 15) return null
  let value = 0
  let part = 0
  let digits = 0
  let dots = 0
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT) {
      if (digits === 0 || ++dots > 3) return null
      value = value * 256 + part
      part = digits = 0
    } else {
      // Leading zeros are rejected, as some parsers read such numbers as octal.
      if (code < ZERO || code > NINE || (digits > 0 && part === 0)) return null
      part = part * 10 + code - ZERO
      digits++
      if (part > 255) return null
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + part : null
}

/** The IPv4 prefix length of an IPv4-mapped IPv6 network, whose own prefix also counts the 12 bytes before the IPv4 address. */
function mappedPrefix(address: string, prefix: string | undefined): number {
  if (prefix === undefined) return 32
  const bits = Number(prefix)
  return address.includes(':') ? bits - 96 : bits
}

/**
 * Packs an IPv4 network into one sortable number. Returns -1, which is ignored, for an IPv4-mapped network whose IPv6 prefix is shorter
 * than the 96 bits of the mapped range.
 */
function packed(key: number, prefix: number): number {
  if (prefix < 0) return -1
  const size = 2 ** (32 - prefix)
  return Math.floor(key / size) * size * 64 + prefix
}

function* rangesOf(networks: readonly number[]): Generator<Range<number>> {
  for (const network of Float64Array.from(networks).sort()) {
    if (network < 0) continue
    const first = Math.floor(network / 64)
    yield { first, last: first + 2 ** (32 - (network % 64)) - 1 }
  }
}

/** The range of hexadecimal digits that an IPv6 network covers. */
function rangeOf(key: string, prefix: number): Range<string> {
  const whole = Math.floor(prefix / 4)
  if (whole === 32) return { first: key, last: key }
  const fixedDigits = key.slice(0, whole)
  const free = 0b1111 >> (prefix % 4)
  const digit = Number.parseInt(key.charAt(whole), 16)
  return {
    first: `${fixedDigits}${(digit & ~free).toString(16)}`.padEnd(32, '0'),
    last: `${fixedDigits}${(digit | free).toString(16)}`.padEnd(32, 'f'),
  }
}
