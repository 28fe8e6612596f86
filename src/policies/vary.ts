import { knownLine } from '../http/field-lines.ts'
import { appendLines, type Headers } from '../http/headers.ts'
import { NameSet } from '../http/name-set.ts'

const VARY = new NameSet(['Vary'])

/** Adds a request header to Vary, unless it is already listed (RFC 9110 section 12.5.5). */
export function addVary(headers: Headers, name: string): void {
  const known = headers.combined('Vary')
  if (known === undefined) return appendLines(headers, VARY, knownLine('Vary', name))
  const names = new Set(known.split(',').map((each) => each.trim().toLowerCase()))
  if (!names.has('*') && !names.has(name.toLowerCase())) headers.set('Vary', `${known}, ${name}`)
}
