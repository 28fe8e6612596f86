import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { runToEnd } from '../core/time-slices.ts'
import { documentOf, type Json } from '../../test/support/openapi.ts'
import { parseConfig } from '../config/parse.ts'
import { policies } from '../policies/index.ts'
import { BrokenDocument } from './broken.ts'
import { apiDocument } from './document.ts'
import { Places } from './places.ts'
import { methods, readServiceApi, type ServiceApi } from './service-api.ts'

const { docs, routes, services } = parseConfig({
  services: { a: { instances: ['http://127.0.0.1:8001'] }, b: { instances: ['http://127.0.0.1:8002'] } },
  policies: {
    'correlation-id': {},
    auth: { public: ['/a/{x}'], methods: { 'api-key': { keys: [] } } },
    'rate-limit': {},
  },
  routes: [
    { id: 'a', match: { path: ['/a/*', '/a/{key}/deep'] }, service: 'a' },
    { id: 'a-open', match: { path: '/open/*' }, service: 'a', rewrite: { strip: '/open' }, policies: { auth: false } },
    { id: 'b', match: { path: '/a/{id}', method: ['GET', 'POST'] }, service: 'b' },
    { id: 'rest', match: { path: '/*', headers: { 'x-b': true } }, service: 'b' },
  ],
})
const places = new Places(routes, ['/health'])

/** Names that occur in several places, among them those that make mischief. */
const name = fc.constantFrom('A', 'B', 'a/b', 'P~x', 'ProblemDetails', '$ref', '__proto__', 'constructor', 'x y', '')
const section = fc.constantFrom('schemas', 'responses', 'parameters', 'requestBodies', 'headers', 'nothing')
const reference = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(...['A', 'B', 'ProblemDetails', '$ref'].map((key) => `#/components/schemas/${key}`)),
  },
  fc
    .tuple(section, name)
    .map(([kind, key]) => `#/components/${kind}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  fc.constantFrom(
    '#',
    '#/',
    '#/paths/~1a/get/responses/200',
    'https://attacker.test/x.json#/A',
    '#/components/schemas/A/items',
  ),
)

/** Makes an object of some of these members, each of the wrong kind now and then. */
function some(members: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const keys = Object.keys(members)
  return fc
    .uniqueArray(fc.constantFrom(...keys), { maxLength: 5 })
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map((key) =>
          fc
            .oneof({ weight: 9, arbitrary: members[key]! }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) })
            .map((value) => [key, value] as const),
        ),
      ),
    )
    .map((entries) => Object.fromEntries(entries))
}

function mapOf(value: fc.Arbitrary<unknown>, key: fc.Arbitrary<string> = name): fc.Arbitrary<unknown> {
  return fc.array(fc.tuple(key, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries))
}

/** Something under each of the names that references lead to most often. */
function each(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.record({ A: value, B: value, 'a/b': value, 'P~x': value, ProblemDetails: value, $ref: value })
}

const referring = fc.record({ $ref: reference })

const { schema } = fc.letrec((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small' },
    fc.boolean(),
    { weight: 3, arbitrary: referring },
    some({
      $ref: reference,
      $id: fc.webUrl(),
      type: fc.constantFrom('string', 'object', 'null', 'file', ['string', 'null'], []),
      nullable: fc.boolean(),
      minimum: fc.integer(),
      exclusiveMinimum: fc.oneof(fc.boolean(), fc.integer()),
      maxLength: fc.integer(),
      pattern: fc.string(),
      required: fc.array(name),
      enum: fc.array(fc.jsonValue()),
      example: fc.oneof(fc.jsonValue(), referring),
      examples: fc.array(fc.oneof(fc.jsonValue(), referring)),
      items: tie('schema'),
      not: tie('schema'),
      allOf: fc.array(tie('schema'), { maxLength: 2 }),
      properties: mapOf(tie('schema')),
      additionalProperties: tie('schema'),
      discriminator: some({ propertyName: name, mapping: mapOf(fc.oneof(reference, name)) }),
      'x-own': fc.oneof(fc.jsonValue(), referring),
    }),
  ),
}))
const objectSchema = fc.record({ type: fc.constant('object'), properties: fc.record({ a: schema, b: schema }) })
const examples = { example: fc.jsonValue(), examples: mapOf(some({ value: fc.jsonValue(), summary: fc.string() })) }
const content = mapOf(
  fc.oneof(referring, some({ schema, ...examples, encoding: mapOf(some({ style: fc.string() })) })),
  fc.constantFrom('application/json', 'application/problem+json', 'text/*'),
)
const place = fc.constantFrom('path', 'query', 'header', 'cookie', 'body')
const parameter = some({
  name,
  in: place,
  required: fc.boolean(),
  style: fc.constantFrom('form', 'simple', 'matrix', 'odd'),
  explode: fc.boolean(),
  allowReserved: fc.boolean(),
  schema,
  content,
  ...examples,
})
const header = fc.oneof(referring, some({ description: fc.string(), schema, content, style: fc.string(), ...examples }))
const response = fc.oneof(
  fc.record({ description: fc.string(), content: fc.record({ 'application/json': fc.record({ schema }) }) }),
  some({ description: fc.string(), headers: mapOf(header), content, links: fc.jsonValue() }),
)
const requestBody = some({ description: fc.string(), required: fc.boolean(), content })
const operation = some({
  operationId: fc.constantFrom('list', 'get', 'a.list', 'ä', ''),
  tags: fc.array(fc.string()),
  summary: fc.string(),
  deprecated: fc.boolean(),
  externalDocs: some({ url: fc.oneof(fc.webUrl(), fc.string()), description: fc.string() }),
  parameters: fc.array(fc.oneof(referring, parameter), { maxLength: 3 }),
  requestBody: fc.oneof(referring, requestBody),
  responses: mapOf(fc.oneof(referring, response), fc.constantFrom('200', '2XX', '401', '503', 'default', '999')),
  security: fc.array(mapOf(fc.array(name))),
  callbacks: fc.jsonValue(),
  servers: fc.jsonValue(),
})
const path = fc.constantFrom(
  '/a',
  '/a/{id}',
  '/a/{B}',
  '/a/{id}/deep',
  '/a/{x}.{y}',
  '/',
  '/health',
  '/a/{__proto__}',
  'a',
  '/{',
)
const item = fc.oneof(
  fc.record({ get: operation, put: fc.record({ responses: fc.record({ 200: response }) }) }),
  some({
    ...Object.fromEntries(methods.map((method) => [method, operation])),
    parameters: fc.array(fc.oneof(referring, parameter), { maxLength: 2 }),
    $ref: reference,
  }),
)
const document = fc.record({
  openapi: fc.constantFrom('3.0.3', '3.1.0'),
  info: some({ title: fc.string(), description: fc.string() }),
  servers: fc.array(some({ url: fc.oneof(fc.webUrl(), fc.constantFrom('/a', '/{b}', 'http://[')) }), { maxLength: 1 }),
  paths: fc.oneof(fc.record({ '/a': item, '/a/{id}': item, '/{B}': item }), mapOf(item, path)),
  security: fc.array(mapOf(fc.array(name))),
  components: fc.record({
    schemas: fc.oneof(each(objectSchema), each(schema)),
    parameters: each(parameter),
    headers: each(header),
    responses: each(fc.oneof(referring, response)),
    requestBodies: each(requestBody),
    securitySchemes: mapOf(some({ type: fc.constantFrom('http', 'apiKey', 'oauth2'), scheme: name, name, in: place })),
  }),
})

test('property: whatever the services describe, the document is valid and its references resolve', () => {
  fc.assert(
    fc.property(document, document, (first: Json, second: Json) => {
      const apis = new Map<string, ServiceApi>([
        ['a', runToEnd(readServiceApi(JSON.stringify(first), 'a', places))],
        ['b', runToEnd(readServiceApi(JSON.stringify(second), 'b', places))],
      ])
      const whole = apiDocument({
        docs,
        services: Object.keys(services),
        places,
        policies,
        apis,
        described: new Map(),
        own: [],
      })
      const text = runToEnd(whole).toString()
      documentOf(text)
      assert.ok(!text.includes('attacker.test'))
    }),
    { numRuns: cases(40) },
  )
})

test('property: any text is a document or throws BrokenDocument', () => {
  const values = fc.jsonValue().map((value) => JSON.stringify({ openapi: '3.1.0', paths: value, components: value }))
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), values), (text) => {
      try {
        assert.ok(runToEnd(readServiceApi(text, 'a', places)).operations.length >= 0)
      } catch (error) {
        assert.ok(error instanceof BrokenDocument)
      }
    }),
  )
})
