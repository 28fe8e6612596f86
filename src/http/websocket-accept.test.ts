import assert from 'node:assert/strict'
import test from 'node:test'
import { websocketAccept } from './websocket-accept.ts'

test('the answer to a key is that of the example in RFC 6455 section 1.3', () => {
  assert.equal(websocketAccept('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})
