import type { EnumJson, FieldJson, FileJson, MessageJson, MethodJson, ServiceJson } from './file-json.ts'
import { isKeyType, type Label, labelOf, makeField, mapEntry, setType } from './make-field.ts'
import { Options } from './options.ts'
import { Reader } from './reader.ts'

/** Maximum nesting of messages. */
const DEPTH = 32
/** The values of "max" in ranges of field and enum numbers. */
const MAX = 536_870_911
const MAX_ENUM = 2_147_483_647

const EDITIONS: ReadonlySet<string> = new Set(['2023', '2024'])

/**
 * Parses a .proto file (proto2, proto3 and editions); type names are left as written. Supported options are those of descriptors,
 * and google.api.http. Throws ProtoError.
 */
export function parseProto(source: string, file: string): FileJson {
  return new Parser(new Reader(source, file)).file()
}

/** Where fields of messages and extensions are declared. */
interface Scope {
  readonly field: FieldJson[]
  readonly nestedType: MessageJson[]
  /** Null for extensions. */
  readonly message: MessageJson | null
}

class Parser {
  private readonly reader: Reader
  private syntax: 'proto2' | 'proto3' | 'editions' = 'proto2'

  constructor(reader: Reader) {
    this.reader = reader
  }

  file(): FileJson {
    const { reader } = this
    const lists = { dependency: [], publicDependency: [], messageType: [], enumType: [], service: [], extension: [] }
    const file: FileJson = { name: reader.file, ...lists }
    const options = new Options()
    this.readSyntax(file)
    while (!reader.atEnd) this.readStatement(file, options)
    const json = options.toJson()
    if (json !== undefined) file.options = json
    return file
  }

  private readSyntax(file: FileJson): void {
    const { reader } = this
    const isEdition = reader.sees('edition')
    if (!isEdition && !reader.sees('syntax')) return
    reader.next()
    reader.expect('=')
    const { line } = reader
    const version = reader.text()
    reader.expect(';')
    if (isEdition) {
      if (!EDITIONS.has(version)) reader.fail(`edition ${version}; expected ${[...EDITIONS].join(' or ')}`, line)
      file.edition = `EDITION_${version}`
      this.syntax = 'editions'
      file.syntax = 'editions'
      return
    }
    if (version !== 'proto2' && version !== 'proto3')
      return reader.fail(`syntax ${version}; expected proto2 or proto3`, line)
    this.syntax = version
    if (version !== 'proto2') file.syntax = version
  }

  private readStatement(file: FileJson, options: Options): void {
    const { reader } = this
    if (reader.takes(';')) return
    const { text } = reader.peek()
    switch (text) {
      case 'import':
        return this.readImport(file)
      case 'package':
        reader.next()
        if (file.package !== undefined) reader.fail('a second package')
        file.package = reader.path()
        return reader.expect(';')
      case 'option':
        return this.readOption(options)
      case 'message':
        return void file.messageType.push(this.message(0))
      case 'enum':
        return void file.enumType.push(this.enumeration())
      case 'service':
        return void file.service.push(this.service())
      case 'extend':
        return this.readExtend(file.extension, file.messageType)
      default:
        throw reader.unexpected('import, package, option, message, enum, service or extend')
    }
  }

  private readImport(file: FileJson): void {
    const { reader } = this
    reader.next()
    if (reader.takes('public')) file.publicDependency.push(file.dependency.length)
    else reader.takes('weak')
    file.dependency.push(reader.text())
    reader.expect(';')
  }

  private readOption(options: Options): void {
    const { reader } = this
    reader.expect('option')
    options.read(reader)
    reader.expect(';')
  }

  private message(depth: number): MessageJson {
    this.reader.expect('message')
    return this.messageNamed(this.reader.name(), depth)
  }

  private messageNamed(name: string, depth: number): MessageJson {
    const { reader } = this
    if (depth > DEPTH) reader.fail(`messages that are nested more than ${DEPTH} times`)
    const lists = { field: [], extension: [], nestedType: [], enumType: [], extensionRange: [], oneofDecl: [] }
    const message: MessageJson = { name, ...lists }
    const options = new Options()
    reader.expect('{')
    while (!reader.takes('}')) this.readMember(message, options, depth)
    this.closeOptionals(message)
    const json = options.toJson()
    if (json !== undefined) message.options = json
    return message
  }

  private readMember(message: MessageJson, options: Options, depth: number): void {
    const { reader } = this
    if (reader.takes(';')) return
    const { text } = reader.peek()
    switch (text) {
      case 'message':
        return void message.nestedType.push(this.message(depth + 1))
      case 'enum':
        return void message.enumType.push(this.enumeration())
      case 'oneof':
        return this.readOneof(message, depth)
      case 'extend':
        return this.readExtend(message.extension, message.nestedType)
      case 'option':
        return this.readOption(options)
      case 'extensions':
        return this.readExtensions(message)
      case 'reserved':
        return this.skipReserved()
    }
    this.readField({ field: message.field, nestedType: message.nestedType, message }, depth, null)
  }

  private readOneof(message: MessageJson, depth: number): void {
    const { reader } = this
    const options = new Options()
    reader.expect('oneof')
    const index = message.oneofDecl.length
    const oneof: MessageJson['oneofDecl'][number] = { name: reader.name() }
    message.oneofDecl.push(oneof)
    reader.expect('{')
    while (!reader.takes('}')) {
      if (reader.takes(';')) continue
      if (reader.sees('option')) this.readOption(options)
      else this.readField({ field: message.field, nestedType: message.nestedType, message }, depth, index)
    }
    const json = options.toJson()
    if (json !== undefined) oneof.options = json
  }

  private readExtend(into: FieldJson[], nestedType: MessageJson[]): void {
    const { reader } = this
    reader.expect('extend')
    const extendee = reader.path(true)
    const field: FieldJson[] = []
    reader.expect('{')
    while (!reader.takes('}')) if (!reader.takes(';')) this.readField({ field, nestedType, message: null }, 0, null)
    for (const each of field) into.push({ ...each, extendee })
  }

  /** `oneof` is the index of the oneof that contains the field, or null. */
  private readField(scope: Scope, depth: number, oneof: number | null): void {
    const { reader, syntax } = this
    const { line } = reader
    if (reader.sees('map') && reader.peek(1).text === '<') return this.readMap(scope, oneof)
    const label = this.label()
    if (label !== null && oneof !== null) reader.fail(`${label} in a oneof; expected no label`, line)
    if (label === null && oneof === null && syntax === 'proto2')
      reader.fail('a field without a label; expected optional, required or repeated', line)
    if (label === 'required' && syntax !== 'proto2') reader.fail(`required in ${syntax}`, line)
    const isGroup = reader.sees('group') && reader.peek(1).kind === 'name' && reader.peek(2).text === '='
    if (isGroup && syntax !== 'proto2') reader.fail(`a group in ${syntax}; expected a message`, line)
    if (isGroup) reader.next()
    const type = isGroup ? 'group' : reader.path(true)
    const name = reader.name()
    reader.expect('=')
    const number = this.fieldNumber()
    const options = new Options()
    options.readBrackets(reader)
    const field = makeField({
      name: isGroup ? name.toLowerCase() : name,
      number,
      label: label ?? 'optional',
      options,
      line,
    })
    if (isGroup) {
      scope.nestedType.push(this.messageNamed(name, depth + 1))
      field.type = 'TYPE_GROUP'
      field.typeName = name
    } else {
      reader.expect(';')
      setType(field, type)
    }
    // No program depends on its form in descriptors.
    if (type === 'bytes') delete field.defaultValue
    if (oneof !== null) field.oneofIndex = oneof
    else if (label === 'optional' && syntax === 'proto3' && scope.message !== null) field.proto3Optional = true
    else if (label === 'optional' && syntax === 'editions')
      reader.fail('optional in an edition; expected no label', line)
    scope.field.push(field)
  }

  private label(): Label | null {
    const label = labelOf(this.reader.peek().text)
    if (label !== null) this.reader.next()
    return label
  }

  private readMap({ field: fields, nestedType, message }: Scope, oneof: number | null): void {
    const { reader } = this
    const { line } = reader
    if (message === null || oneof !== null) reader.fail('a map in a oneof or an extension', line)
    reader.next()
    reader.expect('<')
    const key = reader.name()
    if (!isKeyType(key)) reader.fail(`a map with keys of ${key}; expected a whole number, bool or string`, line)
    reader.expect(',')
    const value = reader.path(true)
    reader.expect('>')
    const name = reader.name()
    reader.expect('=')
    const number = this.fieldNumber()
    const options = new Options()
    options.readBrackets(reader)
    reader.expect(';')
    const entry = mapEntry(name, key, value, line)
    nestedType.push(entry)
    const field = makeField({ name, number, label: 'repeated', options, line })
    field.typeName = entry.name
    fields.push(field)
  }

  private fieldNumber(): number {
    const { reader } = this
    const { line } = reader
    const number = reader.integer()
    if (number < 1 || number > MAX) reader.fail(`the field number ${number}; expected 1 to ${MAX}`, line)
    return number
  }

  private readExtensions(message: MessageJson): void {
    const { reader } = this
    reader.expect('extensions')
    do {
      const start = this.fieldNumber()
      const end = reader.takes('to') ? (reader.takes('max') ? MAX : this.fieldNumber()) : start
      message.extensionRange.push({ start, end: end + 1 })
    } while (reader.takes(','))
    new Options().readBrackets(reader)
    reader.expect(';')
  }

  /** Skips reserved numbers and names, which are not used here. */
  private skipReserved(): void {
    const { reader } = this
    reader.expect('reserved')
    do {
      if (reader.peek().kind === 'text') reader.text()
      else if (reader.peek().kind === 'name') reader.name()
      else {
        reader.integer(true)
        if (reader.takes('to') && !reader.takes('max')) reader.integer(true)
      }
    } while (reader.takes(','))
    reader.expect(';')
  }

  private enumeration(): EnumJson {
    const { reader } = this
    reader.expect('enum')
    const enumeration: EnumJson = { name: reader.name(), value: [] }
    const options = new Options()
    reader.expect('{')
    while (!reader.takes('}')) {
      if (reader.takes(';')) continue
      const isValue = reader.peek(1).text === '='
      if (!isValue && reader.sees('option')) this.readOption(options)
      else if (!isValue && reader.sees('reserved')) this.skipReserved()
      else enumeration.value.push(this.enumValue())
    }
    const json = options.toJson()
    if (json !== undefined) enumeration.options = json
    if (enumeration.value.length === 0) reader.fail(`the enum ${enumeration.name} without a value`)
    return enumeration
  }

  private enumValue(): EnumJson['value'][number] {
    const { reader } = this
    const { line } = reader
    const name = reader.name()
    reader.expect('=')
    const number = reader.integer(true)
    if (Math.abs(number) > MAX_ENUM) reader.fail(`the value ${number} of an enum; expected 32 bits`, line)
    const options = new Options()
    options.readBrackets(reader)
    reader.expect(';')
    const json = options.toJson()
    return json === undefined ? { name, number } : { name, number, options: json }
  }

  private service(): ServiceJson {
    const { reader } = this
    reader.expect('service')
    const service: ServiceJson = { name: reader.name(), method: [] }
    const options = new Options()
    reader.expect('{')
    while (!reader.takes('}')) {
      if (reader.takes(';')) continue
      if (reader.sees('option')) this.readOption(options)
      else service.method.push(this.method())
    }
    const json = options.toJson()
    if (json !== undefined) service.options = json
    return service
  }

  private method(): MethodJson {
    const { reader } = this
    const { line } = reader
    reader.expect('rpc')
    const name = reader.name()
    const [inputType, clientStreaming] = this.methodType()
    reader.expect('returns')
    const [outputType, serverStreaming] = this.methodType()
    const method: MethodJson = { name, inputType, outputType, line }
    if (clientStreaming) method.clientStreaming = true
    if (serverStreaming) method.serverStreaming = true
    const options = new Options()
    if (!reader.takes(';')) {
      reader.expect('{')
      while (!reader.takes('}')) if (!reader.takes(';')) this.readOption(options)
    }
    const json = options.toJson()
    if (json !== undefined) method.options = json
    return method
  }

  private methodType(): readonly [type: string, isStream: boolean] {
    const { reader } = this
    reader.expect('(')
    const isStream = reader.takes('stream')
    const type = reader.path(true)
    reader.expect(')')
    return [type, isStream]
  }

  /** An optional field of proto3 becomes the only member of a synthetic oneof, which comes after the declared ones. */
  private closeOptionals(message: MessageJson): void {
    for (const field of message.field) {
      if (field.proto3Optional !== true) continue
      field.oneofIndex = message.oneofDecl.length
      let name = `_${field.name}`
      while (message.field.some((each) => each.name === name)) name = `X${name}`
      message.oneofDecl.push({ name })
    }
  }
}
