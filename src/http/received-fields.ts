import { Known } from './field-names.ts'

/** A field that was removed from a request although its sender may have meant it for the service. */
export interface DroppedField {
  readonly reason: 'folded' | 'odd' | 'identity'
  readonly name: string
}

/**
 * The header fields of a received message, sorted: those for the connection or the gateway are moved to properties of
 * this object, all others remain one text. One instance is reused for message after message; values needed for longer
 * must be copied (they are strings and numbers).
 */
export class ReceivedFields {
  /** End-to-end fields, each "Name: value\r\n". */
  raw = ''
  host: string | null = null
  hostLines = 0
  connection: string | null = null
  contentLength: string | null = null
  transferEncoding: string | null = null
  te: string | null = null
  upgrade: string | null = null
  expect: string | null = null
  keepAlive: string | null = null
  forwardedFor: string | null = null
  forwardedProto: string | null = null
  forwardedHost: string | null = null
  forwarded: string | null = null
  traceparent: string | null = null
  tracestate: string | null = null
  /** Claims that only a trusted proxy may make, each "Name: value\r\n". */
  claims = ''
  hasDate = false
  /** Some name that is passed on has characters other than letters, digits and hyphens. */
  oddNames = false
  dropped: DroppedField[] | null = null

  /** Another message begins. */
  reset(): void {
    this.raw = ''
    this.host = this.connection = this.contentLength = this.transferEncoding = this.te = null
    this.upgrade = this.expect = this.keepAlive = null
    this.forwardedFor = this.forwardedProto = this.forwardedHost = this.forwarded = null
    this.traceparent = this.tracestate = null
    this.claims = ''
    this.dropped = null
    this.hostLines = 0
    this.hasDate = false
    this.oddNames = false
  }

  /** Stores a known field, which is then not part of `raw`. */
  keep(known: Known, value: string): void {
    switch (known) {
      case Known.host:
        this.host = value
        this.hostLines++
        return
      case Known.connection:
        this.connection = list(this.connection, value)
        return
      case Known.contentLength:
        this.contentLength = list(this.contentLength, value)
        return
      case Known.transferEncoding:
        this.transferEncoding = list(this.transferEncoding, value)
        return
      case Known.te:
        this.te = list(this.te, value)
        return
      case Known.upgrade:
        this.upgrade = list(this.upgrade, value)
        return
      case Known.expect:
        this.expect = list(this.expect, value)
        return
      case Known.keepAlive:
        this.keepAlive = value
        return
      case Known.forwardedFor:
        this.forwardedFor = list(this.forwardedFor, value)
        return
      case Known.forwardedProto:
        this.forwardedProto = list(this.forwardedProto, value)
        return
      case Known.forwardedHost:
        this.forwardedHost = list(this.forwardedHost, value)
        return
      case Known.forwarded:
        this.forwarded = list(this.forwarded, value)
        return
      case Known.traceparent:
        this.traceparent = list(this.traceparent, value)
        return
      case Known.tracestate:
        this.tracestate = list(this.tracestate, value)
        return
      case Known.date:
        this.hasDate = true
        return
      case Known.none:
      case Known.dropped:
      case Known.claim:
      case Known.identity:
      case Known.folded:
      case Known.odd:
    }
  }

  /** Records that a field was removed as a claim about the caller's identity, or for its name. */
  drop(known: Known, name: string): void {
    const reason = known === Known.folded ? 'folded' : known === Known.odd ? 'odd' : 'identity'
    this.dropped ??= []
    this.dropped.push({ reason, name })
  }

  /** Keeps only claims that `passes` accepts: they become ordinary fields, and are all that is left in `claims`. */
  believe(passes: (name: string, value: string) => boolean): void {
    if (this.claims === '') return
    const passed = new Set<string>()
    let claims = ''
    for (const line of this.claims.split('\r\n')) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon)
      if (colon === -1 || !passes(name, line.slice(colon + 2))) continue
      claims += `${line}\r\n`
      passed.add(name)
    }
    this.claims = claims
    this.raw += claims
    const dropped = this.dropped?.filter(({ reason, name }) => reason !== 'identity' || !passed.has(name)) ?? []
    this.dropped = dropped.length === 0 ? null : dropped
  }
}

/** Several lines of one field are one list (RFC 9110 section 5.3). */
function list(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`
}
