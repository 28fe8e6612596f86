import type { Headers } from './headers.ts'

const TARGETED = /^(?:.+-cache-control|surrogate-control)$/

/**
 * Names, in lower case, of the fields of a reply that take precedence over Cache-Control for some caches (RFC 9213),
 * such as CDN-Cache-Control.
 */
export function targetedFields(headers: Headers): string[] {
  const names = new Set(Array.from(headers, ([name]) => name.toLowerCase()))
  return [...names].filter((name) => TARGETED.test(name))
}
