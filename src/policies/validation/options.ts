import { messageOf } from '../../core/error-facts.ts'
import { z } from 'zod'
import type { OptionsWarning } from '../policy.ts'
import { document, type JsonDocument } from '../../core/document.ts'
import { type SlicedWork, runToEnd } from '../../core/time-slices.ts'
import { size } from '../../core/units.ts'
import { mediaType } from '../media-types.ts'
import { compilingSchema } from './inline.ts'
import { describingDocument } from './openapi.ts'
import { compileOperations, type OperationsOptions } from './operations.ts'
import type { UnusablePatterns } from './unusable-patterns.ts'

const pathExpected = 'expected the beginning of a path such as "/api/v1"'

const bodyOptions = z.strictObject({
  limit: size
    .optional()
    .describe('Largest body, below or above limits.body. Default limits.body; 1mb for a body that is validated.'),
  types: mediaType
    .array()
    .min(1)
    .optional()
    .describe(
      'Accepted media types, such as application/json or image/*. Default application/json and application/*+json with a schema, otherwise any.',
    )
    .meta({ examples: [['application/json']] }),
  required: z
    .boolean()
    .optional()
    .describe('Require a body for POST, PUT, PATCH and QUERY. Default true with a schema.'),
  schema: document
    .optional()
    .describe('JSON Schema for JSON bodies, or the path of a file with it.')
    .meta({ examples: ['./schemas/order.json', { type: 'object', required: ['id'] }] }),
})

/** A size on its own sets the limit. */
const bodyLimit = size.transform((limit): z.output<typeof bodyOptions> => ({ limit }))

/** Schema of the options of the policy. */
export const validationOptions = z
  .strictObject({
    mode: z
      .enum(['enforce', 'report'])
      .default('enforce')
      .describe('enforce refuses invalid requests; report lets them pass, and logs and counts them. Default enforce.'),
    body: z
      .union([bodyLimit, bodyOptions])
      .prefault({})
      .describe('Requirements on the body: { limit, types, required, schema }, or just a size.'),
    query: document
      .optional()
      .describe('JSON Schema for the map of query parameters, or the path of a file with it.')
      .meta({ examples: [{ type: 'object', properties: { page: { type: 'integer', minimum: 1 } } }] }),
    path: document
      .optional()
      .describe('JSON Schema for the map of path parameters, or the path of a file with it.')
      .meta({ examples: [{ type: 'object', properties: { id: { type: 'string', pattern: '^[0-9]+$' } } }] }),
    headers: document
      .optional()
      .describe('JSON Schema for the map of headers, or the path of a file with it.')
      .meta({ examples: [{ type: 'object', required: ['x-version'] }] }),
    openapi: z
      .strictObject({
        document: document
          .describe('OpenAPI 3.0 or 3.1 document, or the path of a file with it.')
          .meta({ examples: ['./openapi.yaml'] }),
        basePath: z
          .string(pathExpected)
          .regex(/^\/[^{}?#*]*$/, pathExpected)
          .optional()
          .describe("Prefix of the document's paths. Default the path of its first server.")
          .meta({ examples: ['/api/v1'] }),
        unknown: z
          .enum(['refuse', 'pass'])
          .default('refuse')
          .describe('Requests that the document does not describe: refuse with 404 or 405, or pass. Default refuse.'),
      })
      .optional()
      .describe('OpenAPI document to validate against, instead of schemas.'),
    unusablePatterns: z
      .enum(['refuse', 'skip'])
      .default('refuse')
      .describe(
        'Patterns that cannot be matched in linear time: refuse the configuration, or ignore them with a warning. Default refuse.',
      ),
  })
  .superRefine((options, context) => {
    const { body, openapi } = options
    for (const { path: at, compile } of schemasOf(options)) {
      try {
        const unusable = runToEnd(compile())
        if (options.unusablePatterns === 'refuse') refuse(unusable, at, context)
      } catch (error) {
        const message = `cannot be used: ${messageOf(error)}`
        context.addIssue({ code: 'custom', path: [...at], message })
      }
    }
    if (openapi === undefined) return
    if ([body.schema, options.query, options.path, options.headers].some((each) => each !== undefined))
      context.addIssue({
        code: 'custom',
        path: ['openapi'],
        message: 'openapi together with a schema; expected one of them',
      })
  })

/** The options of the policy after parsing. */
export type ValidationOptions = z.output<typeof validationOptions>

/** The options that contain schemas. */
interface SchemaOptions {
  readonly body: { readonly schema?: JsonDocument | undefined }
  readonly query?: JsonDocument | undefined
  readonly path?: JsonDocument | undefined
  readonly headers?: JsonDocument | undefined
  readonly openapi?: OperationsOptions | undefined
}

/** A schema in the options. */
interface Place {
  readonly path: readonly string[]
  /** Compiles it in steps. Returns the patterns that cannot be used. Throws UnusableSchema. */
  readonly compile: () => SlicedWork<UnusablePatterns>
}

/** Most skipped patterns that are reported for each schema. */
const TOLD = 10

/** The patterns left out of the schemas, one line each, if they are to be skipped. */
export function skippedPatterns(options: ValidationOptions): readonly OptionsWarning[] {
  if (options.unusablePatterns === 'refuse') return []
  return schemasOf(options).flatMap(({ path, compile }) => {
    return runToEnd(compile()).map((pattern) => ({ path, message: `${pattern}; it is skipped` }))
  })
}

/** Compiles all schemas of the options in advance: the document of a large API takes seconds. */
export function* compilingSchemas(options: ValidationOptions): SlicedWork {
  for (const { compile } of schemasOf(options)) yield* compile()
}

function schemasOf({ body: { schema }, query, path, headers, openapi }: SchemaOptions): Place[] {
  const places = [
    { path: ['body', 'schema'], schema },
    { path: ['query'], schema: query },
    { path: ['path'], schema: path },
    { path: ['headers'], schema: headers },
  ].flatMap((each) => {
    if (each.schema === undefined) return []
    const { path: steps, schema: own } = each
    const compile = function* (): SlicedWork<UnusablePatterns> {
      return (yield* compilingSchema(own)).unusable
    }
    return [{ path: steps, compile }]
  })
  if (openapi === undefined) return places
  const compile = function* (): SlicedWork<UnusablePatterns> {
    const { unusable } = yield* describingDocument(openapi.document)
    compileOperations(openapi, () => null)
    return unusable
  }
  return [...places, { path: ['openapi', 'document'], compile }]
}

function refuse(unusable: UnusablePatterns, at: readonly string[], context: z.RefinementCtx): void {
  const rest = unusable.length - TOLD
  for (const pattern of unusable.slice(0, TOLD))
    context.addIssue({
      code: 'custom',
      path: [...at],
      message: `cannot be used: ${pattern}; change it, or skip such patterns with unusablePatterns: skip`,
    })
  if (rest > 0)
    context.addIssue({ code: 'custom', path: [...at], message: `cannot be used: ${rest} more patterns are like that` })
}
