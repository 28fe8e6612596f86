/**
 * A change that has been made ready. `commit` makes it, at once and without fail; `abandon` leaves everything as it was.
 * Exactly one of them is called, once.
 */
export interface Prepared {
  commit(): void
  abandon(): void
}
