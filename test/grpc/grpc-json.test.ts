import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Int64ValueSchema, StringValueSchema } from '@bufbuild/protobuf/wkt'
import { status } from '@grpc/grpc-js'
import { cleanUp } from '../support/cleanup.ts'
import { startGateway } from '../support/gateway.ts'
import { startGrpcService } from '../support/grpc-service.ts'
import { startFromFile } from '../support/file-gateway.ts'
import { documentOf } from '../support/openapi.ts'

const NAMES = 'syntax = "proto3"; package shop.v1; message Name { string value = 1; }'

/** Messages have the fields of Protobuf's wrappers, so that the test can read and write them. */
const proto = (path: string): string => `
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
import "names.proto";
message Count { int64 value = 1; }
service Stock {
  rpc Length(Name) returns (Count) { option (google.api.http) = { get: "${path}" additional_bindings { post: "/v1/lengths" body: "*" } }; }
  rpc Letters(Name) returns (stream Name) { option (google.api.http) = { get: "/v1/letters/{value}" }; }
}
`

const decode = (bytes: Buffer): string => fromBinary(StringValueSchema, bytes).value
const encode = (value: string): Buffer => Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value })))

/** A service, and its schema files. */
async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'grpc-json-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'protos'))
  await writeFile(join(folder, 'protos/names.proto'), NAMES)
  await writeFile(join(folder, 'protos/stock.proto'), proto('/v1/lengths/{value}'))
  const service = await startGrpcService(t, {
    unary: {
      '/shop.v1.Stock/Length': (call, callback) => {
        const text = decode(call.request)
        if (text === 'fail') return callback({ code: status.NOT_FOUND, details: 'no such text' })
        const message = create(Int64ValueSchema, { value: BigInt(text.length) })
        callback(null, Buffer.from(toBinary(Int64ValueSchema, message)))
      },
    },
    list: {
      '/shop.v1.Stock/Letters': (call) => {
        for (const letter of decode(call.request)) call.write(encode(letter))
        call.end()
      },
    },
  })
  return { folder, service }
}

test('JSON clients call a gRPC service, through policies and a worker thread', async (t) => {
  const { folder, service } = await setUp(t)
  const { port } = await startGateway(
    t,
    {
      workers: 1,
      services: { stock: { instances: [service], http2: true, health: false } },
      policies: { 'correlation-id': {}, compression: { minimum: '1b' } },
      routes: [
        {
          id: 'stock',
          match: { path: '/v1/*' },
          service: 'stock',
          policies: { 'grpc-json': { schema: join(folder, 'protos/stock.proto') } },
        },
      ],
    },
    { workers: true },
  )
  const ask = async (path: string, init: RequestInit = {}) => {
    const reply = await fetch(`http://127.0.0.1:${port}${path}`, init)
    return { status: reply.status, type: reply.headers.get('content-type'), text: await reply.text() }
  }
  const json = { 'Content-Type': 'application/json' }
  assert.deepEqual(await ask('/v1/lengths/hello'), { status: 200, type: 'application/json', text: '{"value":"5"}' })
  assert.equal(
    (await ask('/v1/lengths', { method: 'POST', headers: json, body: '{"value":"äö"}' })).text,
    '{"value":"2"}',
  )
  assert.equal((await ask('/v1/letters/abc')).text, '[{"value":"a"},{"value":"b"},{"value":"c"}]')
  const failed = await ask('/v1/lengths/fail')
  assert.deepEqual([failed.status, failed.type], [404, 'application/problem+json'])
  assert.match(failed.text, /"detail":"no such text"/)
  const wrong = await ask('/v1/lengths', { method: 'POST', headers: json, body: '{"value":1}' })
  assert.deepEqual([wrong.status, wrong.type], [400, 'application/problem+json'])
  assert.equal((await ask('/v1/lengths', { method: 'PUT', headers: json, body: '{}' })).status, 405)
  assert.equal((await ask('/v1/other')).status, 404)
})

test('the API documentation lists the JSON operations, and the service is asked for its document only once', async (t) => {
  const { folder, service } = await setUp(t)
  const policy = { 'grpc-json': { schema: join(folder, 'protos/stock.proto') } }
  const { port, log } = await startGateway(t, {
    endpoints: { docs: false },
    services: { stock: { instances: [service], http2: true, health: false } },
    routes: [
      { id: 'json', match: { path: '/v1/*' }, service: 'stock', policies: policy },
      { id: 'calls', match: { path: '/shop.v1.Stock/*' }, service: 'stock' },
    ],
  })
  await log.line({ message: 'A service has no documentation', level: 'info' })
  const reply = await fetch(`http://127.0.0.1:${port}/openapi.json`)
  const { paths, components } = documentOf(await reply.text())
  assert.deepEqual(
    Object.keys(paths).filter((path) => path.startsWith('/v1')),
    ['/v1/lengths/{value}', '/v1/lengths', '/v1/letters/{value}'],
  )
  assert.deepEqual(paths['/v1/lengths/{value}']?.['get']?.tags, ['stock'])
  const count = { type: 'object', properties: { value: { type: 'string', format: 'int64' } } }
  assert.deepEqual(components['schemas']?.['shop.v1.Count'], count)
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 0)
})

test('with --watch a changed .proto file takes effect, also an imported one, and a broken one does not', async (t) => {
  const { folder, service } = await setUp(t)
  const config = join(folder, 'sallyport.yaml')
  await writeFile(
    config,
    `
workers: 1
admin: false
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
services: { stock: { instances: ['${service}'], http2: true, health: false } }
policies: { grpc-json: { schema: { files: [protos/stock.proto], folders: [protos] } } }
routes: [{ id: stock, match: { path: /* }, service: stock }]
`,
  )
  const { log, port } = await startFromFile(t, config, { watch: true })
  const statusOf = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  assert.deepEqual([await statusOf('/v1/lengths/a'), await statusOf('/v2/lengths/a')], [200, 404])
  await writeFile(join(folder, 'protos/stock.proto'), proto('/v2/lengths/{value}'))
  await log.line({ message: 'Configuration applied' })
  assert.deepEqual([await statusOf('/v1/lengths/a'), await statusOf('/v2/lengths/a')], [404, 200])
  await writeFile(join(folder, 'protos/names.proto'), 'syntax = "proto3"; messag')
  const refused = await log.line({ message: 'Configuration refused: the running one is kept' })
  assert.match(JSON.stringify(refused), /names\.proto:1: \\"messag\\"; expected/)
  assert.equal(await statusOf('/v2/lengths/a'), 200)
})
