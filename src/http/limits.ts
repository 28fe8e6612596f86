/** Limits for the head of one HTTP/1.1 message, and for its trailers. */
export interface FieldLimits {
  /** Bytes of a whole head: start line, fields and the empty line. */
  readonly head: number
  /** Number of field lines. */
  readonly headers: number
  /** Removes request fields whose names have characters other than letters, digits and hyphens. Default false. */
  readonly strictNames?: boolean
  /**
   * Lower-case name of the field in which proxies state the client's address; removed unless a trusted proxy sent it.
   * Default none.
   */
  readonly clientHeader?: string | null
}

/** The same for requests. */
export interface HeadLimits extends FieldLimits {
  /** The connection is encrypted: a target in absolute form must have the scheme https. Default false. */
  readonly secure?: boolean
  /** Bytes of a request target. */
  readonly target: number
}

/** The defaults of the configuration for requests. */
export const defaultHeadLimits: HeadLimits = { head: 16_384, target: 8_192, headers: 100 }
