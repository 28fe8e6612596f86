import type { LoggedRequest } from './logged-request.ts'

/**
 * Puts requests in the order in which they began: the log has them in the order in which they ended, written by several workers. It is a
 * heap of the last `size` requests; a request that began before one already returned is out of order.
 */
export class InOrder {
  private readonly heap: LoggedRequest[] = []
  private readonly size: number

  constructor(size: number) {
    this.size = size
  }

  /** Adds a request, and returns the one that began first if the heap is full; otherwise null. */
  put(request: LoggedRequest): LoggedRequest | null {
    const { heap } = this
    let at = heap.length
    heap.push(request)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(request, above)) break
      heap[at] = above
      heap[parent] = request
      at = parent
    }
    return heap.length > this.size ? this.take() : null
  }

  /** Removes the one that began first; null if none are left. */
  take(): LoggedRequest | null {
    const { heap } = this
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined) return null
    if (heap.length > 0) this.sink(last)
    return first
  }

  private sink(request: LoggedRequest): void {
    const { heap } = this
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const [one, other] = [heap[left], heap[left + 1]]
      if (one === undefined) break
      const [below, place] = other !== undefined && isBefore(other, one) ? [other, left + 1] : [one, left]
      if (!isBefore(below, request)) break
      heap[at] = below
      at = place
    }
    heap[at] = request
  }
}

function isBefore(a: LoggedRequest, b: LoggedRequest): boolean {
  return a.start < b.start || (a.start === b.start && a.line < b.line)
}
