import { namesWithClaim } from '../http/field-names.ts'
import { type Headers, headersFromWire } from '../http/headers.ts'
import type { FieldLimits } from '../http/limits.ts'
import type { FieldSink } from './hpack/decoder.ts'
import { type Field, Kind, nameOf } from './hpack/field.ts'

/** The trailer fields of a message (RFC 9113 section 8.1); fields that are not allowed there are dropped. */
export class Trailers implements FieldSink {
  malformed = false
  private readonly limits: FieldLimits
  private raw = ''
  private lines = 0

  constructor(limits: FieldLimits) {
    this.limits = limits
  }

  field({ name, kind, line }: Field): void {
    this.lines++
    if (kind >= Kind.method && kind !== Kind.cookie) this.malformed = true
    const { clientHeader = null, strictNames = false, head, headers } = this.limits
    if (this.raw.length + line.length > head || this.lines > headers) this.malformed = true
    if (this.malformed) return
    const bytes = Buffer.from(name.text, 'latin1')
    const { kind: known } = nameOf(bytes, 0, bytes.length, namesWithClaim(clientHeader).trailer, strictNames)
    if (known === Kind.none) this.raw += line
  }

  get headers(): Headers | null {
    return this.raw === '' ? null : headersFromWire(this.raw)
  }
}
