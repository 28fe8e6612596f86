import type { LoggedRequest } from './logged-request.ts'

/**
 * Puts requests in the order in which they began: the log has them as they ended, and as several workers wrote them. A heap
 * of the last `size` of them; what began earlier than one that has been handed out comes late.
 */
export class InOrder {
  private readonly heap: LoggedRequest[] = []
  private readonly size: number

  constructor(size: number) {
    this.size = size
  }

  /** Takes one in, and hands out the one that began first where there are too many; else null. */
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

  /** The one that began first; null where there is none left. */
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
