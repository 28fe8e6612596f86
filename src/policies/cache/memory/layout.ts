/** Octets of a unit: entries begin and end at multiples of it, so that numbers of 64 bits may lie in them. */
export const UNIT = 8
const WORD = Int32Array.BYTES_PER_ELEMENT
/** Words of a unit. */
export const UNIT_WORDS = UNIT / WORD

/** More than that is not used: references are 32 bits. */
const MOST = 8 * 1024 ** 3
/** With less room for entries than that nothing is kept. */
const LEAST = 4_096

/** Words of the header, by what is in them. */
export const LOCK = 0
export const SEED = 1
/** Of the ring, in units: where the next entry goes, where the oldest one lies, and what is between them. */
export const HEAD = 2
export const TAIL = 3
export const USED = 4
/** Of that the units of entries that can be found, and how many these are. */
export const LIVE = 5
export const ENTRIES = 6
/** The number that was given last to a flight. */
export const FLIGHT_SERIAL = 7
/** The unit of the one that was given last to an entry: of 32 bits, a large cache would use them up in days. */
export const SERIAL = 4
const HEADER_WORDS = 16

/** Words of a flight; see `flight-board.ts`. */
export const FLIGHT_WORDS = 4
/** Words of a bucket of keys: its first node, its version, and whether something in it was used lately. */
export const BUCKET_WORDS = 3

/** Where everything lies in a memory of that many octets; in words, but for `moments`, which is in units. */
export interface Layout {
  /** Octets that it takes in all. */
  readonly octets: number
  /** When something was made invalid: the first one is that of prefixes, the others are found by hashes. */
  readonly moments: number
  readonly momentMask: number
  readonly flights: number
  readonly flightMask: number
  readonly buckets: number
  readonly bucketMask: number
  /** Heads of the chains by URL and by group. */
  readonly tags: number
  readonly tagMask: number
  /** Entries, one behind the other, round and round. */
  readonly ring: number
  /** Its length in units. */
  readonly units: number
}

/** How so many octets are made use of; null where they are too few for anything. */
export function layOut(wanted: number): Layout | null {
  const octets = Math.floor(Math.min(wanted, MOST) / UNIT) * UNIT
  const moments = powerOfTwo(octets / 16_384, 8, 4_096)
  const flights = powerOfTwo(octets / 65_536, 8, 1_024)
  const buckets = powerOfTwo(octets / 1_024, 8, 2 ** 22)
  const momentsAt = HEADER_WORDS / UNIT_WORDS
  const flightsAt = (momentsAt + 1 + moments) * UNIT_WORDS
  const bucketsAt = flightsAt + flights * FLIGHT_WORDS
  const tagsAt = bucketsAt + buckets * BUCKET_WORDS
  const ring = Math.ceil((tagsAt + buckets) / UNIT_WORDS) * UNIT_WORDS
  const units = octets / UNIT - ring / UNIT_WORDS
  if (units * UNIT < LEAST) return null
  return {
    octets,
    moments: momentsAt,
    momentMask: moments - 1,
    flights: flightsAt,
    flightMask: flights - 1,
    buckets: bucketsAt,
    bucketMask: buckets - 1,
    tags: tagsAt,
    tagMask: buckets - 1,
    ring,
    units,
  }
}

/** The power of two that is next below, within those bounds. */
function powerOfTwo(number: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, 2 ** Math.floor(Math.log2(Math.max(1, number)))))
}
