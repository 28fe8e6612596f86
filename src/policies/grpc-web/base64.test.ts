import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { GatewayError } from '../../core/errors.ts'
import { Base64Reader } from './base64.ts'

function read(text: string, cuts: readonly number[] = []): Buffer {
  const reader = new Base64Reader()
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length]
  const parts = places.slice(1).map((end, i) => reader.read(Buffer.from(text.slice(places[i], end), 'latin1')))
  reader.end()
  return Buffer.concat(parts)
}

test('property: base64 is decoded however it is split, even with padding in each part', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 12 })), fc.array(fc.nat(), { maxLength: 10 }), (parts, cuts) => {
      const text = parts.map((part) => Buffer.from(part).toString('base64')).join('')
      assert.deepEqual(read(text, cuts), Buffer.concat(parts))
    }),
  )
})

const refused = (error: unknown): boolean => error instanceof GatewayError && error.code === 'bad-request'

for (const text of ['AAA', 'A', 'AAAA*AAA', 'AA-_', 'A===', '====', 'AB==', 'AAAA\n', 'AA=A', '=AAA'])
  test(`${JSON.stringify(text)} is rejected as base64`, () => {
    assert.throws(() => read(text), refused)
  })

test('property: any text is decoded correctly or rejected', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('AZaz09+/=\n-%')) }), (text) => {
      try {
        const bytes = read(text)
        // Each part has its own padding; without any of it, it is what the bytes are in base64.
        assert.equal(bytes.toString('base64').replaceAll('=', '').length > 0, text.replaceAll('=', '').length > 0)
      } catch (error) {
        assert.ok(refused(error), String(error))
      }
    }),
  )
})
