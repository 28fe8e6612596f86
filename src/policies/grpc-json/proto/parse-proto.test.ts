import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import * as fc from 'fast-check'
import { parseProto } from './parse-proto.ts'
import { ProtoError } from './proto-error.ts'

const folder = `${import.meta.dirname}/../../../../test/vectors/proto/shop/v1`
const sources = ['inventory', 'kinds', 'old'].map((name) => readFileSync(`${folder}/${name}.proto`, 'utf8'))

test('property: an edited file is parsed, or rejected with a position', () => {
  const piece = fc.constantFrom(
    ...Array.from('{}()[]<>=;:,.-"\'/'),
    '\\',
    'message',
    'option',
    'map',
    'group',
    '1',
    'max',
    '/*',
    '//',
    '\n',
    '\0',
    'é',
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.nat(),
      fc.nat({ max: 30 }),
      fc.array(piece, { maxLength: 3 }),
      (source, at, cut, put) => {
        const start = at % source.length
        try {
          parseProto(source.slice(0, start) + put.join('') + source.slice(start + cut), 'a.proto')
        } catch (error) {
          assert.ok(error instanceof ProtoError, String(error))
          assert.match(error.message, /^a\.proto:\d+: /)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('parsing takes time linear in the length of the file', () => {
  const source = `syntax = "proto3"; message M { ${'/* x */ int32 a = 1; '.repeat(20_000)} }`
  assert.equal(parseProto(source, 'a.proto').messageType[0]?.field.length, 20_000)
  assert.throws(() => parseProto('"'.repeat(100_001), 'a.proto'), ProtoError)
  assert.throws(() => parseProto('/*'.repeat(50_000), 'a.proto'), ProtoError)
})
