import assert from 'node:assert/strict'
import test from 'node:test'
import { websocketAccept } from './websocket-accept.ts'

test('the accept value matches the example of RFC 6455 section 1.3', () => {
  assert.equal(websocketAccept('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})
