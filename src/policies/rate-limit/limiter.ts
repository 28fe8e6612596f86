import { GatewayError } from '../../core/errors.ts'
import { knownLine, linesOf } from '../../http/field-lines.ts'
import { appendLines, type Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import type { Decision, Limit, Meter, Quota, QuotaState } from './meter.ts'

const FIELDS = new NameSet(['RateLimit-Policy', 'RateLimit'])

/** Which header fields tell the client where it stands. */
export interface FieldOptions {
  /** RateLimit and RateLimit-Policy. */
  readonly headers: boolean
  /** X-RateLimit-Limit, -Remaining and -Reset. */
  readonly legacyHeaders: boolean
}

/** One limit with its meter, and how a client is told of it. */
export class Limiter {
  /** Of the limit. */
  readonly name: string
  readonly meter: Meter
  private readonly quotas: readonly Quota[]
  private readonly options: FieldOptions
  /** What the fields call each quota. */
  private readonly names: readonly string[]
  /** The value of RateLimit-Policy, which is always the same. */
  private readonly policies: string
  /** RateLimit-Policy and RateLimit, which has that value. */
  private readonly lines: (value: string) => string
  /** What stands before the rest of each quota in RateLimit. */
  private readonly beginnings: readonly string[]

  constructor({ name, quotas }: Limit, meter: Meter, options: FieldOptions) {
    this.name = name
    this.meter = meter
    this.quotas = quotas
    this.options = options
    this.names = quotas.map(({ window }) => (quotas.length === 1 ? name : `${name}-${window / 1000}`))
    this.policies = quotas.map(({ limit, window }, i) => `"${this.names[i]}";q=${limit};w=${window / 1000}`).join(', ')
    this.lines = linesOf('RateLimit', knownLine('RateLimit-Policy', this.policies))
    this.beginnings = this.names.map((each, i) => [i === 0 ? '"' : ', "', each, '";r='].join(''))
  }

  /**
   * Tells the client of an admitted request (draft-ietf-httpapi-ratelimit-headers-11). The fields are lists, so those of
   * the service stay beside them (section 7.2).
   */
  tell(headers: Headers, { quotas }: Decision): void {
    if (this.options.headers) appendLines(headers, FIELDS, this.current(quotas))
    if (!this.options.legacyHeaders) return
    for (const [name, value] of this.legacy(quotas)) headers.set(name, value)
  }

  /** What a refused client is told: the quotas that refused it, and when all of them will admit it. */
  refusal({ quotas }: Decision): GatewayError {
    const violated = this.names.filter((_, i) => quotas[i]!.wait > 0)
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
    let value = ''
    for (let i = 0; i < states.length; i++) {
      const { remaining, reset } = states[i]!
      value += `${this.beginnings[i]!}${remaining}`
      value += `;t=${seconds(reset)}`
    }
    return this.lines(value)
  }

  /** Only those that refused, so that Retry-After is no earlier than any of the times (section 6). */
  private exhausted(states: readonly QuotaState[]): string {
    return this.names
      .map((name, i) => ({ name, state: states[i]! }))
      .filter(({ state }) => state.wait > 0)
      .map(({ name, state }) => `"${name}";r=${state.remaining};t=${seconds(state.wait)}`)
      .join(', ')
  }

  /** They tell of one quota: the one that has least left. */
  private legacy(states: readonly QuotaState[]): [string, string][] {
    const least = Math.min(...states.map(({ remaining }) => remaining))
    const i = states.findIndex(({ remaining }) => remaining === least)
    const { reset, wait } = states[i]!
    return [
      ['X-RateLimit-Limit', String(this.quotas[i]!.limit)],
      ['X-RateLimit-Remaining', String(least)],
      ['X-RateLimit-Reset', String(seconds(Math.max(reset, wait)))],
    ]
  }
}

/** Whole seconds, no less than the milliseconds. */
function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
