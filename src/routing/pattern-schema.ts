import { z } from 'zod'
import { parsePattern, PatternError } from './pattern.ts'

const expected = 'expected a path such as "/a", "/a/*", "/a/{id}/b" or "/a/{id}/*"'

/** Schema of a path pattern; it stays the text that it is. */
export const pathPattern = z.string(expected).superRefine((text, context) => {
  try {
    parsePattern(text)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${error.message}` })
  }
})
