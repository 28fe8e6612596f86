import { BoundedMap } from '../../core/bounded-map.ts'
import type { ClientIdentity } from './client-name.ts'

/** Percentage of a quota above which a client is near its limit. */
export const NEAR = 80

/** Minimum number of clients remembered in one thread; at most twice as many are. */
const SIZE = 256

/** A client that was near a limit when it was last seen. */
export interface NearLimitEntry {
  readonly client: ClientIdentity
  /** The name under which it is counted. */
  readonly name: string
  /** The key of the known limit. */
  readonly limit: string
  /** Requests refused since it was noticed. */
  refused: number
  /** When it was last seen near or over the limit, in milliseconds since 1970-01-01T00:00:00Z. */
  at: number
}

/**
 * Names of clients near or over their limits, as seen by one thread: the counts themselves only contain hashes. If there are too
 * many, those not seen for longest are dropped.
 */
export class NearLimits {
  private readonly seen = new BoundedMap<string, NearLimitEntry>(SIZE)

  /** All remembered sightings, including expired ones. */
  get entries(): Iterable<NearLimitEntry> {
    return Array.from(this.seen, ([, sighting]) => sighting)
  }

  /** Records that a client, returned by `identify`, is near that limit. */
  note(limit: string, name: string, admitted: boolean, at: number, identify: () => ClientIdentity): void {
    const key = `${name} ${limit}`
    let sighting = this.seen.get(key)
    if (sighting === undefined) {
      sighting = { client: identify(), name, limit, refused: 0, at }
      this.seen.set(key, sighting)
    }
    sighting.at = at
    if (!admitted) sighting.refused++
  }

  /** Drops a sighting after the client's counts were reset. */
  forget(sighting: NearLimitEntry): void {
    this.seen.delete(`${sighting.name} ${sighting.limit}`)
  }
}
