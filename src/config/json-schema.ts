import { z } from 'zod'
import { withEditorNotes } from './editor-notes.ts'
import { gatewaySchema } from './schema.ts'
import { fieldOf, type Fields, isFields, itemsOf } from '../core/value.ts'

/** A JSON Schema or a part of one. */
export type JsonSchema = Fields

const VARIABLE = { $ref: '#/definitions/variable' }
const DEFINITIONS = {
  variable: {
    description: 'Text with ${NAME} or ${NAME:-default}, replaced from the environment.',
    type: 'string',
    pattern: '\\$\\{[^}]*\\}',
  },
}

/** The JSON Schema (draft 7) of sallyport.yaml, which editors use for completion and documentation. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(gatewaySchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    // For a schema with a transform, zod applies examples and defaults to the output.
    override: ({ zodSchema, jsonSchema }) => {
      const { examples, default: fallback } = z.globalRegistry.get(zodSchema) ?? {}
      if (Array.isArray(examples)) jsonSchema.examples = examples
      if (typeof fallback === 'string') jsonSchema.default = fallback
    },
  })
  const relaxed = withEditorNotes(withVariables(withPartialRoutePolicies(schema)))
  return {
    ...relaxed,
    title: 'Sallyport configuration',
    patternProperties: { '^x-': { description: 'Ignored; a place for YAML anchors.' } },
    definitions: DEFINITIONS,
  }
}

/** A route may leave out options that the policies for every route already set. */
function withPartialRoutePolicies(schema: JsonSchema): JsonSchema {
  const steps = ['properties', 'routes', 'items', 'properties', 'policies', 'properties']
  return updateAt(schema, steps, (policies) =>
    mapFields(policies, (policy) => ({ ...policy, anyOf: itemsOf(policy['anyOf']).map(withoutRequired) })),
  )
}

function withoutRequired(branch: unknown): unknown {
  if (!isFields(branch)) return branch
  const { required: _, ...rest } = branch
  return rest
}

/** Where only certain texts are allowed, a text with a variable in it is allowed too. */
function withVariables(schema: JsonSchema): JsonSchema {
  const inner = withVariablesBelow(schema)
  const branches = itemsOf(inner['anyOf']).filter(isFields)
  if (branches.length > 0) {
    const takesText = branches.some((branch) => branch['type'] === 'string' && !isRestricted(branch))
    return { ...inner, anyOf: branches.some(isRestricted) && !takesText ? [...branches, VARIABLE] : branches }
  }
  if (!isRestricted(inner)) return inner
  const { description, default: fallback, examples, ...rest } = inner
  const notes = Object.fromEntries(
    Object.entries({ description, default: fallback, examples }).filter(([, note]) => note !== undefined),
  )
  return { ...notes, anyOf: [rest, VARIABLE] }
}

function withVariablesBelow(schema: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties, anyOf } = schema
  return {
    ...schema,
    ...(isFields(properties) && { properties: mapFields(properties, withVariables) }),
    ...(isFields(items) && { items: withVariables(items) }),
    ...(isFields(additionalProperties) && { additionalProperties: withVariables(additionalProperties) }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.filter(isFields).map(withVariablesBelow) }),
  }
}

/** Whether the schema refuses some texts, and describes a single value at all. */
function isRestricted(schema: JsonSchema): boolean {
  if ('enum' in schema || 'const' in schema) return true
  const type = schema['type']
  if (type === 'string') return 'pattern' in schema || 'format' in schema || Number(schema['minLength'] ?? 0) > 1
  return type === 'number' || type === 'integer' || type === 'boolean'
}

function mapFields(fields: Fields, change: (field: Fields) => Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, isFields(field) ? change(field) : field]),
  )
}

function updateAt(fields: Fields, steps: readonly string[], change: (field: Fields) => Fields): Fields {
  const [step, ...rest] = steps
  if (step === undefined) return change(fields)
  const field = fieldOf(fields, step)
  return isFields(field) ? { ...fields, [step]: updateAt(field, rest, change) } : fields
}
