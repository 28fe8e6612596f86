import assert from 'node:assert/strict'
import test from 'node:test'
import { create, fromJson, type JsonObject, type JsonValue, toBinary, toJson, fromBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { CollectingSink, PartsBody, PushedBody } from '../../../test/support/bodies.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { grpcFrame } from '../../../test/support/grpc-frames.ts'
import { makeToolbox } from '../../../test/support/policy.ts'
import { type Body, Bytes, isStream } from '../../http/body.ts'
import { systemClock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { commonTypes, decodeSet } from './descriptors.ts'
import { grpcJson } from './policy.ts'
import { readSchema } from './schema-file.ts'
import type { ServiceSchema } from './service-schema.ts'

const SHOP = `
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/empty.proto";

enum Kind { KIND_UNSPECIFIED = 0; BOOK = 1; PEN = 2; }
message Price { int64 units = 1; bool taxed = 2; }
message Item {
  string name = 1;
  int32 item_count = 2;
  Kind kind = 3;
  Price price = 4;
  repeated string tags = 5;
  google.protobuf.Timestamp made = 6;
  google.protobuf.Int32Value rank = 7;
  map<string, string> labels = 8;
  bytes picture = 9;
  repeated Kind kinds = 10;
}
message UpdateRequest { Item item = 1; google.protobuf.FieldMask mask = 2; bool force = 3; }
message Items { repeated Item items = 1; string next = 2; }
message Upload { string name = 1; google.api.HttpBody file = 2; }
service Shop {
  rpc Get(Item) returns (Item) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*/items/*}"
      additional_bindings { get: "/v1/items/{name}" }
      additional_bindings { custom: { kind: "SEARCH" path: "/v1/items" } body: "*" }
    };
  }
  rpc List(Item) returns (Items) { option (google.api.http) = { get: "/v1/items" response_body: "items" }; }
  rpc Create(Item) returns (Item) { option (google.api.http) = { post: "/v1/items" body: "*" }; }
  rpc Update(UpdateRequest) returns (Item) { option (google.api.http) = { patch: "/v1/{item.name=items/**}" body: "item" }; }
  rpc Delete(Item) returns (google.protobuf.Empty) { option (google.api.http) = { delete: "/v1/items/{name}" }; }
  rpc Sell(Item) returns (Item) { option (google.api.http) = { post: "/v1/items/{name}:sell" }; }
  rpc Watch(Item) returns (stream Item) { option (google.api.http) = { get: "/v1/watch" }; }
  rpc Send(stream Item) returns (Items) { option (google.api.http) = { post: "/v1/send" body: "*" }; }
  rpc Put(Upload) returns (google.api.HttpBody) { option (google.api.http) = { put: "/v1/files/{name}" body: "file" }; }
  rpc Fetch(Item) returns (stream google.api.HttpBody) { option (google.api.http) = { get: "/v1/files/{name}" }; }
  rpc Plain(Item) returns (Item);
}
`

const schema = (await readSchema('shop.proto', (path) => {
  return Promise.resolve(path === 'shop.proto' ? Buffer.from(SHOP) : null)
})) as ServiceSchema
const types = decodeSet(schema.descriptors)

type Options = Readonly<Record<string, unknown>>

function typeNamed(name: string) {
  const type = types.getMessage(name)
  assert.ok(type !== undefined)
  return type
}

function message(type: string, json: JsonValue): Buffer {
  return grpcFrame(Buffer.from(toBinary(typeNamed(type), fromJson(typeNamed(type), json))))
}

const OK = Headers.of([['grpc-status', '0']])

function grpcReply(
  frames: readonly Buffer[],
  trailers: Headers | null = OK,
  fields: Readonly<Record<string, string>> = {},
): Reply {
  const headers = Headers.of(Object.entries({ 'content-type': 'application/grpc', ...fields }))
  return new Reply(
    200,
    headers,
    new PartsBody(
      frames.map((each) => each.toString('latin1')),
      false,
      trailers,
    ),
  )
}

/** What the service was asked. */
interface Asked {
  readonly target: string
  readonly method: string
  readonly messages: readonly JsonValue[]
  readonly fields: string
}

interface Case {
  readonly method?: string
  readonly target: string
  readonly body?: unknown
  readonly fields?: Readonly<Record<string, string>>
  readonly options?: Options
  readonly reply?: Reply
  /** Of the messages of the request; shop.v1.Item by default. */
  readonly type?: string
}

function exchangeFor({ method = 'GET', target, body, fields = {} }: Case): Exchange {
  const [path = '', query] = target.split('?')
  const content = body === undefined ? null : Bytes.fromText(typeof body === 'string' ? body : JSON.stringify(body))
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
  const headers = Headers.of(Object.entries({ ...type, ...fields }))
  return makeExchange({ method, path, query: query === undefined ? '' : `?${query}`, headers, body: content })
}

async function call(it: Case) {
  const { options = {}, reply = grpcReply([message('shop.v1.Item', {})]), type = 'shop.v1.Item' } = it
  const parsed = grpcJson.options.parse({ schema, ...options })
  const requests: Asked[] = []
  const handle = grpcJson.create(
    parsed,
    makeToolbox(),
    makeExchange().route,
    null,
    () => 'test',
  )((exchange) => {
    const bytes = exchange.body instanceof Bytes ? exchange.body.toBuffer() : Buffer.alloc(0)
    const messages: JsonValue[] = []
    for (let at = 0; at < bytes.length;) {
      const end = at + 5 + bytes.readUInt32BE(at + 1)
      messages.push(toJson(typeNamed(type), fromBinary(typeNamed(type), bytes.subarray(at + 5, end))))
      at = end
    }
    requests.push({
      target: exchange.path + exchange.query,
      method: exchange.method,
      messages,
      fields: exchange.headers.toWire(),
    })
    assert.ok(exchange.grpc !== null)
    return reply
  })
  const exchange = exchangeFor(it)
  const answer = await handle(exchange)
  return { asked: requests[0], answer, exchange, body: contentOf(answer.body) }
}

/** As it was sent; the sink reports failures. */
function contentOf(body: Body): string {
  if (!isStream(body)) return body?.toText() ?? ''
  const sink = new CollectingSink()
  body.pipe(sink)
  if (sink.error !== null) throw sink.error
  assert.ok(sink.ended)
  return Buffer.from(sink.text, 'latin1').toString('utf8')
}

const rows: readonly (readonly [what: string, it: Case, method: string, message: JsonValue])[] = [
  ['a path with a variable', { target: '/v1/items/a%20b' }, 'Get', { name: 'a b' }],
  ['a variable of several segments', { target: '/v1/shelves/1/items/x%2Fy' }, 'Get', { name: 'shelves/1/items/x%2Fy' }],
  [
    'a query',
    {
      target:
        '/v1/items?name=n&item_count=7&kind=PEN&price.units=9&price.taxed=true&tags=a&tags=b&made=2026-01-02T03:04:05Z&rank=3&picture=AQI-&kinds=1&kinds=PEN',
    },
    'List',
    {
      name: 'n',
      itemCount: 7,
      kind: 'PEN',
      price: { units: '9', taxed: true },
      tags: ['a', 'b'],
      made: '2026-01-02T03:04:05Z',
      rank: 3,
      picture: 'AQI+',
      kinds: ['BOOK', 'PEN'],
    },
  ],
  ['JSON names', { target: '/v1/items?itemCount=7' }, 'List', { itemCount: 7 }],
  [
    'a whole body',
    { method: 'POST', target: '/v1/items', body: { name: 'x', labels: { a: 'b' } } },
    'Create',
    { name: 'x', labels: { a: 'b' } },
  ],
  ['no body', { method: 'POST', target: '/v1/items' }, 'Create', {}],
  [
    'a body for one field, with a path and a query',
    {
      method: 'PATCH',
      target: '/v1/items/7/9?force=true&mask=kind,itemCount',
      body: { kind: 'BOOK', name: 'other' },
      type: 'shop.v1.UpdateRequest',
    },
    'Update',
    { item: { kind: 'BOOK', name: 'items/7/9' }, force: true, mask: 'kind,itemCount' },
  ],
  ['DELETE', { method: 'DELETE', target: '/v1/items/7', reply: grpcReply([grpcFrame('')]) }, 'Delete', { name: '7' }],
  ['a verb', { method: 'POST', target: '/v1/items/7:sell', body: {} }, 'Sell', { name: '7' }],
  ['a custom method', { method: 'SEARCH', target: '/v1/items', body: { name: 'x' } }, 'Get', { name: 'x' }],
  ['HEAD for GET', { method: 'HEAD', target: '/v1/items/7' }, 'Get', { name: '7' }],
  [
    'a method path without a binding',
    { method: 'POST', target: '/shop.v1.Shop/Plain', body: { name: 'x' }, options: { autoMapping: true } },
    'Plain',
    { name: 'x' },
  ],
  ['a base path', { target: '/api/v1/items/7', options: { basePath: '/api' } }, 'Get', { name: '7' }],
  [
    'ignored unknown fields',
    { method: 'POST', target: '/v1/items?x=1', body: { y: 2 }, options: { unknownFields: 'ignore' } },
    'Create',
    {},
  ],
]

for (const [what, it, method, expected] of rows)
  test(`${what} becomes a gRPC call`, async () => {
    const { asked, answer, exchange } = await call(it)
    assert.deepEqual([asked?.method, asked?.target], ['POST', `/shop.v1.Shop/${method}`])
    assert.deepEqual(asked?.messages, [expected])
    assert.equal(answer.status, 200)
    // The log has what the client asked for.
    assert.deepEqual(
      [exchange.method, exchange.path + exchange.query, exchange.grpc],
      [it.method ?? 'GET', it.target, null],
    )
  })

test('headers of the client become metadata, with gRPC content headers and without digests of the JSON', async () => {
  const fields = {
    Authorization: 'Bearer x',
    Accept: 'application/json',
    'Accept-Encoding': 'br',
    'Content-Digest': 'sha-256=:YQ==:',
    'X-Own': '1',
  }
  const { asked } = await call({ method: 'POST', target: '/v1/items', body: {}, fields })
  assert.equal(
    asked?.fields,
    'Authorization: Bearer x\r\nX-Own: 1\r\nContent-Type: application/grpc\r\nGrpc-Accept-Encoding: identity\r\n',
  )
})

const refusals: readonly (readonly [what: string, it: Case, code: string, detail: RegExp])[] = [
  ['an unknown path', { target: '/v2' }, 'not-found', /No method has this path/],
  ['another method', { method: 'PUT', target: '/v1/items' }, 'method-not-allowed', /./],
  ['a path outside the base path', { target: '/v1/items', options: { basePath: '/api' } }, 'not-found', /./],
  ['an unknown parameter', { target: '/v1/items?colour=red' }, 'bad-request', /"colour" is not a query parameter/],
  [
    'a parameter that is also in the path',
    { target: '/v1/items/7?name=8' },
    'bad-request',
    /"name" is not a query parameter/,
  ],
  [
    'a parameter although the body is the whole message',
    { method: 'POST', target: '/v1/items?name=8', body: {} },
    'bad-request',
    /"name"/,
  ],
  ['a parameter that is a message', { target: '/v1/items?price=8' }, 'bad-request', /"price"/],
  ['a repeated parameter', { target: '/v1/items?name=8&name=9' }, 'bad-request', /"name" is given twice/],
  ['a parameter of another type', { target: '/v1/items?item_count=many' }, 'bad-request', /item_count/],
  [
    'an unknown field',
    { method: 'POST', target: '/v1/items', body: { colour: 1 } },
    'bad-request',
    /"colour" is unknown/,
  ],
  ['a repeated field', { method: 'POST', target: '/v1/items', body: '{"name":"a","name":"b"}' }, 'bad-request', /./],
  ['another type', { method: 'POST', target: '/v1/items', body: { name: 7 } }, 'bad-request', /name/],
  ['invalid JSON', { method: 'POST', target: '/v1/items', body: '{"name":' }, 'bad-request', /cannot be read/],
  [
    'another media type',
    { method: 'POST', target: '/v1/items', body: 'x', fields: { 'Content-Type': 'text/plain' } },
    'unsupported-media-type',
    /./,
  ],
  [
    'a compressed body',
    { method: 'POST', target: '/v1/items', body: 'x', fields: { 'Content-Encoding': 'gzip' } },
    'unsupported-media-type',
    /./,
  ],
  [
    'a body where none is allowed',
    { method: 'POST', target: '/v1/items/7:sell', body: { name: 'x' } },
    'bad-request',
    /does not accept a body/,
  ],
  [
    'a body over the limit',
    { method: 'POST', target: '/v1/items', body: { name: 'x'.repeat(99) }, options: { limit: '64b' } },
    'content-too-large',
    /./,
  ],
  ['an invalid timeout', { target: '/v1/items', fields: { 'Grpc-Timeout': 'soon' } }, 'bad-request', /grpc-timeout/],
  [
    'too deep nesting',
    { method: 'POST', target: '/v1/items', body: `${'{"price":'.repeat(5000)}1${'}'.repeat(5000)}` },
    'bad-request',
    /./,
  ],
  ['invalid UTF-8 in the path', { target: '/v1/items/%FF' }, 'bad-request', /UTF-8/],
]

for (const [what, it, code, detail] of refusals)
  test(`${what} is rejected`, async () => {
    await assert.rejects(
      call(it),
      (error) => error instanceof GatewayError && error.code === code && detail.test(error.message),
    )
  })

test('a 405 lists the allowed methods', async () => {
  await assert.rejects(call({ method: 'PUT', target: '/v1/items' }), (error) => {
    assert.ok(error instanceof GatewayError)
    assert.deepEqual(error.headers, [['Allow', 'GET, HEAD, PATCH, POST, SEARCH']])
    return true
  })
})

test('with unknown: pass unmatched requests are forwarded, and gRPC calls always are', async () => {
  const parsed = grpcJson.options.parse({ schema, unknown: 'pass' })
  const handle = grpcJson.create(
    parsed,
    makeToolbox(),
    makeExchange().route,
    null,
    () => 'test',
  )((exchange) => {
    return Reply.json(200, { path: exchange.path, grpc: exchange.grpc })
  })
  for (const [target, fields] of [
    ['/other', {}],
    ['/v1/items', { 'Content-Type': 'application/grpc' }],
  ] as const) {
    const reply = await handle(exchangeFor({ target, fields }))
    assert.equal(contentOf(reply.body), JSON.stringify({ path: target, grpc: null }))
  }
})

const item = { name: 'x', itemCount: 7, kind: 'PEN' }

test('the message is returned as JSON, with the metadata of the service', async () => {
  const reply = grpcReply([message('shop.v1.Item', item)], OK, {
    'x-own': '1',
    'grpc-encoding': 'identity',
    etag: '"a"',
  })
  const { answer, body } = await call({ target: '/v1/items/x', reply })
  assert.deepEqual(JSON.parse(body), item)
  assert.equal(answer.headers.toWire(), 'x-own: 1\r\nContent-Type: application/json\r\n')
})

test('the reply has the configured format', async () => {
  const reply = grpcReply([message('shop.v1.Item', { itemCount: 7, kind: 'PEN' })])
  const output = { defaults: true, enums: 'numbers', fields: 'proto' }
  const { body } = await call({ target: '/v1/items/x', reply, options: { output } })
  const json = JSON.parse(body) as JsonObject
  assert.deepEqual([json['item_count'], json['kind'], json['name'], json['tags']], [7, 2, '', []])
})

test('the body is the field that the binding names, or its default if empty', async () => {
  const some = await call({
    target: '/v1/items',
    reply: grpcReply([message('shop.v1.Items', { items: [item], next: 'n' })]),
  })
  assert.deepEqual(JSON.parse(some.body), [item])
  const none = await call({ target: '/v1/items', reply: grpcReply([message('shop.v1.Items', {})]) })
  assert.equal(none.body, '[]')
})

test('an error status becomes a problem document with its details', async () => {
  const { types: common } = commonTypes()
  const bad = common.getMessage('google.rpc.BadRequest')!
  const packed = create(AnySchema, {
    typeUrl: 'type.googleapis.com/google.rpc.BadRequest',
    value: toBinary(bad, fromJson(bad, { fieldViolations: [{ field: 'name', description: 'too long' }] })),
  })
  const unknown = create(AnySchema, { typeUrl: 'type.googleapis.com/other.Type', value: new Uint8Array([8, 1]) })
  const status = common.getMessage('google.rpc.Status')!
  const details = Buffer.from(
    toBinary(
      status,
      fromJson(status, { code: 3, details: [toJson(AnySchema, packed, { registry: common })] }, { registry: common }),
    ),
  )
  // Something else that nobody here knows.
  const more = Buffer.concat([
    details,
    Buffer.from([0x1a, unknownLength(unknown)]),
    Buffer.from(toBinary(AnySchema, unknown)),
  ])
  const trailers = Headers.of([
    ['grpc-status', '3'],
    ['grpc-message', 'no %C3%A9'],
    ['grpc-status-details-bin', more.toString('base64')],
  ])
  const { answer, body, exchange } = await call({
    target: '/v1/items/x',
    reply: grpcReply([], trailers, { 'x-own': '1' }),
  })
  assert.deepEqual(
    [answer.status, answer.headers.get('Content-Type'), answer.headers.get('x-own')],
    [400, 'application/problem+json', '1'],
  )
  assert.equal(answer.headers.has('grpc-status'), false)
  assert.deepEqual(JSON.parse(body), {
    type: 'urn:sallyport:grpc:invalid-argument',
    title: 'Invalid argument',
    status: 400,
    detail: 'no é',
    instance: exchange.correlationId,
    code: 'INVALID_ARGUMENT',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: [{ field: 'name', description: 'too long' }],
      },
    ],
  })
  assert.equal(exchange.error, null)
})

function unknownLength(any: { readonly typeUrl: string; readonly value: Uint8Array }): number {
  return toBinary(AnySchema, create(AnySchema, any)).length
}

test('a trailers-only status becomes a problem document too', async () => {
  const headers = Headers.of([
    ['content-type', 'application/grpc'],
    ['grpc-status', '5'],
  ])
  const { answer } = await call({ target: '/v1/items/x', reply: new Reply(200, headers, null) })
  assert.equal(answer.status, 404)
})

const broken: readonly (readonly [what: string, reply: Reply])[] = [
  ['no message', grpcReply([])],
  ['two messages', grpcReply([message('shop.v1.Item', {}), message('shop.v1.Item', {})])],
  ['a truncated message', grpcReply([message('shop.v1.Item', item).subarray(0, 8)])],
  ['an invalid message', grpcReply([grpcFrame(Buffer.from([0xff]))])],
  ['a compressed message', grpcReply([Buffer.from([1, 0, 0, 0, 0])])],
  ['a message over the limit', grpcReply([grpcFrame('x'.repeat(5000))])],
  ['HTML', new Reply(200, Headers.of([['Content-Type', 'text/html']]), Bytes.fromText('<p>'))],
]

for (const [what, reply] of broken)
  test(`${what} as the reply is bad-gateway`, async () => {
    await assert.rejects(
      call({ target: '/v1/items/x', reply, options: { limit: '4kb' } }),
      (error) => error instanceof GatewayError && error.code === 'bad-gateway',
    )
  })

test('a reply without a status is an unknown error', async () => {
  const { answer, body } = await call({ target: '/v1/items/x', reply: grpcReply([message('shop.v1.Item', {})], null) })
  assert.equal(answer.status, 500)
  assert.match(body, /without a status/)
})

test('an HTTP error of the service is forwarded unchanged', async () => {
  const reply = new Reply(503, Headers.of([['Content-Type', 'text/html']]), Bytes.fromText('<p>'))
  const { answer, body } = await call({ target: '/v1/items/x', reply })
  assert.deepEqual([answer.status, body], [503, '<p>'])
})

test('an inner failure is passed on, and the exchange restored', async () => {
  const parsed = grpcJson.options.parse({ schema })
  const handle = grpcJson.create(
    parsed,
    makeToolbox(),
    makeExchange().route,
    null,
    () => 'test',
  )(() => {
    throw new GatewayError('service-unavailable')
  })
  const exchange = exchangeFor({ target: '/v1/items/x' })
  await assert.rejects(async () => handle(exchange), { code: 'service-unavailable' })
  assert.deepEqual([exchange.method, exchange.grpc], ['GET', null])
})

const two = [message('shop.v1.Item', { name: 'a' }), message('shop.v1.Item', { name: 'b' })]

for (const [accept, type, expected] of [
  ['*/*', 'application/json', '[{"name":"a"},{"name":"b"}]'],
  ['application/x-ndjson', 'application/x-ndjson', '{"name":"a"}\n{"name":"b"}\n'],
  ['text/event-stream', 'text/event-stream', 'data: {"name":"a"}\n\ndata: {"name":"b"}\n\n'],
] as const)
  test(`a stream becomes ${type} for Accept: ${accept}`, async () => {
    const { answer, body } = await call({ target: '/v1/watch', fields: { Accept: accept }, reply: grpcReply(two) })
    assert.deepEqual([answer.headers.get('Content-Type'), body], [type, expected])
    assert.equal(answer.headers.get('Vary'), 'Accept')
  })

test('each message of a stream is sent as it arrives, with backpressure', async () => {
  const source = new PushedBody(-1)
  const reply = new Reply(200, Headers.of([['content-type', 'application/grpc']]), source)
  const parsed = grpcJson.options.parse({ schema })
  const handle = grpcJson.create(parsed, makeToolbox(), makeExchange().route, null, () => 'test')(() => reply)
  const answering = Promise.resolve(handle(exchangeFor({ target: '/v1/watch' })))
  await new Promise(setImmediate)
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = two
  assert.equal(source.push(first.subarray(0, 7).toString('latin1')), true)
  assert.equal(source.push(first.subarray(7).toString('latin1')), false)
  const { body } = await answering
  const sink = new CollectingSink()
  assert.ok(isStream(body))
  body.pipe(sink)
  assert.deepEqual([sink.text, source.resumed], ['[{"name":"a"}', 1])
  source.push(second.toString('latin1'))
  source.end(OK)
  assert.deepEqual([sink.text, sink.ended], ['[{"name":"a"},{"name":"b"}]', true])
})

test('a stream of very many small messages is converted in steps, between which other requests have their turns', async () => {
  const parts = Array.from({ length: 100 }, () => Buffer.alloc(5000))
  const reply = grpcReply(parts)
  const parsed = grpcJson.options.parse({ schema })
  const handle = grpcJson.create(parsed, makeToolbox(), makeExchange().route, null, () => 'test')(() => reply)
  const { body } = await handle(exchangeFor({ target: '/v1/watch' }))
  assert.ok(isStream(body))
  const sink = new CollectingSink()
  body.pipe(sink)
  const perTurn = [sink.writes]
  while (!sink.ended) {
    const before = sink.writes
    await new Promise(setImmediate)
    perTurn.push(sink.writes - before)
  }
  assert.equal(sink.text, `[${Array(100_000).fill('{}').join(',')}]`)
  assert.ok(Math.max(...perTurn) <= 4, `${Math.max(...perTurn)} parts in one turn`)
})

test('an empty stream is an empty list, or an error if it failed', async () => {
  assert.equal((await call({ target: '/v1/watch', reply: grpcReply([]) })).body, '[]')
  const failed = await call({ target: '/v1/watch', reply: grpcReply([], Headers.of([['grpc-status', '7']])) })
  assert.equal(failed.answer.status, 403)
})

test('a stream that fails after its first message is cut off', async () => {
  const trailers = Headers.of([
    ['grpc-status', '14'],
    ['grpc-message', 'gone'],
  ])
  await assert.rejects(call({ target: '/v1/watch', reply: grpcReply(two, trailers) }), {
    code: 'bad-gateway',
    message: 'The reply of the service cannot be read: gone.',
  })
})

test('a list in the body becomes a client stream', async () => {
  const reply = grpcReply([message('shop.v1.Items', {})])
  const { asked } = await call({ method: 'POST', target: '/v1/send', body: [{ name: 'a' }, {}, { name: 'b' }], reply })
  assert.deepEqual(asked?.messages, [{ name: 'a' }, {}, { name: 'b' }])
})

test('a list of very many small messages is converted in steps, between which other requests have their turns', async () => {
  let now = 0
  let turns = 0
  const clock = { ...systemClock, now: () => now++ }
  const parsed = grpcJson.options.parse({ schema })
  const handle = grpcJson.create(
    parsed,
    makeToolbox({ clock }),
    makeExchange().route,
    null,
    () => 'test',
  )(() => grpcReply([message('shop.v1.Items', {})]))
  const state = { isOver: false }
  const replying = Promise.resolve(
    handle(exchangeFor({ method: 'POST', target: '/v1/send', body: `[${Array(100).fill('{}').join(',')}]` })),
  ).finally(() => {
    state.isOver = true
  })
  for (; !state.isOver; turns++) await new Promise(setImmediate)
  assert.equal((await replying).status, 200)
  assert.ok(turns > 10, `${turns} turns`)
})

test('HttpBody passes other content types unchanged in both directions', async () => {
  const out = { contentType: 'image/png', data: Buffer.from('picture').toString('base64') }
  const { asked, answer, body } = await call({
    method: 'PUT',
    target: '/v1/files/a',
    body: 'bytes',
    fields: { 'Content-Type': 'text/plain' },
    type: 'shop.v1.Upload',
    reply: grpcReply([message('google.api.HttpBody', out)]),
  })
  const file = { contentType: 'text/plain', data: Buffer.from('bytes').toString('base64') }
  assert.deepEqual(asked?.messages, [{ name: 'a', file }])
  assert.deepEqual([answer.headers.get('Content-Type'), body], ['image/png', 'picture'])
  const parts = [out, { data: out.data }].map((each) => message('google.api.HttpBody', each))
  const streamed = await call({ target: '/v1/files/a', reply: grpcReply(parts) })
  assert.deepEqual([streamed.answer.headers.get('Content-Type'), streamed.body], ['image/png', 'picturepicture'])
})
