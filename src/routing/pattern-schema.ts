import { z } from 'zod'
import { parsePattern, PatternError } from './pattern.ts'

const expected = 'expected a path such as "/a", "/a/*", "/a/{id}/b" or "/a/{id}/*"'

/** Schema of a path pattern; remains text after parsing. */
export const pathPattern = z.string(expected).superRefine((text, context) => {
  try {
    parsePattern(text)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${error.message}` })
  }
})
