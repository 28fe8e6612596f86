import { z } from 'zod'
import type { Exchange } from '../../http/exchange.ts'
import { compileTemplate, templateFor, textStyle } from '../template.ts'

const template = templateFor(textStyle, 'The value is percent-encoded.')

/** Schema of changes to the query: parameters are removed first, then set. */
export const queryEdits = z.strictObject({
  set: z
    .record(z.string(), template)
    .default({})
    .describe('Parameters to set, replacing those of the same name. A parameter whose value is empty is removed.')
    .meta({ examples: [{ locale: 'en' }] }),
  remove: z
    .array(z.string())
    .default([])
    .describe('Parameters to remove.')
    .meta({ examples: [['debug']] }),
})

/** Compiles the changes when the configuration loads, into a function that returns the new query. */
export function compileQueryEdits(edits: z.output<typeof queryEdits>): (exchange: Exchange) => string {
  const names = new Set([...edits.remove, ...Object.keys(edits.set)])
  const added = Object.entries(edits.set).map(([name, written]) => {
    const value = compileTemplate(written, textStyle)
    const encoded = encodeURIComponent(name.toWellFormed())
    return (exchange: Exchange): string => {
      const text = encodeURIComponent(value(exchange).toWellFormed())
      return text === '' ? '' : `${encoded}=${text}`
    }
  })
  return (exchange) => {
    const original = exchange.query
      .slice(1)
      .split('&')
      .filter((parameter) => !names.has(nameOf(parameter)))
    const parameters = [...original, ...added.map((make) => make(exchange))].filter((parameter) => parameter !== '')
    return parameters.length === 0 ? '' : `?${parameters.join('&')}`
  }
}

/** The name as decoded by services (WHATWG URL, application/x-www-form-urlencoded parsing). */
function nameOf(parameter: string): string {
  const [name = ''] = parameter.split('=', 1)
  if (!/[%+]/.test(name)) return name
  return [...new URLSearchParams(name).keys()][0] ?? ''
}
