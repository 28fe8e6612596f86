/** Bounds on what the head of one HTTP/1.1 message, and its trailers, may ask of the reader. */
export interface FieldLimits {
  /** Octets of a whole head: start line, fields and the empty line. */
  readonly head: number
  /** Number of field lines. */
  readonly headers: number
  /** Fields of requests whose names have other characters than letters, digits and hyphens are taken out. Default false. */
  readonly strictNames?: boolean
  /** Name, in lower case, of the field in which proxies say who the client is, taken out of what others send. Default none. */
  readonly clientHeader?: string | null
}

/** The same for requests. */
export interface HeadLimits extends FieldLimits {
  /** The connection is encrypted: a whole URI as the target has the scheme https. Default false. */
  readonly secure?: boolean
  /** Octets of a request target. */
  readonly target: number
}

/** The defaults of the configuration for requests. */
export const defaultHeadLimits: HeadLimits = { head: 16_384, target: 8_192, headers: 100 }
