import { z } from 'zod'
import { isFields } from './value.ts'

/** A map as JSON or YAML has it. */
export type JsonDocument = Readonly<Record<string, unknown>>

const expected = 'expected a map, or the path of a file with one'

/**
 * Schema of an option that is a document: written in place, or the path of a file with JSON or YAML. The policy names
 * such options in `documents`; when the configuration loads, each path is replaced by what its file holds.
 */
export const document = z
  .custom<JsonDocument | string>(isFields, expected)
  .pipe(z.custom<JsonDocument>(isFields, expected))
  .meta({ anyOf: [{ type: 'object' }, { type: 'string' }] })
