import { z } from 'zod'
import { isFields } from './value.ts'

/** A map as parsed from JSON or YAML. */
export type JsonDocument = Readonly<Record<string, unknown>>

const expected = 'expected a map, or the path of a file with one'

/**
 * Schema of an option that is a document: either inline, or the path of a JSON or YAML file. The policy lists such options in `documents`;
 * when the configuration is loaded, each path is replaced with the content of its file.
 */
export const document = z
  .custom<JsonDocument | string>(isFields, expected)
  .pipe(z.custom<JsonDocument>(isFields, expected))
  .meta({ anyOf: [{ type: 'object' }, { type: 'string' }] })
