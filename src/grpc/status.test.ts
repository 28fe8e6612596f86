import assert from 'node:assert/strict'
import test from 'node:test'
import { defineError, errorKinds } from '../core/errors.ts'
import { statusOfError } from './error-status.ts'
import { statusOfInstance, statusWithoutOne } from './http-status.ts'
import { grpcStatus, grpcStatusName, grpcStatusNames, parseGrpcStatus } from './status.ts'

test('each status code is parsed and has its name', () => {
  for (const [code, name] of grpcStatusNames.entries()) {
    assert.equal(parseGrpcStatus(String(code)), code)
    assert.equal(grpcStatusName(code), name)
    assert.equal(grpcStatus(name), code)
  }
  assert.deepEqual([grpcStatus('OK'), grpcStatus('UNAVAILABLE'), grpcStatus('UNAUTHENTICATED')], [0, 14, 16])
})

test('an invalid code is UNKNOWN, as in clients', () => {
  for (const text of ['', '17', '99', '-1', '1.5', 'OK', '0x1', '100', ' 1'])
    assert.equal(parseGrpcStatus(text), 2, text)
})

test('no error of the gateway is OK, and retryable ones are UNAVAILABLE or RESOURCE_EXHAUSTED', () => {
  const statuses = Array.from({ length: 200 }, (_, i) => 400 + i)
  const own = statuses.map((status) => defineError({ code: `own-${status}`, status, title: 'Own' }))
  for (const kind of [...errorKinds(), ...own]) {
    const name = grpcStatusName(statusOfError(kind))
    assert.notEqual(name, 'OK')
    const { code, status } = kind
    assert.equal(name === 'UNAVAILABLE', status === 502 || status === 503, code)
    if (status === 429) assert.equal(name, 'RESOURCE_EXHAUSTED')
    if (status === 401) assert.equal(name, 'UNAUTHENTICATED')
    if (status === 403) assert.equal(name, 'PERMISSION_DENIED')
    if (status === 500) assert.equal(name, 'INTERNAL')
  }
})

test('a reply without grpc-status gets one from its HTTP status', () => {
  const names = [200, 400, 401, 403, 404, 429, 500, 502, 503, 504, 302].map((status) =>
    grpcStatusName(statusWithoutOne(status)),
  )
  assert.deepEqual(names, [
    'UNKNOWN',
    'INTERNAL',
    'UNAUTHENTICATED',
    'PERMISSION_DENIED',
    'UNIMPLEMENTED',
    'UNAVAILABLE',
    'UNKNOWN',
    'UNAVAILABLE',
    'UNAVAILABLE',
    'UNAVAILABLE',
    'UNKNOWN',
  ])
})

test('only statuses that are the fault of the instance count against it', () => {
  const against = grpcStatusNames.filter((name) => statusOfInstance(grpcStatus(name)) !== 200)
  assert.deepEqual(against, ['UNKNOWN', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'])
  assert.equal(statusOfInstance(grpcStatus('UNAVAILABLE')), 503)
})
