import dns, { type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/**
 * A lookup for `connect` that returns all addresses of a name, rotated by one place at each call: a name with several
 * addresses usually stands for several machines. Address families stay in the order preferred by the system. Node tries
 * one after the other until a connection is established (RFC 8305). Meant for the few names of a configuration.
 */
export function rotatingLookup(): LookupFunction {
  /** For each name, how often it was looked up. */
  const turns = new Map<string, number>()
  return (host, options, done) => {
    dns.lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, [])
      const turn = turns.get(host) ?? 0
      turns.set(host, turn + 1)
      const rotated = rotate(addresses, turn)
      if (options.all === true) return done(null, rotated)
      const [first] = rotated
      done(null, first?.address ?? '', first?.family)
    })
  }
}

/** The addresses, rotated by that many places within each family. */
export function rotate(addresses: readonly LookupAddress[], by: number): LookupAddress[] {
  const families = [...new Set(addresses.map(({ family }) => family))]
  return families.flatMap((family) => {
    const list = addresses.filter((address) => address.family === family)
    const start = by % list.length
    return list.slice(start).concat(list.slice(0, start))
  })
}
