/** A regular expression that cannot be matched in linear time, or is none; the message says why. */
export class UnusablePattern extends Error {
  override readonly name = 'UnusablePattern'
}
