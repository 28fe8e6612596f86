import { z } from 'zod'
import { messageOf } from '../../core/error-facts.ts'
import { size } from '../../core/units.ts'
import { isFields } from '../../core/value.ts'
import { compiled } from './compiled.ts'
import type { ServiceSchema } from './service-schema.ts'

const schemaExpected =
  'expected the path of a descriptor set, a list of .proto files, or { files, folders }, from a configuration file'
const pathExpected = 'expected the beginning of a path such as "/api"'

function isSchema(value: unknown): value is ServiceSchema {
  return isFields(value) && typeof value['descriptors'] === 'string' && Array.isArray(value['services'])
}

const strings = { type: 'array', items: { type: 'string' }, minItems: 1 }
const filesSchema = { ...strings, description: 'Paths of .proto files, or of one descriptor set.' }
const foldersSchema = {
  ...strings,
  description:
    'Folders that imports are looked for in. Default the folder of the configuration file, and those of the files.',
}

/** As it is written: the path of a file, or those of several. When the configuration loads, what they hold takes their place. */
const schema = z
  .custom<ServiceSchema | string | readonly string[] | { files: readonly string[]; folders?: readonly string[] }>(
    isSchema,
    schemaExpected,
  )
  .pipe(z.custom<ServiceSchema>(isSchema, schemaExpected))
  .meta({
    anyOf: [
      { type: 'string' },
      strings,
      {
        type: 'object',
        properties: { files: filesSchema, folders: foldersSchema },
        required: ['files'],
        additionalProperties: false,
      },
    ],
  })

/** Schema of the options of the policy. */
export const grpcJsonOptions = z
  .strictObject({
    schema: schema.describe(
      'The path of a descriptor set ("protoc --include_imports -o"), or of .proto files: one, a list, or { files, folders } with the folders that imports are looked for in. Relative to the configuration file.',
    ),
    services: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Full names of the services that are called, such as shop.v1.Inventory. Default all of the files that are named.',
      ),
    basePath: z
      .string(pathExpected)
      .regex(/^\/[^{}?#*]*[^{}?#*/]$/, pathExpected)
      .optional()
      .describe('What stands before all paths of the bindings. Default nothing.'),
    autoMapping: z
      .boolean()
      .default(false)
      .describe(
        'Whether methods without an option google.api.http are called by POST to /package.Service/Method. Default false.',
      ),
    unknown: z
      .enum(['refuse', 'pass'])
      .default('refuse')
      .describe('What becomes of requests that no binding is for: 404 and 405, or they pass. Default refuse.'),
    unknownFields: z
      .enum(['refuse', 'ignore'])
      .default('refuse')
      .describe(
        'What becomes of fields of bodies, and of query parameters, that the message does not have. Default refuse.',
      ),
    limit: size.prefault('4mb').describe('Size of one message, and of the body of a request. Default 4mb.'),
    output: z
      .strictObject({
        defaults: z
          .boolean()
          .default(false)
          .describe('Whether fields without presence are written that have their default. Default false.'),
        enums: z
          .enum(['names', 'numbers'])
          .default('names')
          .describe('How values of enums are written. Default names.'),
        fields: z
          .enum(['json', 'proto'])
          .default('json')
          .describe(
            'Whether fields have their JSON names, as itemId, or those of the .proto file, as item_id. Default json.',
          ),
      })
      .prefault({})
      .describe('How replies are written.'),
  })
  .superRefine((options, context) => {
    try {
      compiled(options)
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['schema'], message: `cannot be used: ${messageOf(error)}` })
    }
  })
