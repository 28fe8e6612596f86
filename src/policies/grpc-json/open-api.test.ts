import assert from 'node:assert/strict'
import test from 'node:test'
import { documentOf } from '../../../test/support/openapi.ts'
import { isFields } from '../../core/value.ts'
import type { DocsObject } from '../policy-docs.ts'
import { grpcJsonOptions } from './options.ts'
import { grpcJson } from './policy.ts'
import { readSchema } from './schema-file.ts'

const SHOP = `
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/empty.proto";
enum Kind { KIND_UNSPECIFIED = 0; BOOK = 1; }
message Price { int64 units = 1; bool taxed = 2; }
message Item {
  string name = 1;
  int32 item_count = 2;
  Kind kind = 3;
  Price price = 4;
  repeated string tags = 5;
  google.protobuf.Timestamp made = 6;
  google.protobuf.Int32Value rank = 7;
  map<string, Price> prices = 8;
  bytes picture = 9;
  repeated Item parts = 10;
}
message Update { Item item = 1; google.protobuf.FieldMask mask = 2; }
message Items { repeated Item items = 1; }
message Upload { string name = 1; google.api.HttpBody file = 2; }
service Shop {
  rpc Get(Item) returns (Item) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*/items/*}"
      additional_bindings { custom: { kind: "SEARCH" path: "/v1/items" } body: "*" }
    };
  }
  rpc List(Item) returns (Items) { option (google.api.http) = { get: "/v1/items" response_body: "items" }; }
  rpc Create(Item) returns (Item) { option (google.api.http) = { post: "/v1/items" body: "*" }; }
  rpc Change(Update) returns (Item) { option (google.api.http) = { patch: "/v1/{item.name=items/**}" body: "item" }; }
  rpc Delete(Item) returns (google.protobuf.Empty) { option (google.api.http) = { delete: "/v1/items/{name}" }; }
  rpc Sell(Price) returns (Item) { option (google.api.http) = { post: "/v1/items/{units}:sell" }; }
  rpc Watch(Price) returns (stream Item) { option (google.api.http) = { get: "/v1/watch" }; }
  rpc Send(stream Item) returns (Items) { option (google.api.http) = { post: "/v1/send" body: "*" }; }
  rpc Put(Upload) returns (google.api.HttpBody) { option (google.api.http) = { put: "/v1/files/{name}" body: "file" }; }
}
`

const schema = await readSchema('shop.proto', (path) =>
  Promise.resolve(path === 'shop.proto' ? Buffer.from(SHOP) : null),
)

function describe(options: DocsObject = {}) {
  const written = grpcJson.describe?.(grpcJsonOptions.parse({ schema, ...options }))
  return documentOf(JSON.stringify(written))
}

const REF = { $ref: '#/components/schemas/shop.v1.Item' }

/** Schemas of parameters by where they are and what they are called. */
function parametersOf(operation: { readonly parameters?: readonly (DocsObject & { name: string; in: string })[] }) {
  return Object.fromEntries((operation.parameters ?? []).map((each) => [`${each.in} ${each.name}`, each['schema']]))
}

test('each binding is an operation, except for methods that OpenAPI lacks', () => {
  const { paths } = describe()
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId }]) => `${method} ${path} ${operationId}`),
  )
  assert.deepEqual(operations, [
    'get /v1/shelves/{name}/items/{name_2} Shop_Get',
    'get /v1/items Shop_List',
    'post /v1/items Shop_Create',
    'patch /v1/items/{item.name} Shop_Change',
    'delete /v1/items/{name} Shop_Delete',
    'post /v1/items/{units}:sell Shop_Sell',
    'get /v1/watch Shop_Watch',
    'post /v1/send Shop_Send',
    'put /v1/files/{name} Shop_Put',
  ])
})

test('fields that are neither in the path nor in the body are query parameters', () => {
  const { paths } = describe()
  assert.deepEqual(parametersOf(paths['/v1/items/{units}:sell']!['post']!), {
    'path units': { type: 'string', format: 'int64' },
    'query taxed': { type: 'boolean' },
  })
  assert.deepEqual(parametersOf(paths['/v1/items/{item.name}']!['patch']!), {
    'path item.name': { type: 'string' },
    'query mask': { type: 'string', description: 'Names of fields, separated by commas.' },
  })
  assert.deepEqual(Object.keys(parametersOf(paths['/v1/items']!['get']!)), [
    'query name',
    'query itemCount',
    'query kind',
    'query price.units',
    'query price.taxed',
    'query tags',
    'query made',
    'query rank',
    'query picture',
  ])
  assert.deepEqual(parametersOf(paths['/v1/items']!['post']!), {})
})

test('bodies are messages, fields of them, lists, or anything', () => {
  const { paths } = describe()
  const json = (body: unknown) => ({ content: { 'application/json': { schema: body } } })
  const replyOf = (path: string, method: string): unknown => {
    const reply = paths[path]?.[method]?.responses['200']
    return isFields(reply) ? reply['content'] : undefined
  }
  assert.deepEqual(paths['/v1/items']!['post']!.requestBody, json(REF))
  assert.deepEqual(paths['/v1/items/{item.name}']!['patch']!.requestBody, json(REF))
  assert.deepEqual(paths['/v1/send']!['post']!.requestBody, json({ type: 'array', items: REF }))
  assert.equal(paths['/v1/items']!['get']!.requestBody, undefined)
  assert.deepEqual(replyOf('/v1/items', 'get'), { 'application/json': { schema: { type: 'array', items: REF } } })
  assert.deepEqual(replyOf('/v1/watch', 'get'), {
    'application/json': { schema: { type: 'array', items: REF } },
    'application/x-ndjson': { schema: REF },
    'text/event-stream': { schema: REF },
  })
  assert.deepEqual(replyOf('/v1/files/{name}', 'put'), { '*/*': { schema: { type: 'string', format: 'binary' } } })
})

test('schemas follow the JSON mapping of Protobuf, including recursive messages', () => {
  const item = describe().components['schemas']?.['shop.v1.Item']
  const price = { $ref: '#/components/schemas/shop.v1.Price' }
  assert.deepEqual(item, {
    type: 'object',
    properties: {
      name: { type: 'string' },
      itemCount: { type: 'integer', format: 'int32' },
      kind: { type: 'string', enum: ['KIND_UNSPECIFIED', 'BOOK'] },
      price,
      tags: { type: 'array', items: { type: 'string' } },
      made: { type: 'string', format: 'date-time' },
      rank: { type: ['integer', 'null'], format: 'int32' },
      prices: { type: 'object', additionalProperties: price },
      picture: { type: 'string', contentEncoding: 'base64' },
      parts: { type: 'array', items: REF },
    },
  })
})

test('options set the base path and the output format', () => {
  const { paths, components } = describe({ basePath: '/api', output: { fields: 'proto', enums: 'numbers' } })
  assert.ok(Object.keys(paths).every((path) => path.startsWith('/api/v1/')))
  const item = components['schemas']?.['shop.v1.Item']?.['properties']
  assert.ok(isFields(item))
  assert.deepEqual(
    [item['item_count'], item['kind']],
    [
      { type: 'integer', format: 'int32' },
      { type: 'integer', enum: [0, 1] },
    ],
  )
})
