import { z } from 'zod'
import { pointerTokens } from '../../core/json-pointer.ts'

/** The unescaped steps of a JSON pointer (RFC 6901). "*" instead of an index stands for every item of a list. */
export type Pointer = readonly string[]

const expected =
  'expected a JSON pointer such as "/user/name" or "/items/*/id", with ~1 for "/" and ~0 for "~" in a name'

/** Schema of a JSON pointer below the root; the text is left unchanged. */
export const jsonPointer = z
  .string(expected)
  .regex(/^(?:\/(?:[^/~]|~[01])*)+$/, expected)
  // Assigning to that name would set a prototype.
  .refine((text) => !pointerTokens(text).includes('__proto__'), 'no step can be named "__proto__"')
