import type { DescMessage, JsonValue, JsonWriteOptions, Message } from '@bufbuild/protobuf'
import { isFields } from '../../core/value.ts'
import type { Binding } from './bindings.ts'
import { protobuf } from './library.ts'
import { isHttpBody } from './request.ts'

/** A message of the service in the form that the client gets. */
export interface Content {
  /** Null for JSON. */
  readonly type: string | null
  readonly bytes: Buffer
}

/**
 * Creates a function that converts messages to JSON, or extracts the content of a google.api.HttpBody. It throws an Error if the
 * bytes are not a valid message.
 */
export function replyForm(
  { method, replyField }: Binding,
  options: Partial<JsonWriteOptions>,
): (message: Uint8Array) => Content {
  const { output } = method
  const read = (bytes: Uint8Array): Message => protobuf().fromBinary(output, bytes)
  const bodyType = replyField === null ? output : replyField.fieldKind === 'message' ? replyField.message : undefined
  if (bodyType !== undefined && isHttpBody(bodyType))
    return (bytes) => httpBody(output, read(bytes), replyField?.jsonName)
  return (bytes) => {
    const json = protobuf().toJson(output, read(bytes), options)
    return {
      type: null,
      bytes: Buffer.from(JSON.stringify(replyField === null ? json : part(json, replyField, options))),
    }
  }
}

/** One field of the reply; if it is missing, its default. */
function part(
  json: JsonValue,
  field: NonNullable<Binding['replyField']>,
  { useProtoFieldName = false }: Partial<JsonWriteOptions>,
): unknown {
  const value = isFields(json) ? json[useProtoFieldName ? field.name : field.jsonName] : undefined
  if (value !== undefined) return value
  if (field.fieldKind === 'list') return []
  if (field.fieldKind === 'map') return {}
  if (field.fieldKind === 'message') return null
  return implicitValue(field)
}

/** The default of the field in JSON. */
function implicitValue(field: NonNullable<Binding['replyField']>): unknown {
  const { create, toJson } = protobuf()
  const all = toJson(field.parent, create(field.parent), { alwaysEmitImplicit: true })
  return isFields(all) ? (all[field.jsonName] ?? null) : null
}

function httpBody(output: DescMessage, message: Message, field: string | undefined): Content {
  const whole = protobuf().toJson(output, message)
  const body: unknown = field === undefined ? whole : isFields(whole) ? whole[field] : undefined
  const { contentType, data } = isFields(body) ? body : {}
  return {
    type: typeof contentType === 'string' && contentType !== '' ? contentType : 'application/octet-stream',
    bytes: Buffer.from(typeof data === 'string' ? data : '', 'base64'),
  }
}
