/** The replies of the admin API that only these pages show, as far as they do: see ../../answers.ts. */
import type { Decision } from '../../answers.ts'

/** POST /explain. */
export interface Explanation {
  readonly listener: string
  readonly path: { readonly written: string; readonly normal: string | null; readonly refused: string | null }
  readonly routes: {
    readonly candidates: readonly {
      readonly route: string
      readonly pattern: string
      readonly host: string | null
      readonly listener: string | null
      readonly lacks: readonly string[]
      readonly selected: boolean
    }[]
    readonly more: number
    readonly others: number
  }
  readonly route: { readonly id: string; readonly pattern: string } | null
  readonly consumer: { readonly id: string; readonly tier: string } | null
  readonly policies: readonly {
    readonly name: string
    readonly verdict: string
    readonly origin: string
    readonly status: number | null
    readonly code: string | null
    readonly detail: string | null
    readonly events: readonly Decision[]
    readonly request: { readonly set: readonly string[]; readonly removed: readonly string[] }
    readonly reply: { readonly set: readonly string[]; readonly removed: readonly string[] }
  }[]
  readonly leads: readonly string[]
  readonly service: {
    readonly name: string
    readonly balancer: string
    readonly limit: number | null
    readonly instances: readonly {
      readonly address: string
      readonly weight: number
      readonly inFlight: number
      readonly state: string
      readonly unusable: string | null
      readonly next: boolean
    }[]
  } | null
  readonly outcome: 'sent' | 'replied'
  readonly status: number | null
  readonly code: string | null
  readonly detail: string | null
  readonly reply: readonly { readonly name: string; readonly value: string }[]
  readonly sent: {
    readonly method: string
    readonly target: string
    readonly host: string
    readonly fields: readonly { readonly name: string; readonly value: string }[]
  } | null
  readonly notes: readonly string[]
}
