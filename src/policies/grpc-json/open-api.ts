import type { DescMessage } from '@bufbuild/protobuf'
import type { DocsObject } from '../policy-docs.ts'
import type { Binding } from './bindings.ts'
import { fieldOfPath, isText, isTextList } from './fields.ts'
import { type JsonStyle, MessageSchemas } from './json-schema.ts'
import { isHttpBody } from './request.ts'
import { streamForms } from './stream-form.ts'
import type { PathTemplate } from './template.ts'
import type { Placed } from './template-tree.ts'

/** The methods that a Path Item Object supports (OpenAPI 3.1.1 section 4.8.9). */
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE'])
/** How deeply nested fields are listed as query parameters. */
const MAX_DEPTH = 4
const ANY_CONTENT = { '*/*': { schema: { type: 'string', format: 'binary' } } }

/** The OpenAPI document of what clients can call through the bindings; `base` is prepended to all of their paths. */
export function openApiOf(bindings: readonly Placed<Binding>[], base: string, style: JsonStyle): DocsObject {
  const schemas = new MessageSchemas(style)
  const paths: Record<string, DocsObject> = {}
  const ids = new Map<string, number>()
  for (const { template, method, value } of bindings) {
    if (!METHODS.has(method)) continue
    const { path, parameters } = pathOf(template, value, schemas)
    const { name, parent } = value.method
    const id = `${parent.name}_${name}`
    const times = (ids.get(id) ?? 0) + 1
    ids.set(id, times)
    const body = requestBody(value, schemas)
    const operation = {
      operationId: times === 1 ? id : `${id}_${times}`,
      summary: `${name} of ${parent.typeName}`,
      parameters: [...parameters, ...queryParameters(value, schemas)],
      ...(body !== null && { requestBody: body }),
      responses: { 200: { description: `A ${value.method.output.name}.`, content: replyContent(value, schemas) } },
    }
    paths[base + path] = { ...paths[base + path], [method.toLowerCase()]: operation }
  }
  return {
    openapi: '3.1.0',
    info: { title: '', version: '' },
    paths,
    components: { schemas: schemas.named },
  }
}

/** The path in OpenAPI notation, in which each variable part is a separate parameter. */
function pathOf(template: PathTemplate, { method, variables }: Binding, schemas: MessageSchemas) {
  const parameters: DocsObject[] = []
  const parts = template.segments.map((segment, at) => {
    if (segment.type === 'literal') return segment.text
    const variable = variables.find(({ start, end }) => at >= start && (end === null || at < end))
    const wish = variable?.path.join('.') ?? 'part'
    const count = parameters.filter(({ name }) => name === wish || String(name).startsWith(`${wish}_`)).length
    const name = count === 0 ? wish : `${wish}_${count + 1}`
    const field = variable === undefined ? null : fieldOfPath(method.input, variable.path)
    const isPart = variable?.isMany === true || field === null
    const descriptions = [
      ...(variable?.isMany === true ? [`A part of \`${wish}\`.`] : []),
      ...(segment.type === 'rest' ? ['The rest of the path.'] : []),
    ]
    parameters.push({
      name,
      in: 'path',
      required: true,
      ...(descriptions.length > 0 && { description: descriptions.join(' ') }),
      schema: isPart ? { type: 'string' } : schemas.ofField(field),
    })
    return `{${name}}`
  })
  return { path: `/${parts.join('/')}${template.verb === '' ? '' : `:${template.verb}`}`, parameters }
}

/** Fields that are neither in the path nor in the body. */
function queryParameters({ method, body, variables }: Binding, schemas: MessageSchemas): DocsObject[] {
  if (body === 'message') return []
  const inPath = new Set(variables.map(({ path }) => fieldOfPath(method.input, path)))
  const found: DocsObject[] = []
  const look = (message: DescMessage, before: string, depth: number): void => {
    for (const field of message.fields) {
      if (field === body || inPath.has(field)) continue
      const name = before + schemas.nameOf(field)
      if (isText(field) || isTextList(field)) found.push({ name, in: 'query', schema: schemas.ofField(field) })
      else if (field.fieldKind === 'message' && depth < MAX_DEPTH) look(field.message, `${name}.`, depth + 1)
    }
  }
  look(method.input, '', 1)
  return found
}

function requestBody({ method, body }: Binding, schemas: MessageSchemas): DocsObject | null {
  if (body === 'none') return null
  const message = body === 'message' ? method.input : body.message
  if (body !== 'message' && body.fieldKind !== 'message') return { content: json(schemas.ofField(body)) }
  if (message === undefined || isHttpBody(message)) return { content: ANY_CONTENT }
  const schema = schemas.ofMessage(message)
  const isMany = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming'
  return { content: json(isMany ? { type: 'array', items: schema } : schema) }
}

function replyContent({ method, replyField }: Binding, schemas: MessageSchemas): DocsObject {
  const message = replyField === null ? method.output : replyField.message
  const isList = replyField !== null && replyField.fieldKind !== 'message'
  if (!isList && message !== undefined && isHttpBody(message)) return ANY_CONTENT
  const schema = replyField === null ? schemas.ofMessage(method.output) : schemas.ofField(replyField)
  if (method.methodKind === 'unary' || method.methodKind === 'client_streaming') return json(schema)
  const [list, ...others] = streamForms
  return {
    ...(list !== undefined && { [list.type]: { schema: { type: 'array', items: schema } } }),
    ...Object.fromEntries(others.map(({ type }) => [type, { schema }])),
  }
}

function json(schema: DocsObject): DocsObject {
  return { 'application/json': { schema } }
}
