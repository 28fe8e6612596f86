/** Bytes of a unit: entries are aligned to it, as they contain numbers of 64 bits. */
export const UNIT = 8
const WORD = Int32Array.BYTES_PER_ELEMENT
/** Words of a unit. */
export const UNIT_WORDS = UNIT / WORD

/** Larger memories are not used beyond this: references have 32 bits. */
const MAX_BYTES = 8 * 1024 ** 3
/** With less space for entries than this, nothing is stored. */
const MIN_RING_BYTES = 4_096

/** Words of the header: the write lock, and the seed of the hashes. */
export const LOCK = 0
export const SEED = 1
/** The ring, in units: the position of the next entry, that of the oldest one, and the space in use. */
export const HEAD = 2
export const TAIL = 3
export const USED = 4
/** Units of live entries, and their number. */
export const LIVE = 5
export const ENTRIES = 6
/** The number of the latest flight. */
export const FLIGHT_SERIAL = 7
/** The unit with the id of the latest entry. It has 64 bits: a large cache would exhaust 32 bits within days. */
export const SERIAL = 4
const HEADER_WORDS = 16

/** Words of a slot of `flight-table.ts`. */
export const FLIGHT_WORDS = 4
/** Words of a bucket: its first node, its version, and whether one of its entries was used recently. */
export const BUCKET_WORDS = 3

/** The positions of all parts of the memory, in words; those of `invalidations` in units. */
export interface Layout {
  /** Total size in bytes. */
  readonly bytes: number
  /** Times of invalidations: first the latest one of a prefix, then those of URLs and groups, by hash. */
  readonly invalidations: number
  readonly invalidationMask: number
  readonly flights: number
  readonly flightMask: number
  readonly buckets: number
  readonly bucketMask: number
  /** Heads of the chains of entries with the same URL or group. */
  readonly tags: number
  readonly tagMask: number
  /** The ring buffer of entries. */
  readonly ring: number
  /** Size of the ring in units. */
  readonly units: number
}

/** Divides a memory of that many bytes; null if it is too small. */
export function layOut(wanted: number): Layout | null {
  const bytes = Math.floor(Math.min(wanted, MAX_BYTES) / UNIT) * UNIT
  const invalidations = powerOfTwo(bytes / 16_384, 8, 4_096)
  const flights = powerOfTwo(bytes / 65_536, 8, 1_024)
  const buckets = powerOfTwo(bytes / 1_024, 8, 2 ** 22)
  const invalidationsAt = HEADER_WORDS / UNIT_WORDS
  const flightsAt = (invalidationsAt + 1 + invalidations) * UNIT_WORDS
  const bucketsAt = flightsAt + flights * FLIGHT_WORDS
  const tagsAt = bucketsAt + buckets * BUCKET_WORDS
  const ring = Math.ceil((tagsAt + buckets) / UNIT_WORDS) * UNIT_WORDS
  const units = bytes / UNIT - ring / UNIT_WORDS
  if (units * UNIT < MIN_RING_BYTES) return null
  return {
    bytes,
    invalidations: invalidationsAt,
    invalidationMask: invalidations - 1,
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

/** The largest power of two that is not larger than the number, within these bounds. */
function powerOfTwo(number: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, 2 ** Math.floor(Math.log2(Math.max(1, number)))))
}
