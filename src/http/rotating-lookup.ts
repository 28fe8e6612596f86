import dns, { type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/**
 * A lookup for `connect`, of the few names of a configuration, that gives all addresses of a name, each time beginning with another one: a name with several
 * addresses is several machines. The kinds of address stay in the order that the system prefers. Node tries one after
 * the other until a connection stands (RFC 8305).
 */
export function rotatingLookup(): LookupFunction {
  /** Of each name, how often it was asked for. */
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

/** The addresses with those of each family moved on by so many places. */
export function rotate(addresses: readonly LookupAddress[], by: number): LookupAddress[] {
  const families = [...new Set(addresses.map(({ family }) => family))]
  return families.flatMap((family) => {
    const list = addresses.filter((address) => address.family === family)
    const start = by % list.length
    return list.slice(start).concat(list.slice(0, start))
  })
}
