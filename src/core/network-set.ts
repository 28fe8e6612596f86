import { ipOctets } from './ip-octets.ts'

/** The first 12 octets of IPv6 addresses that stand for IPv4 addresses (RFC 4291 section 2.5.5.2). */
const MAPPED = '00000000000000000000ffff'

const ZERO = 48
const NINE = 57
const DOT = 46

/**
 * A set of addresses, made of addresses and networks in CIDR notation. Looking an address up takes a number of steps that grows with the
 * logarithm of the number of networks. An IPv4 address and the IPv6 address that stands for it are the same one.
 */
export class NetworkSet {
  /** Of IPv4 addresses as numbers, and of IPv6 addresses as 32 hexadecimal digits. */
  private readonly v4: Ranges<number>
  private readonly v6: Ranges<string>

  /** Each must be one that `isNetwork` takes; bits beyond a prefix count as zeros. */
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

  /** Whether it holds the address; false for a text that is none. */
  has(address: string): boolean {
    const key = keyOf(address)
    if (key === null) return false
    return typeof key === 'number' ? this.v4.has(key) : this.v6.has(key)
  }
}

/** The first and the last address of a network. */
interface Range<Key> {
  readonly first: Key
  readonly last: Key
}

/** Ranges of addresses of one family. */
class Ranges<Key extends number | string> {
  /** Rising, and apart from one another. */
  private readonly firsts: Key[] = []
  private readonly lasts: Key[] = []

  /** They must come in the order of their first addresses. */
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
    // Of the last range that does not begin behind it.
    const last = lasts[low - 1]
    return last !== undefined && key <= last
  }
}

/** By what addresses of a family are in order; null for a text that is no address. */
function keyOf(address: string): number | string | null {
  const number = v4Of(address)
  if (number !== null) return number
  // The zone says on which link it is, not which address (RFC 4007 section 11).
  const zone = address.indexOf('%')
  const digits = ipOctets(zone === -1 ? address : address.slice(0, zone))?.toString('hex')
  if (digits === undefined) return null
  return digits.startsWith(MAPPED) ? Number.parseInt(digits.slice(MAPPED.length), 16) : digits
}

/** An IPv4 address as a number; null for any other text. No text is made on the way, as it is for each request. */
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
      // No leading zeros, which some take for octal numbers.
      if (code < ZERO || code > NINE || (digits > 0 && part === 0)) return null
      part = part * 10 + code - ZERO
      digits++
      if (part > 255) return null
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + part : null
}

/** Of an IPv6 network of addresses that stand for IPv4 addresses, the prefix counts the octets before these too. */
function mappedPrefix(address: string, prefix: string | undefined): number {
  if (prefix === undefined) return 32
  const bits = Number(prefix)
  return address.includes(':') ? bits - 96 : bits
}

/** An IPv4 network as one number, by which networks are in order. A mapped one that begins before these addresses has none of them. */
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

/** The digits of a network of IPv6. */
function rangeOf(key: string, prefix: number): Range<string> {
  const whole = Math.floor(prefix / 4)
  if (whole === 32) return { first: key, last: key }
  const kept = key.slice(0, whole)
  const free = 0b1111 >> (prefix % 4)
  const digit = Number.parseInt(key.charAt(whole), 16)
  return {
    first: `${kept}${(digit & ~free).toString(16)}`.padEnd(32, '0'),
    last: `${kept}${(digit | free).toString(16)}`.padEnd(32, 'f'),
  }
}
