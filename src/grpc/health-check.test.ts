import assert from 'node:assert/strict'
import test from 'node:test'
import { healthRequest, readHealthReply } from './health-check.ts'

const bytes = (...all: number[]): Buffer => Buffer.from(all)

test('the request for the whole server is an empty message, and for a service its name', () => {
  assert.deepEqual(healthRequest(''), bytes(0, 0, 0, 0, 0))
  assert.deepEqual(healthRequest('a.B'), bytes(0, 0, 0, 0, 5, 0x0a, 3, 97, 46, 66))
})

test('each status is parsed', () => {
  assert.equal(readHealthReply(bytes(0, 0, 0, 0, 2, 8, 1)), 'SERVING')
  assert.equal(readHealthReply(bytes(0, 0, 0, 0, 2, 8, 2)), 'NOT_SERVING')
  assert.equal(readHealthReply(bytes(0, 0, 0, 0, 2, 8, 3)), 'SERVICE_UNKNOWN')
  // The default of a field is left out, or may be there.
  assert.equal(readHealthReply(bytes(0, 0, 0, 0, 0)), 'UNKNOWN')
  assert.equal(readHealthReply(bytes(0, 0, 0, 0, 2, 8, 0)), 'UNKNOWN')
})

test('anything else is an error', () => {
  for (const [content, why] of [
    [bytes(), /no message/],
    [bytes(0, 0, 0, 0), /no message/],
    [bytes(1, 0, 0, 0, 2, 8, 1), /compressed/],
    [bytes(0, 0, 0, 0, 3, 8, 1), /not one whole message/],
    [bytes(0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 0), /not one whole message/],
    [bytes(0, 0, 0, 0, 2, 8, 4), /not a grpc.health.v1 response/],
    [bytes(0, 0, 0, 0, 2, 16, 1), /not a grpc.health.v1 response/],
    [bytes(0, 0, 0, 0, 3, 8, 0x81, 0), /not a grpc.health.v1 response/],
    [Buffer.from('<html>'), /not one whole|compressed/],
  ] as const)
    assert.throws(() => readHealthReply(content), why)
})
