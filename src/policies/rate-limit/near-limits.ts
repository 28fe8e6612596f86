import { BoundedMap } from '../../core/bounded-map.ts'
import type { AskedClient } from './client-name.ts'

/** Per cent of a quota from which on a client is near its limit. */
export const NEAR = 80

/** Clients that are remembered at least, in one thread; twice as many at most. */
const SIZE = 256

/** A client that was near a limit when it was last seen. */
export interface Sighting {
  readonly client: AskedClient
  /** The name that it is counted under. */
  readonly name: string
  /** Which of the known limits it is. */
  readonly limit: string
  /** Requests that were refused since it was noticed. */
  refused: number
  /** When it was last seen near the limit or over it, in milliseconds since 1970-01-01T00:00:00Z. */
  at: number
}

/**
 * Names of clients near or over their limits, as one thread has seen them: the counts themselves know no names. Of too many,
 * those that were not seen for longest make room.
 */
export class NearLimits {
  private readonly seen = new BoundedMap<string, Sighting>(SIZE)

  /** All that are remembered, also those whose time is over. */
  get sightings(): Iterable<Sighting> {
    return Array.from(this.seen, ([, sighting]) => sighting)
  }

  /** A client, which `asked` finds, is near that limit. */
  note(limit: string, name: string, admitted: boolean, at: number, asked: () => AskedClient): void {
    const key = `${name} ${limit}`
    let sighting = this.seen.get(key)
    if (sighting === undefined) {
      sighting = { client: asked(), name, limit, refused: 0, at }
      this.seen.set(key, sighting)
    }
    sighting.at = at
    if (!admitted) sighting.refused++
  }

  /** The client has a new start. */
  forget(sighting: Sighting): void {
    this.seen.delete(`${sighting.name} ${sighting.limit}`)
  }
}
