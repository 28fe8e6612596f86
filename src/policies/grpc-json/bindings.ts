import type { DescField, DescMessage, DescMethod, FileRegistry } from '@bufbuild/protobuf'
import { isFields } from '../../core/value.ts'
import { spellText } from '../../openapi/path-template.ts'
import { commonTypes } from './descriptors.ts'
import { fieldOfPath, isText } from './fields.ts'
import { protobuf } from './library.ts'
import { parseTemplate, type Segment, TemplateError, type Variable } from './template.ts'
import { TemplateTree } from './template-tree.ts'

/** What the request body is mapped to: nothing, the whole message, or one of its fields. */
export type BodyTarget = 'none' | 'message' | DescField

/** An HTTP binding of a method. */
export interface Binding {
  readonly method: DescMethod
  /** The path of the gRPC call, "/package.Service/Method". */
  readonly path: string
  readonly variables: readonly Variable[]
  readonly body: BodyTarget
  /** The field of the reply that becomes the body; null for the whole message. */
  readonly replyField: DescField | null
  /** As written, such as "GET /v1/{name=shelves/*}", for messages. */
  readonly written: string
}

/** A binding that cannot be used; the message says which one and why. */
class UnusableBinding extends Error {}

/** Which methods of a set of services can be called, and how. */
export interface BindingOptions {
  /** Full names of the services. */
  readonly services: readonly string[]
  /** Whether methods without a binding get a default one: POST to the path of the gRPC call, with the whole message as the body. */
  readonly autoMapping: boolean
}

/** Compiles the bindings into a lookup by request. Throws UnusableBinding. */
export function compileBindings(
  registry: FileRegistry,
  { services, autoMapping }: BindingOptions,
): TemplateTree<Binding> {
  const tree = new TemplateTree<Binding>()
  let count = 0
  for (const name of services) {
    const service = registry.getService(name)
    if (service === undefined) throw new UnusableBinding(`there is no service ${name}`)
    for (const method of service.methods)
      for (const rule of rulesOf(method, autoMapping)) {
        add(tree, method, rule)
        count++
      }
  }
  if (count > 0) return tree
  throw new UnusableBinding(
    `no method of ${services.join(', ') || 'the files'} has an option google.api.http; add one, or set autoMapping`,
  )
}

/** An HttpRule (google/api/http.proto), as far as it is supported. */
interface Rule {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly replyField: string
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const

function rulesOf(method: DescMethod, autoMapping: boolean): Rule[] {
  const { getExtension, hasExtension, isMessage, toJson } = protobuf()
  const { http } = commonTypes()
  const { options } = method.proto
  const path = pathOf(method)
  const automatic = autoMapping ? [{ method: 'POST', path, body: '*', replyField: '' }] : []
  if (options === undefined || !hasExtension(options, http)) return automatic
  const value = getExtension(options, http)
  const { message } = http
  if (message === undefined || !isMessage(value, message)) return automatic
  const json: unknown = toJson(message, value, { useProtoFieldName: true })
  return isFields(json) ? readRules(json, method) : automatic
}

function readRules(rule: Readonly<Record<string, unknown>>, method: DescMethod): Rule[] {
  const text = (name: string, of = rule): string => (typeof of[name] === 'string' ? of[name] : '')
  const custom = isFields(rule['custom']) ? rule['custom'] : null
  const named = METHODS.find((name) => text(name) !== '')
  if (named === undefined && custom === null) throw unusable(method, 'an option google.api.http without a path')
  const kind = text('kind', custom ?? {}).toUpperCase()
  const own: Rule = {
    method: named === undefined ? kind : named.toUpperCase(),
    path: named === undefined ? text('path', custom ?? {}) : text(named),
    body: text('body'),
    replyField: text('response_body'),
  }
  if (!/^(?:\*|[!#$%&'+\-.^_`|~\w]+)$/.test(own.method))
    throw unusable(method, 'a custom binding without a method as its kind')
  const more = Array.isArray(rule['additional_bindings']) ? rule['additional_bindings'] : []
  return [own, ...more.flatMap((each: unknown) => (isFields(each) ? readRules(each, method) : []))]
}

function add(tree: TemplateTree<Binding>, method: DescMethod, rule: Rule): void {
  const written = `${rule.method} ${rule.path}`
  const template = templateOf(method, rule.path)
  for (const variable of template.variables) checkVariable(method, written, variable)
  const body = bodyOf(method, written, rule.body)
  const binding: Binding = {
    method,
    path: pathOf(method),
    variables: template.variables,
    body,
    replyField: rule.replyField === '' ? null : fieldNamed(method.output, rule.replyField, method, written),
    written,
  }
  if (method.methodKind.endsWith('_streaming') && method.methodKind !== 'server_streaming' && body !== 'message')
    throw unusable(method, `${written}: a stream of messages needs body: "*"`)
  const before = tree.add({ template, method: rule.method, value: binding })
  if (before !== null) throw unusable(method, `${written}: ${nameOf(before.method)} has ${before.written} already`)
}

function templateOf(method: DescMethod, path: string) {
  try {
    const template = parseTemplate(path)
    return { ...template, segments: template.segments.map((segment) => spelled(segment)) }
  } catch (error) {
    if (error instanceof TemplateError) throw unusable(method, error.message)
    throw error
  }
}

/** Paths are looked up in their normal form. */
function spelled(segment: Segment): Segment {
  return segment.type === 'literal' ? { type: 'literal', text: spellText(segment.text) ?? segment.text } : segment
}

function checkVariable(method: DescMethod, written: string, { path }: Variable): void {
  const field = fieldOfPath(method.input, path)
  if (field === null) throw unusable(method, `${written}: ${method.input.typeName} has no field ${path.join('.')}`)
  if (!isText(field))
    throw unusable(method, `${written}: ${path.join('.')} is ${field.fieldKind}; expected a single value`)
}

function bodyOf(method: DescMethod, written: string, body: string): BodyTarget {
  if (body === '') return 'none'
  return body === '*' ? 'message' : fieldNamed(method.input, body, method, written)
}

function fieldNamed(message: DescMessage, name: string, method: DescMethod, written: string): DescField {
  const field = message.fields.find((each) => each.name === name)
  if (field === undefined) throw unusable(method, `${written}: ${message.typeName} has no field ${name}`)
  return field
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`
}

function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}.${name}`
}

function unusable(method: DescMethod, message: string): UnusableBinding {
  return new UnusableBinding(`${nameOf(method)}: ${message}`)
}
