import type { FieldJson, FileJson, MessageJson } from './file-json.ts'
import { ProtoError } from './proto-error.ts'

type Kind = 'message' | 'enum'

/** Full name, without the leading dot -> its kind. */
export type NamedTypes = ReadonlyMap<string, Kind>

/**
 * Replaces type names in files by full names, and sets the type of each field. `builtIn` are the types of files that are already
 * descriptors, by file name. Throws ProtoError.
 */
export function linkFiles(files: readonly FileJson[], builtIn: ReadonlyMap<string, NamedTypes>): void {
  const own = new Map([...builtIn, ...files.map((file) => [file.name, namesOf(file)] as const)])
  const byName = new Map(files.map((file) => [file.name, file]))
  for (const file of files) {
    const visible = new Map(own.get(file.name))
    const seen = new Set<string>()
    const show = (name: string): void => {
      if (seen.has(name)) return
      seen.add(name)
      for (const [full, kind] of own.get(name) ?? []) visible.set(full, kind)
      const { publicDependency = [], dependency = [] } = byName.get(name) ?? {}
      for (const index of publicDependency) show(dependency[index] ?? '')
    }
    for (const name of file.dependency) show(name)
    new Linker(file, visible).link()
  }
}

function namesOf(file: FileJson): Map<string, Kind> {
  const names = new Map<string, Kind>()
  const add = (name: string, kind: Kind): void => {
    if (names.has(name)) throw new ProtoError(file.name, 1, `${name} is defined twice`)
    names.set(name, kind)
  }
  const addMessage = (message: MessageJson, scope: string): void => {
    const full = joined(scope, message.name)
    add(full, 'message')
    for (const each of message.nestedType) addMessage(each, full)
    for (const { name } of message.enumType) add(joined(full, name), 'enum')
  }
  for (const message of file.messageType) addMessage(message, file.package ?? '')
  for (const { name } of file.enumType) add(joined(file.package ?? '', name), 'enum')
  return names
}

class Linker {
  private readonly file: FileJson
  private readonly names: NamedTypes

  constructor(file: FileJson, names: NamedTypes) {
    this.file = file
    this.names = names
  }

  link(): void {
    const { file } = this
    const { package: all = '' } = file
    for (const message of file.messageType) this.linkMessage(message, all)
    for (const extension of file.extension) this.linkField(extension, all)
    for (const service of file.service)
      for (const method of service.method) {
        const scope = joined(all, service.name)
        method.inputType = this.message(method.inputType, scope, method.line)
        method.outputType = this.message(method.outputType, scope, method.line)
      }
  }

  private linkMessage(message: MessageJson, scope: string): void {
    const full = joined(scope, message.name)
    const numbers = new Set<number>()
    for (const field of message.field) {
      if (numbers.has(field.number)) this.fail(field.line, `a second field ${field.number} in ${full}`)
      numbers.add(field.number)
      this.linkField(field, full)
    }
    for (const extension of message.extension) this.linkField(extension, full)
    for (const each of message.nestedType) this.linkMessage(each, full)
  }

  private linkField(field: FieldJson, scope: string): void {
    if (field.extendee !== undefined) field.extendee = this.message(field.extendee, scope, field.line)
    if (field.typeName === undefined) return
    const [full, kind] = this.find(field.typeName, scope, field.line)
    field.typeName = `.${full}`
    field.type ??= kind === 'enum' ? 'TYPE_ENUM' : 'TYPE_MESSAGE'
  }

  private message(name: string, scope: string, line: number): string {
    const [full, kind] = this.find(name, scope, line)
    if (kind !== 'message') this.fail(line, `${name} is an enum; expected a message`)
    return `.${full}`
  }

  /** Searches from the innermost scope outwards, as in C++. */
  private find(name: string, scope: string, line: number): readonly [full: string, kind: Kind] {
    const absolute = name.startsWith('.')
    const written = absolute ? name.slice(1) : name
    for (let around = absolute ? '' : scope; ; around = around.slice(0, Math.max(0, around.lastIndexOf('.')))) {
      const full = joined(around, written)
      const kind = this.names.get(full)
      if (kind !== undefined) return [full, kind]
      if (around === '')
        return this.fail(line, `the type ${name} is not known here; expected one of this file or of its imports`)
    }
  }

  private fail(line: number, message: string): never {
    throw new ProtoError(this.file.name, line, message)
  }
}

function joined(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}
