import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import type { z } from 'zod'
import { CollectingSink, PushedBody } from '../../../test/support/bodies.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { applyPolicy, makeToolbox } from '../../../test/support/policy.ts'
import { Bytes, isStream } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers, headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { validation } from './policy.ts'
import { anyCharacter } from '../../../test/support/text.ts'

type Options = z.input<typeof validation.options>

const schema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'integer' }, tags: { type: 'array', uniqueItems: true } },
  additionalProperties: false,
}

function post(text: string, fields: Record<string, string> = { 'Content-Type': 'application/json' }): Exchange {
  return makeExchange({ method: 'POST', headers: Headers.of(Object.entries(fields)), body: Bytes.fromText(text) })
}

/** The status, and the problems reported to the client. */
async function run(
  options: Options,
  exchange: Exchange,
): Promise<{ status: number; errors?: unknown; error?: GatewayError }> {
  try {
    const handle = applyPolicy(validation, options, () => new Reply(200, Headers.of(), null))
    return { status: (await handle(exchange)).status }
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error))
    return { status: error.status, errors: error.members?.['errors'], error }
  }
}

test('property: valid bodies pass unchanged, and invalid JSON is 400', async () => {
  const value = fc.oneof(
    fc
      .record({ id: fc.integer(), tags: fc.uniqueArray(fc.string()) }, { requiredKeys: ['id'] })
      .map((each) => [each, 200]),
    fc.anything().map(() => [{ id: 'x' }, 422]),
  )
  await fc.assert(
    fc.asyncProperty(value, fc.nat(), fc.string({ unit: anyCharacter }), async ([document, status], at, noise) => {
      const text = JSON.stringify(document)
      const exchange = post(text)
      assert.equal((await run({ body: { schema } }, exchange)).status, status)
      assert.equal(exchange.body instanceof Bytes ? exchange.body.toText() : null, text)
      const broken = post(text.slice(0, at % text.length) + noise)
      assert.ok([400, 422, 200].includes((await run({ body: { schema } }, broken)).status))
    }),
  )
})

for (const [what, options, exchange, status] of [
  ['a body without a type', { body: { schema } }, post('{}', {}), 415],
  ['a body without a type if any is allowed', { body: { types: ['application/octet-stream'] } }, post('{}', {}), 200],
  ['a body of another type', { body: { schema } }, post('{}', { 'Content-Type': 'text/plain' }), 415],
  ['JSON by its suffix', { body: { schema } }, post('{"id":1}', { 'Content-Type': 'application/a+json' }), 200],
  [
    'JSON in another character set',
    { body: { schema } },
    post('{"id":1}', { 'Content-Type': 'application/json;charset=utf-16' }),
    415,
  ],
  [
    'an allowed type other than JSON',
    { body: { schema, types: ['text/*', 'application/json'] } },
    post('x', { 'Content-Type': 'text/csv' }),
    200,
  ],
  [
    'an encoded body',
    { body: { schema } },
    post('{"id":1}', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }),
    415,
  ],
  [
    'an encoded body that is not validated',
    { body: { types: ['application/json'] } },
    post('x', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }),
    200,
  ],
  ['no body', { body: { schema } }, makeExchange({ method: 'POST' }), 400],
  ['no body if it is optional', { body: { schema, required: false } }, makeExchange({ method: 'POST' }), 200],
  ['no body if it is required', { body: { required: true } }, makeExchange({ method: 'PUT' }), 400],
  ['no body with a method that has none', { body: { schema } }, makeExchange({ method: 'DELETE' }), 200],
  ['a malformed body', { body: { schema } }, post('{'), 400],
  ['a body of exactly the limit', { body: '4b' }, post('1234'), 200],
  ['a body over the limit', { body: '4b' }, post('12345'), 413],
  ['a body over the validation limit', { body: { schema, limit: '4b' } }, post('{"id":1}'), 413],
  ['a body over the limit of validated bodies', { body: { schema } }, post(`{"id":1}${' '.repeat(2 ** 20)}`), 413],
] as const)
  test(`${what} is ${status}`, async () => {
    assert.equal((await run(options as unknown as Options, exchange)).status, status)
  })

test('a body with two types is 415', async () => {
  const exchange = post('{"id":1}')
  exchange.headers.append('Content-Type', 'text/plain')
  assert.equal((await run({ body: { schema } }, exchange)).status, 415)
})

test('a rejected coding is reported in Accept-Encoding', async () => {
  const { error } = await run(
    { body: { schema } },
    post('x', { 'Content-Type': 'application/json', 'Content-Encoding': 'br' }),
  )
  assert.deepEqual(error?.headers, [['Accept-Encoding', 'identity']])
})

test('at most twenty violations are reported', async () => {
  const text = JSON.stringify(Array.from({ length: 1_000 }, () => 'x'))
  const { status, errors } = await run({ body: { schema: { items: { type: 'integer' } } } }, post(text))
  assert.equal(status, 422)
  assert.ok(Array.isArray(errors))
  assert.equal(errors.length, 20)
})

test('violations in all parameters are reported together, before the body is read', async () => {
  const body = new PushedBody(-1)
  const exchange = makeExchange({
    method: 'POST',
    query: '?page=0&x=1',
    headers: Headers.of([
      ['X-Tenant', 'A'],
      ['Content-Type', 'application/json'],
    ]),
    params: { id: 'seven' },
    body,
  })
  const options: Options = {
    body: { schema },
    path: { properties: { id: { type: 'integer' } } },
    query: { properties: { page: { type: 'integer', minimum: 1 } }, additionalProperties: false },
    headers: { properties: { 'x-tenant': { pattern: '^[a-z]+$' } }, required: ['X-Other'] },
  }
  const { status, errors } = await run(options, exchange)
  assert.equal(status, 400)
  assert.deepEqual(errors, [
    { pointer: '/id', in: 'path', detail: 'must be an integer' },
    { pointer: '/x', in: 'query', detail: 'is not allowed' },
    { pointer: '/page', in: 'query', detail: 'must be at least 1' },
    { pointer: '/X-Other', in: 'header', detail: 'is required' },
    { pointer: '/x-tenant', in: 'header', detail: 'must match pattern "^[a-z]+$"' },
  ])
  assert.equal(body.sink, null)
})

test('a body that arrives in parts is collected, validated and forwarded', async () => {
  const body = new PushedBody(-1, '{"id"')
  const headers = headersFromWire('Content-Type: application/json\r\nTrailer: X-Sum\r\n')
  const exchange = makeExchange({ method: 'POST', headers, body })
  const running = run({ body: { schema } }, exchange)
  body.push(':1 }')
  body.end()
  assert.equal((await running).status, 200)
  assert.equal(exchange.body instanceof Bytes ? exchange.body.toText() : null, '{"id":1 }')
  assert.equal(exchange.headers.get('Trailer'), undefined, 'trailers are dropped')
})

test('a body with only a limit is streamed, and fails if it is too long', async () => {
  const body = new PushedBody(-1, 'abc')
  const exchange = makeExchange({ method: 'POST', body })
  assert.equal((await run({ body: '5b' }, exchange)).status, 200)
  const sink = new CollectingSink()
  assert.ok(isStream(exchange.body))
  exchange.body.pipe(sink)
  exchange.body.resume()
  assert.equal(body.resumed, 1)
  assert.equal(sink.text, 'abc')
  assert.equal(body.push('def'), false)
  assert.equal(sink.text, 'abc')
  assert.ok(sink.error instanceof GatewayError && sink.error.status === 413)
  assert.ok(body.cancelled)
})

test('requests without a route are not validated', async () => {
  const options = validation.options.parse({ query: { required: ['page'] } })
  const step = validation.create(options, makeToolbox(), { id: '', pattern: '', service: null }, null, () => 'test')
  assert.equal((await step(() => new Reply(404, Headers.of(), null))(makeExchange({ query: '' }))).status, 404)
})

for (const [options, reason] of [
  [{ body: { schema: { type: 'strng' } } }, /\/type must be/],
  [{ body: { schema: './not-read.json' } }, /expected a map, or the path of a file with one/],
  [{ body: { types: ['json'] } }, /expected a media type/],
  [{ body: '0b' }, /expected a size/],
  [{ query: { properties: { a: { pattern: '(?<=a)b' } } } }, /a lookaround other than a lookahead/],
  [{ path: { $ref: '#/x' } }, /can't resolve reference/],
  [{ headers: { minimum: '' } }, /must be a number/],
  [{ openapi: { document: {} } }, /is not an OpenAPI 3\.0 or 3\.1 document/],
  [{ openapi: { document: { openapi: '3.1.0' } }, query: {} }, /openapi together with a schema/],
  [{ openapi: { document: { openapi: '3.1.0' }, basePath: 'v1' } }, /expected the beginning of a path/],
] as const)
  test(`${JSON.stringify(options)} is rejected`, () => {
    assert.match(String(validation.options.safeParse(options).error), reason)
  })
