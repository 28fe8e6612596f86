/** Bounds on what one HTTP/1.1 message may ask of its reader. */
export interface HeadLimits {
  /** Octets of a whole head: start line, fields and the empty line. */
  readonly head: number
  /** Octets of a request target. */
  readonly target: number
  /** Number of field lines. */
  readonly headers: number
}

/** The defaults of the configuration. */
export const defaultHeadLimits: HeadLimits = { head: 16_384, target: 8_192, headers: 100 }
