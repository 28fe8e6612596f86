import type { DroppedField } from '../http/received-fields.ts'
import { isStream } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Headers } from '../http/headers.ts'
import type { Policy } from '../policies/policy.ts'
import { WatchedTrailers } from './watched-trailers.ts'

/** Told of fields that were taken out of a request. */
export type ToldOfDropped = (fields: readonly DroppedField[]) => void

/** Takes fields out of a request that a CGI-like service could take for another one, and tells of them. */
export type FieldGuard = (exchange: Exchange) => void

/** A character that is neither letter, digit nor hyphen. */
const ODD = /[^A-Za-z0-9-]/
const ODD_CHARACTERS = /[^a-z0-9]/g
/** A field that a template reads, anywhere in the options of a policy. */
const IN_TEMPLATES = /\{header\.([^{}"]+)\}/g

/** What guards a route. */
export interface FieldGuards {
  /** For requests that have a name with other characters than letters, digits and hyphens. */
  readonly odd: FieldGuard
  /** For every request; null where all names that matter are made of letters, digits and hyphens. */
  readonly always: FieldGuard | null
  /** For requests with a body of unknown length, which trailers may follow. */
  readonly trailers: FieldGuard
}

/**
 * Guards the fields with these names, which the gateway or a policy sets or reads: of all fields that are the same once
 * every character but letters and digits is a hyphen, as for CGI (RFC 3875 section 4.1.18), only those that are spelled
 * so reach the service. The wire guards its own names itself.
 */
export function guardFields(names: Iterable<string>, told: ToldOfDropped): FieldGuards {
  const exact = new Set(Array.from(names, (name) => name.toLowerCase()))
  const folded = new Set(Array.from(exact, fold))
  const twins = [...exact].filter((name) => ODD.test(name)).map(fold)
  const drop = (headers: Headers, isDropped: (name: string) => boolean): void => {
    const dropped = new Set(Array.from(headers, ([name]) => name).filter(isDropped))
    if (dropped.size === 0) return
    for (const name of dropped) headers.delete(name)
    told(Array.from(dropped, (name) => ({ reason: 'folded', name })))
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
      // However they are spelled: a service may take them for fields of the head, which no policy has seen.
      exchange.body = new WatchedTrailers(body, (trailers) =>
        drop(trailers, (name) => folded.has(fold(name.toLowerCase()))),
      )
    },
  }
}

/** Names of the request fields that the policies set or read, with their options. */
export function fieldsOfPolicies(active: Iterable<readonly [policy: Policy, options: unknown]>): string[] {
  return Array.from(active).flatMap(([policy, options]) =>
    (policy.fields?.(options) ?? []).concat(fieldsInTemplates(options)),
  )
}

/** Names of the request fields that templates among the options read. */
export function fieldsInTemplates(options: unknown): string[] {
  return Array.from((JSON.stringify(options) ?? '').matchAll(IN_TEMPLATES), ([, name = '']) => name)
}

function fold(name: string): string {
  return name.replace(ODD_CHARACTERS, '-')
}
