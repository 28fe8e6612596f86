import { z } from 'zod'
import type { Exchange } from '../core/exchange.ts'
import type { Headers } from '../core/headers.ts'
import { fieldName } from './field-name.ts'
import { compileTemplate, templateText } from './template.ts'

/** Header names -> templates; a bad name is reported with its own message instead of "Invalid key in record". */
const fields = z.record(fieldName, templateText, {
  error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined),
})

/** Schema of changes to the header fields of a message: removed first, then set, then added. */
export const headerEdits = z.strictObject({
  set: fields
    .default({})
    .describe('Fields that replace those of the same name. A field whose value comes out empty is removed.'),
  add: fields
    .default({})
    .describe('Fields added to those of the same name. A field whose value comes out empty is not added.'),
  remove: z.array(fieldName).default([]).describe('Names of fields to remove.'),
})

/** Compiles the changes when the configuration loads. */
export function compileHeaderEdits(
  edits: z.output<typeof headerEdits>,
): (headers: Headers, exchange: Exchange) => void {
  const { remove } = edits
  const set = compileFields(edits.set)
  const add = compileFields(edits.add)
  return (headers, exchange) => {
    for (const name of remove) headers.delete(name)
    for (const [name, template] of set) {
      const value = template(exchange).trim()
      // Removed rather than left alone: what a client sent under that name must not pass for the gateway's word.
      if (value === '') headers.delete(name)
      else headers.set(name, value)
    }
    for (const [name, template] of add) {
      const value = template(exchange).trim()
      if (value !== '') headers.append(name, value)
    }
  }
}

function compileFields(templates: Readonly<Record<string, string>>) {
  return Object.entries(templates).map(([name, text]) => [name, compileTemplate(text)] as const)
}
