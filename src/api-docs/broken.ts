/** A service's document that cannot be used; the message says why. */
export class BrokenDocument extends Error {
  override readonly name = 'BrokenDocument'
}

/** The service has no document, which is common. */
export class NoDocument extends BrokenDocument {}
