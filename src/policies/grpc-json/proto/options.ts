import { isFields, itemsOf } from '../../../core/value.ts'
import type { Reader } from './reader.ts'

/** Maximum nesting of values. */
const DEPTH = 32

/** The method extension that says how a method is called over HTTP (google/api/annotations.proto). */
const HTTP = 'google.api.http'
/** Its repeated field. */
const REPEATED = 'additional_bindings'
const RULE: ReadonlySet<string> = new Set([
  'selector',
  'get',
  'put',
  'post',
  'delete',
  'patch',
  'custom',
  'body',
  'response_body',
  REPEATED,
])

/** Collects options: those defined by descriptors, and of the extensions only google.api.http. */
export class Options {
  private readonly known: Record<string, unknown> = {}

  /** Parses `name = value`, as written after "option" or in brackets. Throws ProtoError. */
  read(reader: Reader): void {
    const { line } = reader
    const path: string[] = []
    do {
      if (reader.takes('(')) {
        path.push(`[${reader.path(true).replace(/^\./, '')}]`)
        reader.expect(')')
      } else {
        path.push(reader.name())
      }
    } while (reader.takes('.'))
    reader.expect('=')
    const value = valueOf(reader, 0)
    // Other extensions are unknown, and not needed.
    if (path.some((step) => step.startsWith('[') && step !== `[${HTTP}]`)) return
    if (path[0] === `[${HTTP}]`) checkRule(path.length === 1 ? value : { [path[1] ?? '']: value }, reader, line)
    put(this.known, path, value, reader, line)
  }

  /** Parses options in brackets, if there are any. */
  readBrackets(reader: Reader): void {
    if (!reader.takes('[')) return
    do this.read(reader)
    while (reader.takes(','))
    reader.expect(']')
  }

  /** Removes and returns the value of an option. */
  take(name: string): unknown {
    const value = this.known[name]
    delete this.known[name]
    return value
  }

  /** All options in Protobuf's JSON form; undefined if there are none. */
  toJson(): Record<string, unknown> | undefined {
    return Object.keys(this.known).length === 0 ? undefined : this.known
  }
}

function put(
  fields: Record<string, unknown>,
  [step = '', ...rest]: readonly string[],
  value: unknown,
  reader: Reader,
  line: number,
): void {
  const before = fields[step]
  if (rest.length > 0) {
    const inner = before ?? {}
    if (!isRecord(inner)) return reader.fail(`the option ${step} is not a message`, line)
    fields[step] = inner
    return put(inner, rest, value, reader, line)
  }
  if (step === REPEATED) {
    fields[step] = [...itemsOf(before), ...(Array.isArray(value) ? itemsOf(value) : [value])]
    return
  }
  if (before !== undefined) return reader.fail(`the option ${step} a second time`, line)
  fields[step] = value
}

/** Throws ProtoError if a rule, or one of its additional bindings, has an unknown field. */
function checkRule(rule: unknown, reader: Reader, line: number): void {
  if (!isFields(rule)) reader.fail(`the option ${HTTP} is not a message`, line)
  for (const [name, value] of Object.entries(rule)) {
    if (!RULE.has(name)) reader.fail(`the option ${HTTP} has a field ${name}; expected ${[...RULE].join(', ')}`, line)
    if (name !== REPEATED) continue
    for (const each of Array.isArray(value) ? value : [value]) checkRule(each, reader, line)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isFields(value)
}

/** A text, a number, a name, or a message in braces, in JSON form. */
function valueOf(reader: Reader, depth: number): unknown {
  if (depth > DEPTH) reader.fail(`an option that is nested more than ${DEPTH} times`)
  if (reader.sees('{') || reader.sees('<')) return messageOf(reader, depth)
  if (reader.sees('[')) return listOf(reader, depth)
  if (reader.peek().kind === 'text') return reader.text()
  const negative = reader.takes('-')
  if (!negative) reader.takes('+')
  const { kind, text } = reader.peek()
  if (kind !== 'number' && kind !== 'name') throw reader.unexpected('a value')
  reader.next()
  if (kind === 'name') {
    if (negative && (text === 'inf' || text === 'nan')) return `-${text}`
    return text === 'true' || text === 'false' ? text === 'true' : text
  }
  return negative ? `-${text}` : text
}

/** Protocol Buffers Text Format: fields, each with a colon or a message, and optional separators. */
function messageOf(reader: Reader, depth: number): Record<string, unknown> {
  const end = reader.next().text === '{' ? '}' : '>'
  const fields: Record<string, unknown> = {}
  while (!reader.takes(end)) {
    const { line } = reader
    const name = reader.takes('[') ? extensionName(reader) : reader.name()
    if (!reader.takes(':') && !reader.sees('{') && !reader.sees('<')) throw reader.unexpected('":"')
    put(fields, [name], valueOf(reader, depth + 1), reader, line)
    if (!reader.takes(',')) reader.takes(';')
  }
  return fields
}

function extensionName(reader: Reader): string {
  let name = reader.path()
  if (reader.takes('/')) name += `/${reader.path()}`
  reader.expect(']')
  return `[${name}]`
}

function listOf(reader: Reader, depth: number): unknown[] {
  const items: unknown[] = []
  reader.expect('[')
  if (reader.takes(']')) return items
  do items.push(valueOf(reader, depth + 1))
  while (reader.takes(','))
  reader.expect(']')
  return items
}
