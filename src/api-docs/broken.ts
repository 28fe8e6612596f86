/** A service's document that cannot be used; the message says why. */
export class BrokenDocument extends Error {
  override readonly name = 'BrokenDocument'
}

/** There is none, as many services have none. */
export class NoDocument extends BrokenDocument {}
