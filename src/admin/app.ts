import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SwaggerTransform } from '@fastify/swagger'
import type { FastifyBaseLogger, FastifyInstance, FastifySchema, FastifyTypeProvider, RawServerDefault } from 'fastify'
import { z } from 'zod'
import { check } from '../config/issues.ts'
import { formatPath } from '../config/problems.ts'
import { GatewayError } from '../core/errors.ts'
import { neededRole } from './login/caller.ts'

/** The output of a zod schema is what a handler receives, and its input is what a handler returns. */
interface ZodTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  readonly serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown
}

/** The server of the admin API: every endpoint declares its input and output with zod schemas. */
export type AdminApp = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypes>

/** Validates requests with the zod schemas of their endpoints: a violation is a GatewayError 'bad-request'. */
export function useZod(app: AdminApp): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (value: unknown) => {
    const checked = check(schema, value ?? undefined, () => undefined)
    if ('value' in checked) return checked
    const problems = checked.findings.map(({ path, message }) => `${formatPath(path) || httpPart}: ${message}`)
    const text = problems.join('; ')
    return { error: new GatewayError('bad-request', text.endsWith('?') ? text : `${text}.`) }
  })
  // The compiler has already checked that a handler returns what its schema declares.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
}

/** Bodies are JSON, or empty with any type: DELETE has none, whatever its Content-Type. */
export function readBodies(app: AdminApp): void {
  const readJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') return done(null, undefined)
    void readJson(request, text, done)
  })
}

const problemSchema = {
  description: 'What went wrong (RFC 9457).',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'instance'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          instance: { type: 'string' },
        },
      },
    },
  },
}

/** Describes an endpoint in JSON Schema, for the OpenAPI document. */
export const describeEndpoint: SwaggerTransform = ({ schema, url, route }) => {
  const { body, querystring, params, response, ...rest } = schema ?? {}
  const described: FastifySchema = { ...rest }
  if (isZod(body)) described.body = jsonSchemaOf(body, 'input')
  if (isZod(querystring)) described.querystring = jsonSchemaOf(querystring, 'input')
  if (isZod(params)) described.params = jsonSchemaOf(params, 'input')
  if (rest.hide !== true) Object.assign(described, { 'x-role': neededRole(String(route.method), route.config) })
  if (rest.hide !== true) described.response = { ...responsesOf(response), default: problemSchema }
  return { schema: described, url }
}

function responsesOf(response: unknown): Record<string, unknown> {
  const entries = Object.entries(response ?? {})
  return Object.fromEntries(
    entries.map(([status, schema]) => [
      status,
      isZod(schema) ? { description: 'The result.', ...jsonSchemaOf(schema, 'output') } : schema,
    ]),
  )
}

function isZod(schema: unknown): schema is z.ZodType {
  return schema instanceof z.ZodType
}

function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' })
  return json
}
