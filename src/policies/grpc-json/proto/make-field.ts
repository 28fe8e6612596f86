import type { FieldJson, MessageJson } from './file-json.ts'
import { Options } from './options.ts'

const SCALARS: ReadonlySet<string> = new Set([
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
])

const LABELS = { optional: 'LABEL_OPTIONAL', required: 'LABEL_REQUIRED', repeated: 'LABEL_REPEATED' } as const

export type Label = keyof typeof LABELS

/** The label with that name; null for any other word. */
export function labelOf(word: string): Label | null {
  return word === 'optional' || word === 'required' || word === 'repeated' ? word : null
}

/** What a field declares before its type is set. */
export interface DeclaredField {
  readonly name: string
  readonly number: number
  readonly label: Label
  readonly options: Options
  readonly line: number
}

/** The descriptor of a field, without its type. */
export function makeField({ name, number, label, options, line }: DeclaredField): FieldJson {
  const jsonName = options.take('json_name')
  const byDefault = options.take('default')
  const field: FieldJson = {
    name,
    number,
    label: LABELS[label],
    jsonName: typeof jsonName === 'string' ? jsonName : jsonNameOf(name),
    line,
  }
  if (typeof byDefault === 'string' || typeof byDefault === 'boolean') field.defaultValue = String(byDefault)
  const json = options.toJson()
  if (json !== undefined) field.options = json
  return field
}

/** Sets the type as written in the file. */
export function setType(field: FieldJson, type: string): void {
  if (SCALARS.has(type)) field.type = `TYPE_${type.toUpperCase()}`
  else field.typeName = type
}

/** Whether maps may have keys of that type. */
export function isKeyType(type: string): boolean {
  return SCALARS.has(type) && type !== 'double' && type !== 'float' && type !== 'bytes'
}

/** The message of which a map with that name is a list: its entries have a key and a value. */
export function mapEntry(map: string, key: string, value: string, line: number): MessageJson {
  const camel = jsonNameOf(map)
  const name = `${camel.charAt(0).toUpperCase()}${camel.slice(1)}Entry`
  const keyField = makeField({ name: 'key', number: 1, label: 'optional', options: new Options(), line })
  const valueField = makeField({ name: 'value', number: 2, label: 'optional', options: new Options(), line })
  setType(keyField, key)
  setType(valueField, value)
  const lists = { extension: [], nestedType: [], enumType: [], extensionRange: [], oneofDecl: [] }
  return { name, field: [keyField, valueField], ...lists, options: { mapEntry: true } }
}

/** ProtoJSON, "Field names": "_" is removed and the letter after it is capitalised. */
function jsonNameOf(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase())
}
