import type { Fields } from '../../../core/value.ts'

// Descriptors as in google/protobuf/descriptor.proto, in Protobuf's JSON form.

/** A field of a message, or an extension. */
export interface FieldJson {
  readonly name: string
  readonly number: number
  readonly label: 'LABEL_OPTIONAL' | 'LABEL_REQUIRED' | 'LABEL_REPEATED'
  /** Missing until it is known whether `typeName` is a message or an enum. */
  type?: string
  /** As written in the file until it is linked. */
  typeName?: string
  extendee?: string
  readonly jsonName: string
  defaultValue?: string
  oneofIndex?: number
  proto3Optional?: true
  options?: Fields
  /** Line in the file; not part of the descriptor. */
  readonly line: number
}

export interface EnumJson {
  readonly name: string
  readonly value: { readonly name: string; readonly number: number; readonly options?: Fields }[]
  options?: Fields
}

export interface MessageJson {
  readonly name: string
  readonly field: FieldJson[]
  readonly extension: FieldJson[]
  readonly nestedType: MessageJson[]
  readonly enumType: EnumJson[]
  readonly extensionRange: { readonly start: number; readonly end: number }[]
  readonly oneofDecl: { readonly name: string; options?: Fields }[]
  options?: Fields
}

export interface MethodJson {
  readonly name: string
  inputType: string
  outputType: string
  clientStreaming?: true
  serverStreaming?: true
  options?: Fields
  readonly line: number
}

export interface ServiceJson {
  readonly name: string
  readonly method: MethodJson[]
  options?: Fields
}

/** A parsed .proto file. */
export interface FileJson {
  readonly name: string
  package?: string
  readonly dependency: string[]
  /** Indexes into `dependency`. */
  readonly publicDependency: number[]
  readonly messageType: MessageJson[]
  readonly enumType: EnumJson[]
  readonly service: ServiceJson[]
  readonly extension: FieldJson[]
  options?: Fields
  /** Left out for proto2. */
  syntax?: 'proto3' | 'editions'
  /** Such as "EDITION_2023"; left out for proto2 and proto3. */
  edition?: string
}
