import type { DescEnum, DescField, DescMessage, ScalarType } from '@bufbuild/protobuf'
import type { DocsObject } from '../policy-docs.ts'
import { protobuf } from './library.ts'

/** How messages are written in JSON, as far as it affects a schema. */
export interface JsonStyle {
  readonly enums: 'names' | 'numbers'
  readonly fields: 'json' | 'proto'
}

const WHOLE = { type: 'integer', format: 'int32' }
/** Exceeds what JSON numbers hold exactly, so it is written as a string. */
const LONG = { type: 'string', format: 'int64' }
const NUMBER = { type: 'number', format: 'double' }
const BASE64 = { type: 'string', contentEncoding: 'base64' }

/** JSON of messages that have a special form (ProtoJSON, "Well-known types"), by their names in google.protobuf. */
const OWN_FORMS: Readonly<Record<string, DocsObject>> = {
  Timestamp: { type: 'string', format: 'date-time' },
  Duration: { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$' },
  FieldMask: { type: 'string', description: 'Names of fields, separated by commas.' },
  Struct: { type: 'object' },
  Value: {},
  ListValue: { type: 'array', items: {} },
  Any: { type: 'object', properties: { '@type': { type: 'string' } }, required: ['@type'] },
  Empty: { type: 'object', additionalProperties: false },
  DoubleValue: orNull(NUMBER),
  FloatValue: orNull(NUMBER),
  Int64Value: orNull(LONG),
  UInt64Value: orNull(LONG),
  Int32Value: orNull(WHOLE),
  UInt32Value: orNull(WHOLE),
  BoolValue: orNull({ type: 'boolean' }),
  StringValue: orNull({ type: 'string' }),
  BytesValue: orNull(BASE64),
}

/** Creates the JSON Schemas of message types, each once. */
export class MessageSchemas {
  /** By the full names of the types. */
  readonly named: Record<string, DocsObject> = {}
  private readonly style: JsonStyle

  constructor(style: JsonStyle) {
    this.style = style
  }

  /** The schema of a message type; one with fields is a reference. */
  ofMessage(message: DescMessage): DocsObject {
    const { typeName } = message
    const form = typeName.startsWith('google.protobuf.') ? OWN_FORMS[typeName.slice('google.protobuf.'.length)] : null
    if (form !== null && form !== undefined) return form
    if (this.named[typeName] === undefined) {
      const schema: DocsObject = {}
      // Registered before its fields, which may be of the same type.
      this.named[typeName] = schema
      const properties = message.fields.map((field) => [this.nameOf(field), this.ofField(field)] as const)
      Object.assign(schema, { type: 'object', properties: Object.fromEntries(properties) })
    }
    return { $ref: `#/components/schemas/${typeName}` }
  }

  /** The schema of a field's value. */
  ofField(field: DescField): DocsObject {
    const { fieldKind } = field
    if (fieldKind === 'list') return { type: 'array', items: this.ofSingle(field) }
    return fieldKind === 'map' ? { type: 'object', additionalProperties: this.ofSingle(field) } : this.ofSingle(field)
  }

  /** The name of a field in JSON. */
  nameOf({ name, jsonName }: DescField): string {
    return this.style.fields === 'json' ? jsonName : name
  }

  /** The schema of a single value of the field. */
  private ofSingle({ message, enum: named, scalar }: DescField): DocsObject {
    if (message !== undefined) return this.ofMessage(message)
    if (named !== undefined) return this.ofEnum(named)
    return scalar === undefined ? {} : ofScalar(scalar)
  }

  private ofEnum({ typeName, values }: DescEnum): DocsObject {
    if (typeName === 'google.protobuf.NullValue') return { type: 'null' }
    if (this.style.enums === 'numbers') return { type: 'integer', enum: values.map(({ number }) => number) }
    return { type: 'string', enum: values.map(({ name }) => name) }
  }
}

function ofScalar(scalar: ScalarType): DocsObject {
  const { STRING, BOOL, BYTES, DOUBLE, FLOAT, INT32, SINT32, SFIXED32, UINT32, FIXED32 } = protobuf().ScalarType
  if (scalar === STRING) return { type: 'string' }
  if (scalar === BOOL) return { type: 'boolean' }
  if (scalar === BYTES) return BASE64
  if (scalar === DOUBLE || scalar === FLOAT) return NUMBER
  return [INT32, SINT32, SFIXED32, UINT32, FIXED32].includes(scalar) ? WHOLE : LONG
}

function orNull(schema: { readonly type: string }): DocsObject {
  return { ...schema, type: [schema.type, 'null'] }
}
