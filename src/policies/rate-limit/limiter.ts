import { GatewayError } from '../../core/errors.ts'
import { flatString } from '../../core/flat-string.ts'
import { knownLine, lineEnd } from '../../http/field-lines.ts'
import { appendLines, type Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import type { Decision, Limit, Meter, Quota, QuotaState } from './meter.ts'

const FIELDS = new NameSet(['RateLimit-Policy', 'RateLimit'])

/** Which headers tell the client about its quotas. */
export interface FieldOptions {
  /** RateLimit and RateLimit-Policy. */
  readonly headers: boolean
  /** X-RateLimit-Limit, -Remaining and -Reset. */
  readonly legacyHeaders: boolean
}

/** One limit with its meter and its headers. */
export class Limiter {
  /** Name of the limit. */
  readonly name: string
  readonly meter: Meter
  private readonly quotas: readonly Quota[]
  private readonly options: FieldOptions
  /** The name of each quota in the headers. */
  private readonly names: readonly string[]
  /** The constant value of RateLimit-Policy. */
  private readonly policies: string
  /** The text before the remaining units of each quota; for the first one it includes RateLimit-Policy and the beginning of RateLimit. */
  private readonly beginnings: readonly string[]
  /** The text after the remaining units, and the seconds for which it was last built. */
  private readonly ends: { seconds: number; text: string }[]

  constructor({ name, quotas }: Limit, meter: Meter, options: FieldOptions) {
    this.name = name
    this.meter = meter
    this.quotas = quotas
    this.options = options
    this.names = quotas.map(({ window }) => (quotas.length === 1 ? name : `${name}-${window / 1000}`))
    this.policies = quotas.map(({ limit, window }, i) => `"${this.names[i]}";q=${limit};w=${window / 1000}`).join(', ')
    const first = `${knownLine('RateLimit-Policy', this.policies)}RateLimit: `
    this.beginnings = this.names.map((each, i) => flatString(`${i === 0 ? first : ', '}"${each}";r=`))
    this.ends = quotas.map(() => ({ seconds: -1, text: '' }))
  }

  /**
   * Adds the headers to the reply of an admitted request (draft-ietf-httpapi-ratelimit-headers-11). They are lists, so those of the
   * service are kept (section 7.2).
   */
  addFields(headers: Headers, { quotas }: Decision): void {
    if (this.options.headers) appendLines(headers, FIELDS, this.current(quotas))
    if (!this.options.legacyHeaders) return
    for (const [name, value] of this.legacy(quotas)) headers.set(name, value)
  }

  /** The error for a refused client: the quotas that refused it, and when all of them will admit it. */
  refusal({ quotas }: Decision): GatewayError {
    const violated = quotas.flatMap(({ wait }, i) => (wait > 0 ? (this.names[i] ?? []) : []))
    const wait = Math.max(...quotas.map((state) => state.wait))
    const headers: [string, string][] = [['Retry-After', String(seconds(wait))]]
    if (this.options.headers) headers.push(['RateLimit-Policy', this.policies], ['RateLimit', this.exhausted(quotas)])
    if (this.options.legacyHeaders) headers.push(...this.legacy(quotas))
    return new GatewayError('rate-limited', 'Rate limit exceeded', {
      headers,
      members: { 'violated-policies': violated },
    })
  }

  /** RateLimit-Policy and RateLimit, as field lines. */
  private current(states: readonly QuotaState[]): string {
    let lines = ''
    let i = 0
    for (const { remaining, reset } of states) {
      lines += `${this.beginnings[i]}${remaining}`
      lines += this.endOf(i++, seconds(reset))
    }
    return lines
  }

  private endOf(i: number, reset: number): string {
    const end = this.ends[i]
    if (end === undefined) return ''
    if (end.seconds === reset) return end.text
    end.seconds = reset
    const text = `;t=${reset}`
    end.text = flatString(i === this.ends.length - 1 ? lineEnd(text) : text)
    return end.text
  }

  /** Only the quotas that refused, so that Retry-After is no earlier than any of the times (section 6). */
  private exhausted(states: readonly QuotaState[]): string {
    return states
      .flatMap(({ remaining, wait }, i) => (wait > 0 ? `"${this.names[i]}";r=${remaining};t=${seconds(wait)}` : []))
      .join(', ')
  }

  /** These headers only describe one quota: the one with the fewest units remaining. */
  private legacy(states: readonly QuotaState[]): [string, string][] {
    const min = states.reduce((one, other) => (other.remaining < one.remaining ? other : one))
    const { remaining, reset, wait } = min
    return [
      ['X-RateLimit-Limit', `${this.quotas[states.indexOf(min)]?.limit}`],
      ['X-RateLimit-Remaining', String(remaining)],
      ['X-RateLimit-Reset', String(seconds(Math.max(reset, wait)))],
    ]
  }
}

/** Milliseconds rounded up to whole seconds. */
function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
