import type { DroppedField } from '../http/received-fields.ts'
import { isStream } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Headers } from '../http/headers.ts'
import type { Policy } from '../policies/policy.ts'
import { WatchedTrailers } from './watched-trailers.ts'

/** Called with the headers that were removed from a request. */
export type DroppedFieldsLogger = (fields: readonly DroppedField[]) => void

/** Removes headers that a CGI-like service could confuse with other ones, and reports them. */
export type FieldGuard = (exchange: Exchange) => void

/** Any character other than letters, digits and hyphens. */
const ODD = /[^A-Za-z0-9-]/
const ODD_CHARACTERS = /[^a-z0-9]/g
/** A header referenced by a template anywhere in the options of a policy. */
const IN_TEMPLATES = /\{header\.([^{}"]+)\}/g

/** The guards of a route. */
export interface FieldGuards {
  /** For requests that have a header name with characters other than letters, digits and hyphens. */
  readonly odd: FieldGuard
  /** For every request; null if all relevant names consist of letters, digits and hyphens. */
  readonly always: FieldGuard | null
  /** For requests with a body of unknown length, which may have trailers. */
  readonly trailers: FieldGuard
}

/**
 * Guards the headers with these names, which the gateway or a policy sets or reads. Services such as CGI (RFC 3875 section 4.1.18) do not
 * distinguish names that differ only in characters other than letters and digits; of such headers, only those with exactly these names
 * reach the service. The HTTP layer guards its own names itself.
 */
export function guardFields(names: Iterable<string>, logDropped: DroppedFieldsLogger): FieldGuards {
  const exact = new Set(Array.from(names, (name) => name.toLowerCase()))
  const folded = new Set(Array.from(exact, fold))
  const twins = [...exact].filter((name) => ODD.test(name)).map(fold)
  const drop = (headers: Headers, isDropped: (name: string) => boolean): void => {
    const dropped = new Set(Array.from(headers, ([name]) => name).filter(isDropped))
    if (dropped.size === 0) return
    for (const name of dropped) headers.delete(name)
    logDropped(Array.from(dropped, (name) => ({ reason: 'folded', name })))
  }
  const isForged = (name: string): boolean => {
    const lower = name.toLowerCase()
    return !exact.has(lower) && folded.has(fold(lower))
  }
  return {
    odd: ({ headers }) => drop(headers, (name) => ODD.test(name) && isForged(name)),
    always: twins.length === 0 ? null : ({ headers }) => drop(headers, isForged),
    trailers(exchange) {
      const { body } = exchange
      if (folded.size === 0 || !isStream(body)) return
      // In any spelling: a service may merge trailers into the headers, where no policy has checked them.
      exchange.body = new WatchedTrailers(body, (trailers) =>
        drop(trailers, (name) => folded.has(fold(name.toLowerCase()))),
      )
    },
  }
}

/** Names of the request headers that the policies set or read with their options. */
export function fieldsOfPolicies(active: Iterable<readonly [policy: Policy, options: unknown]>): string[] {
  return Array.from(active).flatMap(([policy, options]) =>
    (policy.fields?.(options) ?? []).concat(fieldsInTemplates(options)),
  )
}

/** Names of the request headers referenced by templates in the options. */
export function fieldsInTemplates(options: unknown): string[] {
  return Array.from((JSON.stringify(options) ?? '').matchAll(IN_TEMPLATES), ([, name = '']) => name)
}

function fold(name: string): string {
  return name.replace(ODD_CHARACTERS, '-')
}
