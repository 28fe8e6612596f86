/** The step that divides the circle most evenly, however often it is made: the golden ratio. */
const STEP = (Math.sqrt(5) - 1) / 2

/**
 * Numbers from 0 to 1, of which any so many are closer to evenly spread than those of chance: whoever has a share of the circle has
 * it of every hundred of them.
 */
export class EvenSteps {
  private at: number

  /** `first` is where it begins, from 0 to 1. */
  constructor(first: number) {
    this.at = first
  }

  next(): number {
    this.at = (this.at + STEP) % 1
    return this.at
  }
}
