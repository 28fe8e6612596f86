import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { decodeMessage } from './decode-message.ts'
import { encodeMessage } from './message.ts'
import { grpcStatus } from './status.ts'
import { httpStatusOf } from './status-in-http.ts'

test('each status code has its HTTP status', () => {
  assert.equal(httpStatusOf(grpcStatus('NOT_FOUND')), 404)
  assert.equal(httpStatusOf(grpcStatus('RESOURCE_EXHAUSTED')), 429)
  assert.equal(httpStatusOf(99), 500)
})

test('property: messages decode to themselves, and invalid escapes stay', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(decodeMessage(encodeMessage(text)), text)),
  )
  assert.equal(decodeMessage('100% of %zz'), '100% of %zz')
})
