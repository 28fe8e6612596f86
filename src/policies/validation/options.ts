import { z } from 'zod'
import { document } from '../../core/document.ts'
import { size } from '../../core/units.ts'
import { mediaType } from '../media-types.ts'
import { compileParameters, compileSchema } from './inline.ts'
import { compileOperations } from './operations.ts'

const pathExpected = 'expected the beginning of a path such as "/api/v1"'

const bodyOptions = z.strictObject({
  limit: size
    .optional()
    .describe(
      'Size of a body, smaller or larger than limits.body. Default limits.body; 1mb for a body that is checked.',
    ),
  types: mediaType
    .array()
    .min(1)
    .optional()
    .describe(
      'Media types that a body may have, such as application/json or image/*. Default application/json and application/*+json where there is a schema, else any.',
    ),
  required: z
    .boolean()
    .optional()
    .describe('Whether POST, PUT, PATCH and QUERY need a body. Default true where there is a schema.'),
  schema: document.optional().describe('JSON Schema of JSON bodies, or the path of a file with it.'),
})

/** What a size alone stands for. */
const bodyLimit = size.transform((limit): z.output<typeof bodyOptions> => ({ limit }))

/** Schema of the options of the policy. */
export const validationOptions = z
  .strictObject({
    body: z
      .union([bodyLimit, bodyOptions])
      .prefault({})
      .describe('What a body must be like: { limit, types, required, schema }, or a size alone.'),
    query: document.optional().describe('JSON Schema of the map of query parameters, or the path of a file with it.'),
    path: document
      .optional()
      .describe("JSON Schema of the map of parameters of the route's path, or the path of a file with it."),
    headers: document.optional().describe('JSON Schema of the map of header fields, or the path of a file with it.'),
    openapi: z
      .strictObject({
        document: document.describe('An OpenAPI document of version 3.0 or 3.1, or the path of a file with it.'),
        basePath: z
          .string(pathExpected)
          .regex(/^\/[^{}?#*]*$/, pathExpected)
          .optional()
          .describe("What stands before the document's paths. Default the path of the document's first server."),
        unknown: z
          .enum(['refuse', 'pass'])
          .default('refuse')
          .describe(
            'What becomes of requests that the document does not know: 404 and 405, or they pass. Default refuse.',
          ),
      })
      .optional()
      .describe('An OpenAPI document that requests are held to, in place of schemas.'),
  })
  .superRefine(({ body, query, path, headers, openapi }, context) => {
    const check = (at: string[], compile: () => unknown): void => {
      try {
        compile()
      } catch (error) {
        const message = `cannot be used: ${error instanceof Error ? error.message : String(error)}`
        context.addIssue({ code: 'custom', path: at, message })
      }
    }
    const { schema } = body
    if (schema !== undefined) check(['body', 'schema'], () => compileSchema(schema))
    if (query !== undefined) check(['query'], () => compileParameters(query, 'query'))
    if (path !== undefined) check(['path'], () => compileParameters(path, 'path'))
    if (headers !== undefined) check(['headers'], () => compileParameters(headers, 'header'))
    if (openapi === undefined) return
    check(['openapi', 'document'], () => compileOperations(openapi, () => null))
    if ([schema, query, path, headers].some((each) => each !== undefined))
      context.addIssue({ code: 'custom', path: ['openapi'], message: 'openapi beside a schema; expected one of them' })
  })

/** The options of the policy after parsing. */
export type ValidationOptions = z.output<typeof validationOptions>
