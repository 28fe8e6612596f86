import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { fromBinary, toJson } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { fieldOf, isFields, itemsOf } from '../../core/value.ts'
import { compiled } from './compiled.ts'
import { decodeSet } from './descriptors.ts'
import { readSchema } from './schema-file.ts'
import type { ServiceSchema } from './service-schema.ts'

const vectors = `${import.meta.dirname}/../../../test/vectors/proto`
const onDisk = (path: string): Promise<Buffer | null> => readFile(`${vectors}/${path}`).catch(() => null)

function isSchema(value: unknown): value is ServiceSchema {
  return isFields(value) && typeof value['descriptors'] === 'string'
}

async function read(written: unknown, files: Readonly<Record<string, string>> | null = null): Promise<ServiceSchema> {
  const open = (path: string): Promise<Buffer | null> => {
    if (files === null) return onDisk(path)
    const text = files[path]
    return Promise.resolve(text === undefined ? null : Buffer.from(text, 'latin1'))
  }
  const schema = await readSchema(written, open)
  assert.ok(isSchema(schema))
  return schema
}

/** The files of a set by their names, without unused parts and without options, which are compared by their effects. */
function descriptors({ descriptors: encoded }: ServiceSchema): Map<string, unknown> {
  const set = fromBinary(FileDescriptorSetSchema, Buffer.from(encoded, 'base64'))
  const json: unknown = JSON.parse(JSON.stringify(toJson(FileDescriptorSetSchema, set)), (key, value: unknown) => {
    return ['options', 'reservedRange', 'reservedName', 'weakDependency'].includes(key) ? undefined : value
  })
  const files = itemsOf(fieldOf(json, 'file')).map((file) => [String(fieldOf(file, 'name')), file] as const)
  // Of Protobuf's own, protoc has an older version.
  return new Map(files.filter(([name]) => !name.startsWith('google/protobuf/')))
}

test('.proto files compile to the same descriptors as with protoc', async () => {
  const ours = await read({ files: ['shop/v1/inventory.proto'], folders: ['.'] })
  const theirs = await read('shop.binpb')
  assert.deepEqual(descriptors(ours), descriptors(theirs))
  assert.deepEqual(ours.services, ['shop.v1.Inventory'])
  const [own, other] = [ours, theirs].map(({ descriptors: encoded }) => decodeSet(encoded))
  for (const name of ['shop.v1.Stock', 'shop.v1.GetStockRequest', 'shop.v1.Old']) {
    const [fields, expected] = [own, other].map((registry) => {
      return registry
        ?.getMessage(name)
        ?.fields.map((field) => [field.toString(), field.jsonName, field.presence, field.deprecated])
    })
    assert.deepEqual(fields, expected)
  }
})

test('both formats have the same bindings', async () => {
  for (const written of ['shop.binpb', 'shop/v1/inventory.proto']) {
    const { bindings } = compiled({ schema: await read(written), autoMapping: true })
    const found = [
      ['GET', '/v1/stocks/7'],
      ['POST', '/v1/stocks:get'],
      ['SEARCH', '/v1/stocks'],
      ['POST', '/v1/count'],
      ['POST', '/shop.v1.Inventory/WatchStock'],
    ].map(([method = '', path = '']) => {
      const match = bindings.find(path, method)
      return match.found ? [match.value.written, match.value.path, match.value.replyField?.name] : null
    })
    assert.deepEqual(found, [
      ['GET /v1/{name=stocks/*}', '/shop.v1.Inventory/GetStock', undefined],
      ['POST /v1/stocks:get', '/shop.v1.Inventory/GetStock', undefined],
      ['SEARCH /v1/stocks', '/shop.v1.Inventory/GetStock', 'count'],
      ['POST /v1/count', '/shop.v1.Inventory/Count', undefined],
      ['POST /shop.v1.Inventory/WatchStock', '/shop.v1.Inventory/WatchStock', undefined],
    ])
  }
})

test('features of an edition are applied', async () => {
  const source = `edition = "2023"; package e; option features.field_presence = IMPLICIT;
    message M { int32 a = 1; int32 b = 2 [features.field_presence = EXPLICIT]; M c = 3 [features.message_encoding = DELIMITED]; }
    service S { rpc Do(M) returns (M); }`
  const registry = decodeSet((await read('e.proto', { 'e.proto': source })).descriptors)
  const fields = registry.getMessage('e.M')!.fields
  assert.deepEqual(
    fields.map(({ presence }) => presence),
    [2, 1, 1],
  )
  assert.equal(fields[2]?.fieldKind === 'message' && fields[2].delimitedEncoding, true)
})

test('imports are found in the folders, and next to the importing file', async () => {
  const files = {
    'protos/a/one.proto':
      'syntax = "proto3"; import "a/two.proto"; import "three.proto"; message M { Two two = 1; Three three = 2; } service S { rpc Do(M) returns (M); }',
    'protos/a/two.proto': 'syntax = "proto3"; message Two {}',
    'protos/a/three.proto': 'syntax = "proto3"; import "a/two.proto"; message Three { Two two = 1; }',
  }
  for (const written of [
    { files: ['protos/a/one.proto'], folders: ['protos'] },
    { files: ['./protos/a/one.proto'], folders: ['protos/'] },
  ])
    assert.deepEqual((await read(written, files)).services, ['S'])
})

const mistakes: readonly (readonly [what: string, source: string, message: RegExp])[] = [
  ['an unknown keyword', 'syntax = "proto3";\nmessag M {}', /^a\.proto:2: "messag"; expected import, package/],
  ['an unterminated string', 'syntax = "proto3', /^a\.proto:1: an unterminated string or escape/],
  ['an unterminated comment', '/* x', /^a\.proto:1: an unterminated comment/],
  ['another syntax', 'syntax = "proto4";', /^a\.proto:1: syntax proto4; expected proto2 or proto3/],
  ['another edition', 'edition = "1999";', /^a\.proto:1: edition 1999/],
  [
    'an unknown type',
    'syntax = "proto3"; message M {\n\n Other o = 1; }',
    /^a\.proto:3: the type Other is not known here/,
  ],
  [
    'a type from a file that is not imported',
    'syntax = "proto3"; message M { google.protobuf.Any o = 1; }',
    /google\.protobuf\.Any is not known/,
  ],
  ['an enum as a message', 'syntax = "proto3"; enum E { A = 0; } service S { rpc Do(E) returns (E); }', /E is an enum/],
  ['a repeated field number', 'syntax = "proto3"; message M { int32 a = 1; int32 b = 1; }', /a second field 1 in M/],
  ['an invalid field number', 'syntax = "proto3"; message M { int32 a = 0; }', /the field number 0/],
  ['two types with the same name', 'syntax = "proto3"; message M {} enum M { A = 0; }', /M is defined twice/],
  ['a label of another syntax', 'syntax = "proto3"; message M { required int32 a = 1; }', /required in proto3/],
  ['no label', 'message M { int32 a = 1; }', /a field without a label/],
  ['a missing import', 'syntax = "proto3"; import "b.proto";', /^a\.proto imports "b\.proto", which is not in "\."/],
  ['an import of itself', 'syntax = "proto3"; import "a.proto";', /imports itself/],
  ['an import from elsewhere', 'syntax = "proto3"; import "../b.proto";', /expected a path below a folder/],
  [
    'an unknown field in a rule',
    'syntax = "proto3"; message M {} service S { rpc Do(M) returns (M) { option (google.api.http) = { gett: "/x" }; } }',
    /has a field gett/,
  ],
  ['too deeply nested messages', `syntax = "proto3"; ${'message M {'.repeat(99)}`, /nested more than 32 times/],
  ['too deeply nested options', `syntax = "proto3"; option (x) = ${'{ a: '.repeat(99)}`, /nested more than 32 times/],
]

for (const [what, source, expected] of mistakes)
  test(`a .proto file with ${what} is an error with its position`, async () => {
    await assert.rejects(read('a.proto', { 'a.proto': source }), (error) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, expected)
      return true
    })
  })

test('an invalid or incomplete descriptor set is an error', async () => {
  const bytes = await readFile(`${vectors}/shop.binpb`)
  const lacking = bytes
    .toString('latin1')
    .replaceAll('shop/v1/kinds.proto', 'shop/v1/other.proto')
    .replace('other', 'kinds')
  await assert.rejects(read('none.binpb', {}), /"none\.binpb" cannot be read: there is no such file/)
  await assert.rejects(read('a.binpb', { 'a.binpb': 'syntax' }), /"a\.binpb" is not a descriptor set/)
  await assert.rejects(read('a.binpb', { 'a.binpb': '' }), /without files/)
  await assert.rejects(read('a.binpb', { 'a.binpb': lacking }), /lacks shop\/v1\/other\.proto, which .* imports/)
  await assert.rejects(read(['a.proto', 'a.binpb'], {}), /names several files/)
})

const unusable: readonly (readonly [what: string, rule: string, message: RegExp])[] = [
  ['an unknown variable', 'get: "/x/{other}"', /S\.Do: GET \/x\/\{other\}: M has no field other/],
  ['a variable that is a message', 'get: "/x/{m}"', /m is message; expected a single value/],
  ['a variable that is a list', 'get: "/x/{list}"', /list is list/],
  ['an unknown body', 'post: "/x" body: "other"', /M has no field other/],
  ['an unknown field of the reply', 'get: "/x" response_body: "other"', /M has no field other/],
  ['no path', 'body: "*"', /without a path/],
  ['a path without a slash', 'get: "x"', /expected it to begin with "\/"/],
  ['segments after **', 'get: "/x/**/y"', /"\*\*" as the last part/],
  ['unbalanced braces', 'get: "/x/{name"', /braces in pairs/],
  ['a variable within a segment', 'get: "/x/a{name}"', /./],
  ['a repeated variable', 'get: "/{name}/{name}"', /\{name\} once/],
  [
    'a repeated path',
    'get: "/x/{name}" additional_bindings { get: "/x/{m.name}" }',
    /S\.Do has GET \/x\/\{name\} already/,
  ],
]

for (const [what, rule, expected] of unusable)
  test(`a binding with ${what} is an error`, async () => {
    const source = `syntax = "proto3"; import "google/api/annotations.proto";
      message M { string name = 1; M m = 2; repeated string list = 3; }
      service S { rpc Do(M) returns (M) { option (google.api.http) = { ${rule} }; } }`
    const schema = await read('a.proto', { 'a.proto': source })
    assert.throws(() => compiled({ schema, autoMapping: false }), expected)
  })

test('missing services, and files without bindings, are errors', async () => {
  const schema = await read('a.proto', {
    'a.proto': 'syntax = "proto3"; message M {} service S { rpc Do(M) returns (M); }',
  })
  assert.throws(() => compiled({ schema, services: ['T'], autoMapping: false }), /there is no service T/)
  assert.throws(() => compiled({ schema, autoMapping: false }), /no method of S has an option google\.api\.http/)
  assert.ok(compiled({ schema, autoMapping: true }).bindings.find('/S/Do', 'POST').found)
})
