import { z } from 'zod'
import { flatString } from '../core/flat-string.ts'
import type { Exchange, RouteInfo } from '../http/exchange.ts'
import { fieldLine } from '../http/field-lines.ts'
import { appendLines, type Headers, replaceLines } from '../http/headers.ts'
import { NameSet } from '../http/name-set.ts'
import { fieldName, keyMessage } from './field-name.ts'
import { compileTemplate, constantText, type Template, templateText } from './template.ts'

/** Header names -> templates. */
const fieldTemplates = z.record(fieldName, templateText, { error: keyMessage })

/** Schema of changes to the headers of a message, applied in this order: remove, rename, set, add. */
export const headerEdits = z.strictObject({
  rename: z
    .record(fieldName, fieldName, { error: keyMessage })
    .optional()
    .describe('Headers to rename, old name to new; an existing header with the new name is replaced.')
    .meta({ examples: [{ 'X-Old': 'X-New' }] }),
  set: fieldTemplates
    .default({})
    .describe('Headers to set, replacing those of the same name. A header whose value is empty is removed.')
    .meta({ examples: [{ 'X-Environment': 'production', 'X-User': '{consumer.id}' }] }),
  add: fieldTemplates
    .default({})
    .describe('Headers to add to those of the same name. A header whose value is empty is not added.')
    .meta({ examples: [{ Link: '</terms>; rel="terms-of-service"' }] }),
  remove: z
    .array(fieldName)
    .default([])
    .describe('Names of headers to remove.')
    .meta({ examples: [['X-Internal']] }),
})

/** Names of the headers that the changes affect. */
export function editedFields({ rename = {}, set, add, remove }: z.output<typeof headerEdits>): string[] {
  return [...Object.entries(rename).flat(), ...Object.keys(set), ...Object.keys(add), ...remove]
}

/**
 * Compiles the changes for a route when the configuration loads. Templates see the headers as they were before. In messages to a
 * service, names that are removed or set are also removed in spellings with "_" instead of "-", which a service may treat as the
 * same name.
 */
export function compileHeaderEdits(
  edits: z.output<typeof headerEdits>,
  route: RouteInfo,
  reader: 'service' | 'client',
): (headers: Headers, exchange: Exchange) => void {
  // A header that is set is removed first, even if its new value is empty: a value sent by a client must not pass for the
  // gateway's.
  const names = new NameSet([...edits.remove, ...Object.keys(edits.set)], reader === 'service')
  const rename = compileRenames(edits.rename ?? {}, new NameSet(edits.remove))
  const set = compileLines(edits.set, route)
  const addedNames = new NameSet(Object.keys(edits.add))
  const add = compileLines(edits.add, route)
  return (headers, exchange) => {
    const lines = typeof set === 'string' ? set : set(exchange)
    const added = typeof add === 'string' ? add : add(exchange)
    rename?.(headers)
    replaceLines(headers, names, lines)
    if (added !== '') appendLines(headers, addedNames, added)
  }
}

/** Null if nothing is renamed. */
function compileRenames(
  renames: Readonly<Record<string, string>>,
  removed: NameSet,
): ((headers: Headers) => void) | null {
  const pairs = Object.entries(renames).filter(([from]) => !removed.has(from))
  if (pairs.length === 0) return null
  return (headers) => {
    const found = pairs.map(([from, to]) => ({ from, to, values: headers.getAll(from) }))
    for (const { from, to, values } of found) {
      if (values.length === 0) continue
      headers.delete(from)
      headers.delete(to)
    }
    for (const { to, values } of found) for (const value of values) headers.append(to, value)
  }
}

/** One line per header, or a template that creates the lines. */
function compileLines(templates: Readonly<Record<string, string>>, route: RouteInfo): string | Template {
  const fields = Object.entries(templates).map(([name, text]): string | Template => {
    const constant = constantText(text, route)
    if (constant !== null) return flatString(lineOf(name, constant))
    const template = compileTemplate(text)
    return (exchange) => lineOf(name, template(exchange))
  })
  if (fields.every((field) => typeof field === 'string')) return fields.join('')
  return (exchange) => {
    let lines = ''
    for (const field of fields) lines += typeof field === 'string' ? field : field(exchange)
    return lines
  }
}

function lineOf(name: string, value: string): string {
  const trimmed = value.trim()
  return trimmed === '' ? '' : fieldLine(name, trimmed)
}
