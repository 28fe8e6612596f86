import { STATUS_CODES } from 'node:http'
import type { Endpoint } from './endpoint.ts'
import { definitionsOf, integer, list, object, text } from './schema.ts'
import type { JsonObject } from './schema.ts'

const problem = object(
  'Problem',
  {
    type: text('about:blank'),
    title: text('Unprocessable Entity'),
    status: integer(422, { minimum: 400, maximum: 599 }),
    detail: text('The body is not what this endpoint takes.', { maxLength: 1000 }),
  },
  { errors: list(object('Issue', { pointer: text('#/name'), detail: text('is required') })) },
)

/** The OpenAPI 3.1 document of a service, made from the endpoints it really has. */
export function openApiDocument(title: string, description: string, endpoints: readonly Endpoint[]): JsonObject {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const endpoint of endpoints) {
    const { path, method } = endpoint.docs
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(endpoint) }
  }
  const schemas = [problem, ...endpoints.flatMap(({ body, docs }) => [body ?? [], docs.reply ?? []].flat())]
  return {
    openapi: '3.1.0',
    info: { title, version: '1.0.0', description },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: definitionsOf(schemas),
    },
  }
}

function operation(endpoint: Endpoint): JsonObject {
  const { docs, body } = endpoint
  const parameters = [...pathParameters(docs.path), ...queryParameters(endpoint)]
  return {
    operationId: docs.id,
    summary: docs.summary,
    tags: [docs.path.split('/')[3] ?? 'service'],
    security: docs.access === 'public' ? [] : [{ bearer: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: true,
        content: {
          [docs.form ? 'application/x-www-form-urlencoded' : 'application/json']: {
            schema: body.json,
            example: body.example,
          },
        },
      },
    }),
    responses: Object.fromEntries([
      ...docs.status.map((status) => [status, success(endpoint, status)]),
      ...(docs.cache ? [[304, { description: 'Not Modified', headers: cacheHeaders }]] : []),
      ...problemStatuses(endpoint).map((status) => [status, failure(status)]),
    ]),
  }
}

const cacheHeaders = {
  ETag: { schema: { type: 'string' }, description: 'Names this version of the body.' },
  'Cache-Control': { schema: { type: 'string' } },
}

function success({ docs }: Endpoint, status: number): JsonObject {
  const headers = {
    ...(status === 201 && { Location: { schema: { type: 'string' }, description: 'The path of what was created.' } }),
    ...(docs.cache && cacheHeaders),
  }
  const { reply } = docs
  return {
    description: STATUS_CODES[status],
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(reply && { content: { 'application/json': { schema: reply.json, example: reply.example } } }),
  }
}

function failure(status: number): JsonObject {
  const example = { type: 'about:blank', title: STATUS_CODES[status], status, detail: 'What happened, and to what.' }
  return {
    description: STATUS_CODES[status],
    content: { 'application/problem+json': { schema: problem.json, example } },
  }
}

function problemStatuses({ docs, body, query }: Endpoint): number[] {
  const statuses = new Set(docs.problems)
  if (docs.access !== 'public') statuses.add(401)
  if (docs.access === 'admin' || docs.access === 'service') statuses.add(403)
  if (Object.keys(query).length > 0) statuses.add(400)
  if (body) for (const status of [400, 413, 415, 422]) statuses.add(status)
  return [...statuses].toSorted((a, b) => a - b)
}

function pathParameters(path: string): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters({ query }: Endpoint): JsonObject[] {
  return Object.entries(query).map(([name, field]) => ({ name, in: 'query', required: false, schema: field.json }))
}
