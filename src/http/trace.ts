/** The trace flag that says that the trace is recorded (W3C Trace Context Level 2 section 3.2.2.5.1). */
export const SAMPLED = 0x01
/** The trace flag that says that the trace id is random (W3C Trace Context Level 2 section 3.2.2.5.2). */
export const RANDOM = 0x02

/** The end of traceparent, indexed by the flags. */
const FLAGS = ['-00\r\n', '-01\r\n', '-02\r\n', '-03\r\n']

/** The position of an exchange in a trace. */
export class Trace {
  /** 32 lower-case hexadecimal digits; "" where there is no trace. */
  readonly traceId: string
  /** Id of the caller's span, or "" where the trace begins here. */
  readonly parentId: string
  /** Id of the gateway's own span for the exchange: 16 lower-case hexadecimal digits. */
  readonly spanId: string
  /** SAMPLED and RANDOM, or neither. */
  readonly flags: number
  /** Members of the trace state for the service, or "". */
  readonly state: string

  constructor(traceId: string, parentId: string, spanId: string, flags: number, state: string) {
    this.traceId = traceId
    this.parentId = parentId
    this.spanId = spanId
    this.flags = flags
    this.state = state
  }

  /** Whether spans of the trace are recorded. */
  get sampled(): boolean {
    return (this.flags & SAMPLED) !== 0
  }

  /**
   * traceparent and tracestate for a service whose caller is that span, each "name: value\r\n" (sections 3.2 and 3.3).
   */
  fields(spanId: string): string {
    if (this.traceId === '') return ''
    const parent = `traceparent: 00-${this.traceId}-${spanId}${FLAGS[this.flags]}`
    return this.state === '' ? parent : `${parent}tracestate: ${this.state}\r\n`
  }
}

/** For an exchange that is not caused by a request, and until the trace is known. */
export const UNTRACED = new Trace('', '', '', 0, '')
