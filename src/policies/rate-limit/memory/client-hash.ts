/** Identifies a client under one quota in the table: two hashes of 32 bits each. */
export interface ClientHash {
  /** Determines where its entries are; never one of the two reserved numbers. */
  tag: number
  check: number
}

/**
 * Hashes a client's name with two seeds that differ for each quota, and writes the result to `into`. With a million clients, any
 * two have the same hash with a probability below 1 in 10 million.
 */
export function hashClient(client: string, first: number, second: number, into: ClientHash): void {
  let a = first
  let b = second
  for (let i = 0; i < client.length; i++) {
    const code = client.charCodeAt(i)
    a = Math.imul(a ^ code, 0x9e3779b1)
    b = Math.imul(b ^ code, 0x85ebca6b)
    a ^= a >>> 15
    b ^= b >>> 13
  }
  setHash(into, a, b)
}

/** The hash of a part of what another hash stands for. */
export function hashPart({ tag, check }: ClientHash, part: number, into: ClientHash): void {
  setHash(into, Math.imul(tag ^ part, 0x9e3779b1), Math.imul(check + part, 0x85ebca6b))
}

/** Derives a number from a text, as a seed. */
export function seedOf(text: string, seed: number): number {
  const hash = { tag: 0, check: 0 }
  hashClient(text, seed, ~seed, hash)
  return hash.tag
}

/** Mixes both numbers so that every input bit affects every output bit. */
function setHash(into: ClientHash, a: number, b: number): void {
  const tag = mix(a ^ Math.imul(b, 0xc2b2ae35))
  into.tag = tag >>> 1 === 0 ? tag + 2 : tag
  into.check = mix(b ^ Math.imul(tag, 0x27d4eb2f))
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return mixed ^ (mixed >>> 16)
}
