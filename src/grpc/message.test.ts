import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { encodeMessage } from './message.ts'

test('printable ASCII stays unchanged except the percent sign', () => {
  assert.equal(encodeMessage('No route matches this request: try /a~b.'), 'No route matches this request: try /a~b.')
  assert.equal(encodeMessage('100% of it'), '100%25 of it')
})

test('everything else is percent-encoded UTF-8', () => {
  assert.equal(encodeMessage('größer\r\n\u0000'), 'gr%C3%B6%C3%9Fer%0D%0A%00')
  assert.equal(encodeMessage('☃'), '%E2%98%83')
})

test('property: any text is encoded for a header, and decodes to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeMessage(text)
      assert.match(encoded, /^[ -~]*$/)
      assert.equal(decodeURIComponent(encoded), text)
    }),
  )
})
