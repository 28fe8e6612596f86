/** The golden ratio: repeated steps of this size divide the circle as evenly as possible, whatever their number. */
const STEP = (Math.sqrt(5) - 1) / 2

/**
 * A low-discrepancy sequence in [0, 1): any run of consecutive numbers is spread more evenly than random numbers would be, so a segment of
 * the circle gets close to its exact share in every hundred numbers.
 */
export class LowDiscrepancySequence {
  private at: number

  /** `first` is the starting point, from 0 to 1. */
  constructor(first: number) {
    this.at = first
  }

  next(): number {
    this.at = (this.at + STEP) % 1
    return this.at
  }
}
