import { STATUS_CODES } from 'node:http'
import swagger, { type SwaggerTransform } from '@fastify/swagger'
import { z } from 'zod'
import type { Access } from './access.ts'
import { problem } from './problem.ts'
import type { App } from './zod.ts'

const object = z.record(z.string(), z.unknown())
type JsonObject = z.infer<typeof object>

/** The statuses with which a caller is refused. */
const denials: Readonly<Record<Access, readonly number[]>> = {
  public: [],
  user: [401],
  service: [401, 403],
  admin: [401, 403],
}

const securitySchemes = { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } as const
const created = { Location: { type: 'string', description: 'The path of what was created.' } }
const cacheable = {
  ETag: { type: 'string', description: 'Names this version of the body.' },
  'Cache-Control': { type: 'string' },
}

/** Serves the OpenAPI document of the routes that are added after it. It is made of their zod schemas: what has an id is a component. */
export async function serveOpenApi(app: App, info: { title: string; description: string }): Promise<void> {
  const schemas: JsonObject = {}
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { ...info, version: '1.0.0' },
      components: { securitySchemes },
    },
    transform: describeRoutes(schemas),
  })
  app.get(
    '/openapi.json',
    {
      config: { access: 'public', cache: 'public, max-age=60' },
      schema: { operationId: 'getOpenApi', summary: 'This document', response: { 200: object } },
    },
    () => {
      const text = JSON.stringify({ ...app.swagger(), components: { securitySchemes, schemas } })
      return object.parse(JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/')))
    },
  )
}

/** Describes each route in JSON Schema, and adds the schemas that have an id to the others. */
function describeRoutes(schemas: JsonObject): SwaggerTransform {
  const convert = (schema: unknown, io: 'input' | 'output'): JsonObject | undefined => {
    if (!(schema instanceof z.ZodType)) return undefined
    const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io })
    Object.assign(schemas, $defs)
    return json
  }
  const describeReply = (status: number, schema: unknown, cache: string | undefined): JsonObject => {
    const type = schema === problem ? 'application/problem+json' : 'application/json'
    const empty = status === 204 || status === 304
    return {
      description: STATUS_CODES[status],
      ...(status === 201 && { headers: created }),
      ...(status < 400 && cache !== undefined && { headers: cacheable }),
      ...(empty ? { type: 'null' } : { content: { [type]: { schema: convert(schema, 'output') } } }),
    }
  }
  return ({ schema, url, route }) => {
    const { hide, body, querystring, params, response, ...rest } = schema
    if (hide === true) return { schema, url }
    const { access = 'user', cache } = route.config ?? {}
    const refusals = [
      ...denials[access],
      ...(querystring === undefined ? [] : [400]),
      ...(params === undefined ? [] : [404]),
      ...(body === undefined ? [] : [400, 413, 415, 422]),
    ]
    const replies = {
      ...(cache !== undefined && { 304: undefined }),
      ...Object.fromEntries(refusals.map((status) => [status, problem])),
      ...object.parse(response),
    }
    const described = {
      ...rest,
      tags: [url.split('/')[3] ?? 'service'],
      security: access === 'public' ? [] : [{ bearer: [] }],
      body: convert(body, 'input'),
      querystring: convert(querystring, 'input'),
      params: convert(params, 'input'),
      response: Object.fromEntries(
        Object.entries(replies).map(([status, each]) => [status, describeReply(Number(status), each, cache)]),
      ),
    }
    return { schema: described, url }
  }
}
