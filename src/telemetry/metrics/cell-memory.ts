/** Numbers per block of memory: 64 KiB. */
const CELLS = 8192

/** A range of numbers in memory that other threads can read. */
export interface CellPlace {
  readonly cells: Float64Array<SharedArrayBuffer>
  readonly at: number
  readonly count: number
}

/** The memory in which a thread counts. It grows block by block, and released ranges are reused. */
export class CellMemory {
  private cells = allocate(0)
  private used = 0
  /** Released ranges, by size. */
  private readonly free = new Map<number, CellPlace[]>()

  /** Allocates a range of that many numbers, all 0. */
  take(count: number): CellPlace {
    const again = this.free.get(count)?.pop()
    if (again !== undefined) {
      again.cells.fill(0, again.at, again.at + count)
      return again
    }
    if (this.used + count > this.cells.length) {
      this.cells = allocate(CELLS)
      this.used = 0
    }
    const at = this.used
    this.used += count
    return { cells: this.cells, at, count }
  }

  /** Releases a range that is no longer written or read. */
  giveBack(place: CellPlace): void {
    const places = this.free.get(place.count) ?? []
    places.push(place)
    this.free.set(place.count, places)
  }
}

function allocate(count: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT))
}
