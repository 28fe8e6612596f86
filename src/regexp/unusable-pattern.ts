/** A regular expression that is invalid or cannot be matched in linear time; the message says why. */
export class UnusablePattern extends Error {
  override readonly name = 'UnusablePattern'
}
