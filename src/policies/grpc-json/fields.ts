import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf'
import { protobuf } from './library.ts'

/** Messages whose JSON form is a single string. */
const TEXTS: ReadonlySet<string> = new Set([
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
  'google.protobuf.FieldMask',
])
const WRAPPER = /^google\.protobuf\.(?:Double|Float|U?Int(?:32|64)|Bool|String|Bytes)Value$/

/** The fields of a message by name: both the name in the file and the JSON name. */
const byName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>()

function fieldsOf(message: DescMessage): ReadonlyMap<string, DescField> {
  const known = byName.get(message)
  if (known !== undefined) return known
  const fields = new Map(
    message.fields.flatMap((field) => [[field.jsonName, field] as const, [field.name, field] as const]),
  )
  byName.set(message, fields)
  return fields
}

/** The field that a path of names leads to, from the message inwards; null if there is none. */
export function fieldOfPath(message: DescMessage, path: readonly string[]): DescField | null {
  return chainOf(message, path)?.at(-1) ?? null
}

/** All fields along the path; null if one is missing, or one on the way is not a singular message. */
export function chainOf(message: DescMessage, path: readonly string[]): readonly DescField[] | null {
  const chain: DescField[] = []
  let inner: DescMessage | null = message
  for (const name of path) {
    const field: DescField | undefined = inner === null ? undefined : fieldsOf(inner).get(name)
    if (field === undefined) return null
    chain.push(field)
    inner = field.fieldKind === 'message' ? field.message : null
  }
  return chain.length === 0 ? null : chain
}

/** Whether a single text can be the value of the field. */
export function isText(field: DescField): boolean {
  if (field.fieldKind === 'message') return TEXTS.has(field.message.typeName) || WRAPPER.test(field.message.typeName)
  return field.fieldKind === 'scalar' || field.fieldKind === 'enum'
}

/** Whether texts can be the items of the field, which is a list. */
export function isTextList(field: DescField): boolean {
  if (field.fieldKind !== 'list') return false
  if (field.listKind === 'message') return TEXTS.has(field.message.typeName) || WRAPPER.test(field.message.typeName)
  return true
}

/** Converts a text to the JSON value of the field; invalid values are detected when the message is parsed. */
export function jsonOfText(field: DescField, text: string): JsonValue {
  if (field.enum !== undefined && /^-?\d+$/.test(text)) return Number(text)
  if (isBool(field) && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

function isBool({ scalar, message }: DescField): boolean {
  return scalar === protobuf().ScalarType.BOOL || message?.typeName === 'google.protobuf.BoolValue'
}
