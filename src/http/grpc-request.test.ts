import assert from 'node:assert/strict'
import test from 'node:test'
import { callOf, refusalOfCall } from './grpc-request.ts'
import { Headers } from './headers.ts'

function callWith(fields: Readonly<Record<string, string>>, start = 0) {
  const headers = Headers.of(Object.entries(fields))
  return { call: callOf(headers, start), headers }
}

test('a gRPC call is recognized by its content type, with any message format', () => {
  for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc+json', 'application/grpc;x=y'])
    assert.ok(callWith({ 'content-type': type }).call !== null, type)
  for (const type of ['application/grpc-web', 'application/grpc-web+proto', 'application/grpcx', 'text/plain'])
    assert.equal(callWith({ 'content-type': type, 'x-like': 'application/grpc' }).call, null, type)
})

test('the deadline counts from the start of the request, and the header is removed', () => {
  const { call, headers } = callWith({ 'content-type': 'application/grpc', 'grpc-timeout': '250m', 'x-a': 'b' }, 1_000)
  assert.equal(call?.deadline, 1_250)
  assert.equal(headers.has('grpc-timeout'), false)
  assert.equal(headers.get('x-a'), 'b')
  assert.equal(callWith({ 'content-type': 'application/grpc' }).call?.deadline, Number.POSITIVE_INFINITY)
})

test('an invalid timeout, and a call over HTTP/1.1, are rejected', () => {
  const { call } = callWith({ 'content-type': 'application/grpc', 'grpc-timeout': '1s' })
  assert.equal(refusalOfCall(call!, '2')?.code, 'bad-request')
  const whole = callWith({ 'content-type': 'application/grpc', 'grpc-timeout': '1S' }).call!
  assert.equal(refusalOfCall(whole, '2'), null)
  assert.equal(refusalOfCall(whole, '1.1')?.code, 'version-not-supported')
})
