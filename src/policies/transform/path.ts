import { z } from 'zod'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { normalizePath } from '../../routing/path.ts'
import { compileTemplate, fieldStyle, templateFor, type TemplateStyle, textStyle } from '../template.ts'
import { compilePathPattern, PathPatternError } from './path-pattern.ts'

const pathExpected = 'expected a path that starts with "/"'

/** Values become one segment, or a part of one; the path of the request keeps its slashes. */
const pathStyle: TemplateStyle = {
  text: segment,
  bytes: (value) => segment(textStyle.bytes(value)),
  path: textStyle.path,
  flaw: fieldStyle.flaw,
}

const template = templateFor(
  pathStyle,
  'Values are percent-encoded, including "/"; only {path} keeps its slashes.',
).refine((text) => /^(?:\/|\{path\})/.test(text), pathExpected)

const patternSchema = z
  .strictObject({
    match: z
      .string()
      .superRefine((text, context) => {
        try {
          compilePathPattern(text)
        } catch (error) {
          if (!(error instanceof PathPatternError)) throw error
          context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${error.message}` })
        }
      })
      .describe(
        'Regular expression for the whole path. At each step, the next character alone must decide how the match continues.',
      )
      .meta({ examples: ['/users/([0-9]+)'] }),
    to: z
      .string(pathExpected)
      .regex(/^\/[!-~]*$/, pathExpected)
      .describe('Replacement; $1, $2 and $<name> are the groups. Paths that do not match are unchanged.')
      .meta({ examples: ['/accounts/$1'] }),
  })
  .superRefine(({ match, to }, context) => {
    const unknown = unknownGroup(match, to)
    if (unknown !== null)
      context.addIssue({
        code: 'custom',
        path: ['to'],
        message: `"${unknown}" is not a group of ${JSON.stringify(match)}`,
      })
  })

/** Schema of a replacement of the path. */
export const pathEdit = z.union([template, patternSchema])

/** Compiles the change when the configuration loads. The function throws GatewayError 'bad-request' if the result is not a valid path. */
export function compilePathEdit(edit: z.output<typeof pathEdit>): (exchange: Exchange) => string {
  if (typeof edit === 'string') {
    const make = compileTemplate(edit, pathStyle)
    return (exchange) => checked(make(exchange))
  }
  const pattern = compilePathPattern(edit.match)
  return ({ path }) => (pattern.test(path) ? checked(path.replace(pattern, edit.to)) : path)
}

function checked(path: string): string {
  const normal = normalizePath(path)
  // A ".." would lead outside of the intended place, and a "." at the end to what contains it.
  if (normal === null || normal.split('/').length !== path.split('/').length) throw misplaced()
  if (normal.endsWith('/') !== path.endsWith('/')) throw misplaced()
  return normal
}

/** An empty value would turn the path into that of something else. */
function segment(value: string): string {
  if (value === '') throw misplaced()
  return encodeURIComponent(value.toWellFormed())
}

function misplaced(): GatewayError {
  return new GatewayError('bad-request', 'A value in the path for the service is missing, or cannot be part of a path.')
}

function unknownGroup(match: string, to: string): string | null {
  let pattern: RegExp
  try {
    pattern = new RegExp(`${match}|`, 'u')
  } catch {
    return null
  }
  const groups = pattern.exec('')
  const known = new Set([...(groups ?? []).keys(), ...Object.keys(groups?.groups ?? {})].map(String))
  for (const [reference, index, name] of to.matchAll(/\$(?:(\d{1,2})|<([^>]*)>)/g))
    if (!known.has(index ?? name ?? '') || index === '0') return reference
  return null
}
