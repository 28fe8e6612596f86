import type { DescExtension, DescFile, DescMessage, FileRegistry } from '@bufbuild/protobuf'
import type { FileDescriptorProto, FileDescriptorSet } from '@bufbuild/protobuf/wkt'
import { messageOf } from '../../core/error-facts.ts'
import { protobuf, wellKnown } from './library.ts'
import type { FileJson } from './proto/file-json.ts'
import { googleFiles } from './proto/google.ts'
import { linkFiles, type NamedTypes } from './proto/link.ts'
import { parseProto } from './proto/parse-proto.ts'
import type { Sources } from './proto/sources.ts'

/** Compiles .proto files to a descriptor set. Throws ProtoError, or an Error for an invalid descriptor. */
export function compileSources({ files, ofProtobuf }: Sources): FileDescriptorSet {
  return compileWith(files, ofProtobuf, ruleRegistry())
}

/**
 * Reads a descriptor set written by a compiler, and adds well-known files that it lacks. Throws an Error if it is invalid, or says
 * which file is missing.
 */
export function readSet(bytes: Uint8Array): FileDescriptorSet {
  const { fromBinary, create } = protobuf()
  const { FileDescriptorSetSchema } = wellKnown()
  let set: FileDescriptorSet
  try {
    set = fromBinary(FileDescriptorSetSchema, bytes)
  } catch (error) {
    throw new Error(`is not a descriptor set (${messageOf(error)})`, { cause: error })
  }
  if (set.file.length === 0) throw new Error('is not a descriptor set, or one without files')
  const known = new Map(set.file.map((file) => [file.name, file]))
  const sorted: FileDescriptorProto[] = []
  const seen = new Set<string>()
  const add = (file: FileDescriptorProto): void => {
    if (seen.has(file.name)) return
    seen.add(file.name)
    for (const name of file.dependency) {
      const dependency = known.get(name) ?? commonFile(name)
      if (dependency === undefined)
        throw new Error(`lacks ${name}, which ${file.name} imports; write it with "protoc --include_imports"`)
      add(dependency)
    }
    // Source positions make up most of its size.
    delete file.sourceCodeInfo
    sorted.push(file)
  }
  for (const file of set.file) add(file)
  return create(FileDescriptorSetSchema, { file: sorted })
}

/** Encodes a descriptor set for storage in the options of a policy. */
export function encodeSet(set: FileDescriptorSet): string {
  return Buffer.from(protobuf().toBinary(wellKnown().FileDescriptorSetSchema, set)).toString('base64')
}

/** The types and services of an encoded descriptor set. Throws an Error if it is inconsistent. */
export function decodeSet(encoded: string): FileRegistry {
  const { createFileRegistry, fromBinary } = protobuf()
  return createFileRegistry(fromBinary(wellKnown().FileDescriptorSetSchema, Buffer.from(encoded, 'base64')))
}

/** The definitions from google/api and google/rpc that are used here. */
export interface Common {
  /** google.api.http, the option of methods. */
  readonly http: DescExtension
  /** google.rpc.Status, which grpc-status-details-bin contains. */
  readonly status: DescMessage
  /** The types of details that a status may have. */
  readonly types: FileRegistry
}

let common: Common | null = null

/** Loaded once. */
export function commonTypes(): Common {
  common ??= loadCommon()
  return common
}

function loadCommon(): Common {
  const types = protobuf().createFileRegistry(compileGoogle([...googleFiles.keys()]))
  const http = types.getExtension('google.api.http')
  const status = types.getMessage('google.rpc.Status')
  if (http === undefined || status === undefined)
    throw new Error('the types of google/api and google/rpc are incomplete')
  return { http, status, types }
}

/** A registry that contains the option google.api.http. */
function ruleRegistry(): FileRegistry {
  return commonTypes().types
}

/** One of the built-in files. */
function commonFile(name: string): FileDescriptorProto | undefined {
  const own = ofProtobufFiles().get(name)
  if (own !== undefined) return own.proto
  return googleFiles.has(name) ? compileGoogle([name]).file.find((file) => file.name === name) : undefined
}

function compileGoogle(names: readonly string[]): FileDescriptorSet {
  const files: FileJson[] = []
  const ofProtobuf = new Set<string>()
  const add = (name: string): void => {
    if (files.some((file) => file.name === name)) return
    const source = googleFiles.get(name)
    if (source === undefined) return void ofProtobuf.add(name)
    const file = parseProto(source, name)
    for (const each of file.dependency) add(each)
    files.push(file)
  }
  for (const name of names) add(name)
  return compileWith(files, ofProtobuf)
}

function compileWith(
  files: readonly FileJson[],
  ofProtobuf: ReadonlySet<string>,
  registry?: FileRegistry,
): FileDescriptorSet {
  const { create, fromJsonString } = protobuf()
  const { FileDescriptorProtoSchema, FileDescriptorSetSchema } = wellKnown()
  const parsed = [...ofProtobuf].map((name) => {
    const file = ofProtobufFiles().get(name)
    if (file === undefined) throw new Error(`there is no ${name}; it is imported`)
    return file
  })
  const complete = withDependencies(parsed)
  linkFiles(files, new Map(complete.map((file) => [file.proto.name, typesOf(file)])))
  const options = { ignoreUnknownFields: true, ...(registry !== undefined && { registry }) }
  const compiled = files.map((file) => {
    try {
      return fromJsonString(FileDescriptorProtoSchema, descriptorOf(file), options)
    } catch (error) {
      throw new Error(`${file.name}: ${messageOf(error)}`, { cause: error })
    }
  })
  return create(FileDescriptorSetSchema, { file: [...complete.map(({ proto }) => proto), ...compiled] })
}

function ofProtobufFiles(): ReadonlyMap<string, DescFile> {
  const types = wellKnown()
  const files = [
    types.file_google_protobuf_any,
    types.file_google_protobuf_api,
    types.file_google_protobuf_descriptor,
    types.file_google_protobuf_duration,
    types.file_google_protobuf_empty,
    types.file_google_protobuf_field_mask,
    types.file_google_protobuf_source_context,
    types.file_google_protobuf_struct,
    types.file_google_protobuf_timestamp,
    types.file_google_protobuf_type,
    types.file_google_protobuf_wrappers,
  ]
  return new Map(files.map((file) => [file.proto.name, file]))
}

/** Sorts files so that imported ones come first. */
function withDependencies(files: readonly DescFile[]): DescFile[] {
  const all = new Set<DescFile>()
  const add = (file: DescFile): void => {
    for (const each of file.dependencies) add(each)
    all.add(file)
  }
  for (const file of files) add(file)
  return [...all]
}

function typesOf(file: DescFile): NamedTypes {
  const types = new Map<string, 'message' | 'enum'>()
  const addMessage = ({ typeName, nestedMessages, nestedEnums }: DescMessage): void => {
    types.set(typeName, 'message')
    for (const each of nestedMessages) addMessage(each)
    for (const each of nestedEnums) types.set(each.typeName, 'enum')
  }
  for (const message of file.messages) addMessage(message)
  for (const { typeName } of file.enums) types.set(typeName, 'enum')
  return types
}

/** As JSON, without properties that are not part of descriptors. */
function descriptorOf(file: FileJson): string {
  return JSON.stringify(file, (key, value: unknown) => (key === 'line' ? undefined : value))
}
