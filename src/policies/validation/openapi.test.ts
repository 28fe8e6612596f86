import assert from 'node:assert/strict'
import test from 'node:test'
import type { z } from 'zod'
import { makeExchange } from '../../../test/support/exchange.ts'
import { applyPolicy } from '../../../test/support/policy.ts'
import { Bytes } from '../../http/body.ts'
import type { JsonDocument } from '../../core/document.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { describeDocument } from './openapi.ts'
import { validation } from './policy.ts'
import { UnusableSchema } from './schema.ts'

type Options = z.input<typeof validation.options>

const order = {
  type: 'object',
  required: ['id', 'items'],
  properties: {
    id: { type: 'string', readOnly: true },
    note: { type: 'string', nullable: true },
    items: { type: 'array', items: { $ref: '#/components/schemas/Item' } },
  },
}

/** A document of the given version, with what differs between them. */
function documentOf(openapi: string, item: JsonDocument): JsonDocument {
  return {
    openapi,
    servers: [
      { url: 'https://{host}/api/{version}/', variables: { version: { default: 'v1' }, host: { default: 'a' } } },
    ],
    paths: {
      '/orders': {
        parameters: [{ name: 'X-Tenant', in: 'header', required: true, schema: { type: 'string' } }],
        get: {
          parameters: [
            { $ref: '#/components/parameters/Page' },
            {
              name: 'status',
              in: 'query',
              explode: false,
              schema: { type: 'array', items: { enum: ['open', 'closed'] } },
            },
            { name: 'filter', in: 'query', content: { 'application/json': { schema: { type: 'object' } } } },
            { name: 'Authorization', in: 'header', required: true, schema: { type: 'string' } },
            { name: 'session', in: 'cookie', required: true, schema: { type: 'string' } },
          ],
        },
        post: { requestBody: { $ref: '#/components/requestBodies/Order' } },
      },
      '/orders/{order-id}': {
        get: { parameters: [{ name: 'order-id', in: 'path', required: true, schema: { type: 'integer' } }] },
        put: {
          requestBody: {
            content: {
              '*/*': {},
              'application/json': { schema: { $ref: '#/components/schemas/Order' } },
              'application/*': {},
            },
          },
        },
      },
      '/orders/latest': { get: {} },
    },
    components: {
      parameters: { Page: { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } } },
      requestBodies: {
        Order: {
          required: true,
          content: { 'application/json; charset=utf-8': { schema: { $ref: '#/components/schemas/Order' } } },
        },
      },
      schemas: { Order: order, Item: item },
    },
  }
}

const documents = {
  '3.0': documentOf('3.0.3', {
    type: 'object',
    properties: {
      price: { type: 'number', minimum: 0, exclusiveMinimum: true },
      parent: { $ref: '#/components/schemas/Item', description: 'ignored' },
      note: { type: 'string', nullable: true },
    },
  }),
  '3.1': documentOf('3.1.0', {
    type: 'object',
    properties: {
      price: { type: 'number', exclusiveMinimum: 0 },
      parent: { $ref: '#/components/schemas/Item', required: ['price'] },
      note: { type: ['string', 'null'] },
    },
  }),
}

function ask(method: string, target: string, text: string | null = null, more: Record<string, string> = {}): Exchange {
  const [path = '', query] = target.split('?')
  const fields = { 'X-Tenant': 'a', ...(text !== null && { 'Content-Type': 'application/json' }), ...more }
  return makeExchange({
    method,
    path,
    query: query === undefined ? '' : `?${query}`,
    headers: Headers.of(Object.entries(fields)),
    body: text === null ? null : Bytes.fromText(text),
  })
}

async function run(options: Options, exchange: Exchange) {
  try {
    const handle = applyPolicy(validation, options, () => new Reply(200, Headers.of(), null))
    return { status: (await handle(exchange)).status, error: null, errors: undefined }
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error))
    const errors = error.members?.['errors'] as { pointer: string; in: string }[] | undefined
    return { status: error.status, error, errors: errors?.map((each) => `${each.in} ${each.pointer}`) }
  }
}

for (const [version, document] of Object.entries(documents))
  for (const [what, exchange, status, errors] of [
    ['a valid request', ask('GET', '/api/v1/orders?page=2&status=open,closed&filter={}'), 200],
    ['HEAD for GET', ask('HEAD', '/api/v1/orders'), 200],
    ['a parameter by reference', ask('GET', '/api/v1/orders?page=0'), 400, ['query /page']],
    ['a list with an unknown item', ask('GET', '/api/v1/orders?status=open,lost'), 400, ['query /status/1']],
    ['a parameter that is not JSON', ask('GET', '/api/v1/orders?filter=1'), 400, ['query /filter']],
    ['a parameter of the path item', ask('GET', '/api/v1/orders', null, { 'X-Tenant': '' }), 200],
    ['a path parameter', ask('GET', '/api/v1/orders/seven'), 400, ['path /order-id']],
    ['a valid path parameter', ask('GET', '/api/v1/orders/7'), 200],
    ['a literal path that also matches one with parameters', ask('GET', '/api/v1/orders/latest'), 200],
    ['a valid body', ask('POST', '/api/v1/orders', '{"items":[{"price":1,"note":null}]}'), 200],
    ['a body without a required member', ask('POST', '/api/v1/orders', '{}'), 422, ['body /items']],
    [
      'a price that is not above 0',
      ask('POST', '/api/v1/orders', '{"items":[{"price":0}]}'),
      422,
      ['body /items/0/price'],
    ],
    [
      'a deeply nested wrong value',
      ask('POST', '/api/v1/orders', '{"items":[{"parent":{"price":1,"parent":{"price":""}}}]}'),
      422,
      ['body /items/0/parent/parent/price'],
    ],
    ['no body', ask('POST', '/api/v1/orders'), 400, ['body ']],
    ['no body if it is optional', ask('PUT', '/api/v1/orders/7'), 200],
    ['a body of the closest type', ask('PUT', '/api/v1/orders/7', '{}'), 422, ['body /items']],
    ['a body of another type', ask('PUT', '/api/v1/orders/7', 'x', { 'Content-Type': 'application/xml' }), 200],
    ['a body of any type', ask('PUT', '/api/v1/orders/7', 'x', { 'Content-Type': 'text/csv' }), 200],
    ['a body of an undocumented type', ask('POST', '/api/v1/orders', 'x', { 'Content-Type': 'text/csv' }), 415],
    ['an undocumented body', ask('GET', '/api/v1/orders', '{}'), 415],
    ['an undocumented path', ask('GET', '/api/v1/other'), 404],
    ['a path outside the base path', ask('GET', '/orders'), 404],
    ['an undocumented method', ask('PATCH', '/api/v1/orders'), 405],
  ] as const)
    test(`${what} is ${status} (OpenAPI ${version})`, async () => {
      const result = await run({ openapi: { document } }, exchange)
      assert.equal(result.status, status)
      if (errors !== undefined) assert.deepEqual(result.errors, errors)
      if (status === 405) assert.deepEqual(result.error?.headers, [['Allow', 'GET, HEAD, POST']])
    })

test('siblings of $ref are ignored in 3.0 only, and nullable is known in 3.0 only', async () => {
  const beside = '{"items":[{"parent":{}}]}'
  const nullable = '{"items":[],"note":null}'
  const statusOf = async (version: '3.0' | '3.1', text: string) =>
    (await run({ openapi: { document: documents[version] } }, ask('POST', '/api/v1/orders', text))).status
  assert.deepEqual([await statusOf('3.0', beside), await statusOf('3.1', beside)], [200, 422])
  assert.deepEqual([await statusOf('3.0', nullable), await statusOf('3.1', nullable)], [200, 422])
})

test('a missing required header is reported', async () => {
  const exchange = ask('GET', '/api/v1/orders')
  exchange.headers.delete('X-Tenant')
  assert.deepEqual((await run({ openapi: { document: documents['3.1'] } }, exchange)).errors, ['header /X-Tenant'])
})

test('basePath replaces that of the document, and unknown operations can pass', async () => {
  const openapi = { document: documents['3.0'], basePath: '/shop', unknown: 'pass' } as const
  assert.equal((await run({ openapi }, ask('GET', '/shop/orders?page=0'))).status, 400)
  assert.equal((await run({ openapi }, ask('GET', '/api/v1/orders?page=0'))).status, 200)
  assert.equal((await run({ openapi }, ask('PATCH', '/shop/orders'))).status, 200)
})

test('limit and types of the route apply as well', async () => {
  const openapi = { document: documents['3.0'] }
  const exchange = ask('PUT', '/api/v1/orders/7', 'x', { 'Content-Type': 'text/csv' })
  assert.equal((await run({ openapi, body: { types: ['application/json'] } }, exchange)).status, 415)
  assert.equal((await run({ openapi, body: '10b' }, ask('POST', '/api/v1/orders', '{"items":[ ]}'))).status, 413)
})

test('a document is compiled once', () => {
  assert.equal(describeDocument(documents['3.0']), describeDocument(documents['3.0']))
})

function withOperation(operation: JsonDocument, path = '/a', more: JsonDocument = {}): JsonDocument {
  return { openapi: '3.1.0', paths: { [path]: { post: operation } }, ...more }
}

const json = (schema: unknown) => ({ requestBody: { content: { 'application/json': { schema } } } })

for (const [document, reason] of [
  [{ swagger: '2.0' }, /is not an OpenAPI 3\.0 or 3\.1 document/],
  [
    withOperation(json({ type: 'strng' })),
    /^#\/paths\/~1a\/post\/requestBody\/content\/application~1json\/schema: \/type must be/,
  ],
  [withOperation(json({ $ref: '#/components/schemas/None' })), /^#\/paths.*refers to "#\/components\/schemas\/None"/],
  [withOperation(json({ $ref: 'other.yaml#/A' })), /refers to "other\.yaml#\/A"; expected a place in the document/],
  [
    withOperation(json({ $ref: '#/components/schemas/A' }), '/a', { components: { schemas: { A: { minimum: '' } } } }),
    /#\/components\/schemas\/A: \/minimum must be a number/,
  ],
  [withOperation({ parameters: [{ $ref: '#/nowhere' }] }), /^#\/paths\/~1a\/post: refers to "#\/nowhere"/],
  [withOperation({ parameters: [{ name: 'a', in: 'path', style: 'matrix' }] }), /the style "matrix"; expected simple/],
  [withOperation({ parameters: [{ name: 'a', in: 'query', style: 'simple' }] }), /expected form, spaceDelimited/],
] as const)
  test(`a document is rejected with place and reason: ${String(reason)}`, () => {
    assert.throws(
      () => describeDocument(document),
      (error) => error instanceof UnusableSchema && reason.test(error.message),
    )
  })

test('unusable patterns are rejected with their places, or skipped with a warning for each', async () => {
  const schema = { $ref: '#/components/schemas/A' }
  const document = withOperation(
    { ...json(schema), parameters: [{ name: 'q', in: 'query', schema: { pattern: '(?<!a)b' } }] },
    '/a',
    { components: { schemas: { A: { properties: { b: { pattern: '(a)\\1', minLength: 2 } } } } } },
  )
  const refused = validation.options.safeParse({ openapi: { document } })
  assert.deepEqual(
    refused.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`),
    [
      '#/paths/~1a/post/parameters[q]/schema/pattern: the pattern "(?<!a)b" has "(?<!", a lookaround other than a lookahead right after a leading "^", and cannot be tested in time linear in the text',
      '#/components/schemas/A/properties/b/pattern: the pattern "(a)\\\\1" has "\\1", a back reference, and cannot be tested in time linear in the text',
    ].map(
      (why) => `openapi.document cannot be used: ${why}; change it, or skip such patterns with unusablePatterns: skip`,
    ),
  )
  const options = { openapi: { document }, unusablePatterns: 'skip' } as const
  assert.deepEqual(
    validation
      .warnings?.(validation.options.parse(options), [])
      .map(({ path, message }) => `${path.join('.')} ${message}`),
    [
      'openapi.document #/paths/~1a/post/parameters[q]/schema/pattern: the pattern "(?<!a)b" has "(?<!", a lookaround other than a lookahead right after a leading "^", and cannot be tested in time linear in the text; it is skipped',
      'openapi.document #/components/schemas/A/properties/b/pattern: the pattern "(a)\\\\1" has "\\1", a back reference, and cannot be tested in time linear in the text; it is skipped',
    ],
  )
  assert.equal((await run(options, ask('POST', '/a?q=x', '{"b":"xyz"}'))).status, 200)
  assert.deepEqual((await run(options, ask('POST', '/a', '{"b":"x"}'))).errors, ['body /b'])
})

test('nullable of 3.0 applies with the keywords that frameworks combine it with', async () => {
  const text = { type: 'string' }
  const schema = {
    properties: {
      joined: { nullable: true, allOf: [{ $ref: '#/components/schemas/Text' }] },
      listed: { type: 'string', nullable: true, enum: ['a'] },
      untyped: { nullable: true, enum: [1] },
      plain: { nullable: false, allOf: [{ $ref: '#/components/schemas/Text' }] },
    },
  }
  const document = {
    ...withOperation(json(schema), '/a', { components: { schemas: { Text: text } } }),
    openapi: '3.0.3',
  }
  for (const [body, errors] of [
    ['{"joined":null,"listed":null,"untyped":null}', undefined],
    ['{"joined":"a","listed":"a","untyped":1,"plain":"a"}', undefined],
    ['{"listed":"b"}', ['body /listed']],
    ['{"untyped":2}', ['body /untyped']],
    ['{"plain":null}', ['body /plain']],
  ] as const)
    assert.deepEqual((await run({ openapi: { document } }, ask('POST', '/a', body))).errors, errors, body)
})

test('an empty enum accepts nothing, and 3.0 bounds are accepted in 3.1', async () => {
  const schema = {
    properties: {
      none: { enum: [] },
      below: { maximum: 5, exclusiveMaximum: true },
      upTo: { maximum: 5, exclusiveMaximum: false },
      both: { minimum: 1, exclusiveMinimum: 2 },
    },
  }
  const options = { openapi: { document: withOperation(json(schema)) } }
  for (const [body, errors] of [
    ['{"below":4,"upTo":5,"both":3}', undefined],
    ['{"none":1}', ['body /none']],
    ['{"below":5}', ['body /below']],
    ['{"upTo":6}', ['body /upTo']],
    ['{"both":2}', ['body /both']],
  ] as const)
    assert.deepEqual((await run(options, ask('POST', '/a', body))).errors, errors, body)
})

test('parameters in brackets have to satisfy additionalProperties', async () => {
  const filter = (additionalProperties: unknown) => ({
    type: 'object',
    properties: {
      status: { enum: ['open', 'closed'] },
      at: { type: 'object', properties: { gt: { type: 'integer' } } },
    },
    additionalProperties,
  })
  const documentOfFilter = (additionalProperties: unknown) =>
    withOperation({
      parameters: [{ name: 'filter', in: 'query', style: 'deepObject', schema: filter(additionalProperties) }],
    })
  const strict = { openapi: { document: documentOfFilter(false) } }
  const numbers = { openapi: { document: documentOfFilter({ type: 'integer' }) } }
  for (const [options, query, errors] of [
    [strict, 'filter[status]=open&filter[at][gt]=5', undefined],
    [strict, 'filter[state]=open', ['query /filter/state']],
    [strict, 'filter[at][gt]=x', ['query /filter/at/gt']],
    [strict, 'filter[status]=shut&other=1', ['query /filter/status']],
    [numbers, 'filter[state]=1', undefined],
    [numbers, 'filter[state]=open', ['query /filter/state']],
  ] as const)
    assert.deepEqual((await run(options, ask('POST', `/a?${query}`))).errors, errors, query)
})

test('an empty value is accepted with allowEmptyValue', async () => {
  const flag = (allowEmptyValue: boolean) => ({
    openapi: {
      document: withOperation({
        parameters: [
          { name: 'n', in: 'query', required: true, allowEmptyValue, schema: { type: 'integer', minimum: 1 } },
        ],
      }),
    },
  })
  for (const [allowed, query, errors] of [
    [true, '?n', undefined],
    [true, '?n=', undefined],
    [true, '?n=1', undefined],
    [true, '?n=0', ['query /n']],
    [true, '?n=&n=', ['query /n']],
    [true, '', ['query /n']],
    [false, '?n=', ['query /n']],
  ] as const)
    assert.deepEqual((await run(flag(allowed), ask('POST', `/a${query}`))).errors, errors, query)
})

for (const path of ['/files/{name}{ext}', '/files/{name', '/{a:path}/b/{c:path}'])
  test(`the path ${path} is rejected`, () => {
    const document = withOperation({}, path)
    assert.match(String(validation.options.safeParse({ openapi: { document } }).error), /has the path .*; expected/)
  })

test('a document is compiled in steps of one schema or operation, and cached', () => {
  const numbers = Array.from({ length: 50 }, (_, i) => i)
  const schemas = numbers.map((i): [string, JsonDocument] => [
    `S${i}`,
    { properties: { next: { $ref: `#/components/schemas/S${i + 1}` } } },
  ])
  const body = { content: { 'application/json': { schema: { $ref: '#/components/schemas/S0' } } } }
  const document = {
    openapi: '3.1.0',
    paths: Object.fromEntries(
      numbers.map((i) => [`/${i}`, { post: { requestBody: body, parameters: [{ name: 'q', in: 'query' }] } }]),
    ),
    components: { schemas: { ...Object.fromEntries(schemas), S50: { type: 'object' } } },
  }
  const compile = validation.prepare?.bind(validation)
  assert.ok(compile !== undefined)
  const options = (): ReturnType<typeof validation.options.parse> => {
    const { openapi, ...others } = validation.options.parse({ openapi: { document: { openapi: '3.1.0' } } })
    return { ...others, openapi: { ...openapi!, document } }
  }
  let steps = 0
  for (const _ of compile(options())) steps++
  // Each of 51 schemas is translated and compiled twice, and each of 50 operations is read, and has two schemas compiled twice.
  assert.ok(steps >= 3 * 51 - 1 + 50 * (2 + 1 + 4), `${steps} steps`)
  let again = 0
  for (const _ of compile(options())) again++
  assert.equal(again, 0)
})
