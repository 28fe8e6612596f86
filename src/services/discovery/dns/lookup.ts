import type { DiscoveredInstance } from '../discoverer.ts'
import { type Names, NoRecords } from './names.ts'
import type { DnsOptions } from './options.ts'
import { firstOf, sharesOf } from './srv.ts'

/** Result of a lookup. */
export interface Looked {
  /** Empty if the name exists but has no such records. */
  readonly instances: readonly DiscoveredInstance[]
  /** How long the result is valid, in milliseconds. */
  readonly ttl: number
  /** What part of the result is outdated or missing, and why; null if none. */
  readonly problem: string | null
}

/** What is known about the addresses of one name. */
interface Known {
  /** The addresses just received; for a family that was not answered, the previous ones. */
  readonly addresses: readonly string[]
  /** Whether at least one family was answered just now, be it with no addresses. */
  readonly fresh: boolean
  readonly ttl: number
  readonly problem: string | null
}

const FAMILIES = { both: [4, 6], A: [4], AAAA: [6], SRV: [4, 6] } as const

/**
 * Looks up the instances of one name. If only part of the queries is answered, for example not the one for IPv6, the rest is taken from the
 * previous answers.
 */
export class Lookup {
  private readonly options: DnsOptions
  /** The most recent addresses, by family and name. */
  private last: ReadonlyMap<string, readonly string[]> = new Map()

  constructor(options: DnsOptions) {
    this.options = options
  }

  /** Rejects with an Error that says why nothing is known. */
  async by(names: Names): Promise<Looked> {
    const answered = new Map<string, readonly string[]>()
    const found = await (this.options.type === 'SRV' ? this.services(names, answered) : this.plain(names, answered))
    this.last = answered
    return found
  }

  private async plain(names: Names, answered: Map<string, readonly string[]>): Promise<Looked> {
    const { name, port = 0 } = this.options
    const { addresses, fresh, ttl, problem } = await this.addressesOf(name, names, answered)
    if (!fresh && problem !== null) throw new Error(problem)
    return { instances: addresses.map((host) => ({ host, port, weight: 1, zone: null })), ttl, problem }
  }

  private async services(names: Names, answered: Map<string, readonly string[]>): Promise<Looked> {
    const records = firstOf(await orNone(names.services(this.options.name)))
    const targets = new Map<string, Known>()
    await Promise.all(
      [...new Set(records.map(({ name }) => name))].map(async (target) => {
        // SRV targets are fully qualified (RFC 2782).
        targets.set(target, await this.addressesOf(`${target}.`, names, answered))
      }),
    )
    const all = [...targets.values()]
    const problem = all.find((each) => each.problem !== null)?.problem ?? null
    if (problem !== null && all.every(({ fresh }) => !fresh)) throw new Error(problem)
    const places = records
      .map(({ name, port, weight }) => ({ port, weight, addresses: targets.get(name)?.addresses ?? [] }))
      .filter(({ addresses }) => addresses.length > 0)
    const shares = sharesOf(places.map(({ weight, addresses }) => ({ weight, addresses: addresses.length })))
    const instances = places.flatMap(({ addresses, port }, i) =>
      addresses.map((host) => ({ host, port, weight: shares[i] ?? 1, zone: null })),
    )
    return { instances, ttl: all.reduce((least, { ttl }) => Math.min(least, ttl), Infinity), problem }
  }

  private async addressesOf(name: string, names: Names, answered: Map<string, readonly string[]>): Promise<Known> {
    const addresses: string[] = []
    const problems: string[] = []
    let [fresh, known, ttl] = [false, false, Infinity]
    const unknown: string[] = []
    const ask = async (family: 4 | 6): Promise<void> => {
      const key = `${family} ${name}`
      try {
        const answer = await names.addresses(name, family)
        ;[fresh, known, ttl] = [true, true, Math.min(ttl, answer.ttl)]
        answered.set(key, answer.addresses)
      } catch (error) {
        if (error instanceof NoRecords) {
          known ||= error.known
          if (!error.known) unknown.push(error.message)
          return
        }
        const previous = this.last.get(key) ?? []
        problems.push(error instanceof Error ? error.message : String(error))
        answered.set(key, previous)
      }
    }
    await Promise.all(FAMILIES[this.options.type].map(ask))
    for (const family of FAMILIES[this.options.type]) addresses.push(...(answered.get(`${family} ${name}`) ?? []))
    const [failure] = problems
    // A nonexistent name is not the same as a name without addresses: it may be mistyped or not exist yet.
    if (failure === undefined) return { addresses, fresh: known, ttl, problem: known ? null : (unknown[0] ?? null) }
    return { addresses, fresh, ttl, problem: failure }
  }
}

/** No records if the name exists without any. */
async function orNone<One>(answer: Promise<readonly One[]>): Promise<readonly One[]> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof NoRecords && error.known) return []
    throw error
  }
}
