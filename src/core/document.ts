import { z } from 'zod'

/** A map as JSON or YAML has it. */
export type JsonDocument = Readonly<Record<string, unknown>>

/** Whether the value is a map. */
export function isDocument(value: unknown): value is JsonDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const expected = 'expected a map, or the path of a file with one'

/**
 * Schema of an option that is a document: written in place, or the path of a file with JSON or YAML. The policy names
 * such options in `documents`; when the configuration loads, each path is replaced by what its file holds.
 */
export const document = z
  .custom<JsonDocument | string>(isDocument, expected)
  .pipe(z.custom<JsonDocument>(isDocument, expected))
  .meta({ anyOf: [{ type: 'object' }, { type: 'string' }] })
