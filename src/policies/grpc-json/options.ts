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
const filesSchema = {
  ...strings,
  description: 'Paths of .proto files, or of one descriptor set.',
  examples: [['./proto/shop.proto']],
}
const foldersSchema = {
  ...strings,
  description: 'Import folders. Default the folder of the configuration file, and those of the files.',
  examples: [['./proto']],
}

/**
 * In the configuration it is the path of one file, or of several. When the configuration loads it is replaced by the contents of
 * the files.
 */
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
    schema: schema
      .describe(
        'Path of a descriptor set ("protoc --include_imports -o") or of .proto files: one, a list, or { files, folders } with the import folders. Relative to the configuration file.',
      )
      .meta({ examples: ['./proto/shop.binpb', { files: ['./proto/shop.proto'], folders: ['./proto'] }] }),
    services: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Full names of the services to expose, such as shop.v1.Inventory. Default all in the named files.')
      .meta({ examples: [['shop.v1.Inventory']] }),
    basePath: z
      .string(pathExpected)
      .regex(/^\/[^{}?#*]*[^{}?#*/]$/, pathExpected)
      .optional()
      .describe('Prefix of all paths. Default none.')
      .meta({ examples: ['/grpc'] }),
    autoMapping: z
      .boolean()
      .default(false)
      .describe('Expose methods without google.api.http as POST /package.Service/Method. Default false.'),
    unknown: z
      .enum(['refuse', 'pass'])
      .default('refuse')
      .describe('Requests without a matching binding: refuse with 404 or 405, or pass. Default refuse.'),
    unknownFields: z
      .enum(['refuse', 'ignore'])
      .default('refuse')
      .describe('Body fields and query parameters that the message does not have: refuse or ignore. Default refuse.'),
    limit: size.prefault('4mb').describe('Largest message and request body. Default 4mb.'),
    output: z
      .strictObject({
        defaults: z
          .boolean()
          .default(false)
          .describe('Include fields without presence that have their default value. Default false.'),
        enums: z.enum(['names', 'numbers']).default('names').describe('Format of enum values. Default names.'),
        fields: z
          .enum(['json', 'proto'])
          .default('json')
          .describe('JSON names of fields, as itemId, or those of the .proto file, as item_id. Default json.'),
      })
      .prefault({})
      .describe('Format of replies.'),
  })
  .superRefine((options, context) => {
    try {
      compiled(options)
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['schema'], message: `cannot be used: ${messageOf(error)}` })
    }
  })
