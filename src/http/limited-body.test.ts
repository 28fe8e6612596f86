import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink, PushedBody } from '../../test/support/bodies.ts'
import { Bytes, isStream } from './body.ts'
import { GatewayError } from '../core/errors.ts'
import { Headers } from './headers.ts'
import { limitBody } from './limited-body.ts'

test('a body that cannot exceed the limit is returned as is', () => {
  for (const body of [null, Bytes.fromLatin1('12345'), new PushedBody(5)]) assert.equal(limitBody(body, 5), body)
})

for (const body of [Bytes.fromLatin1('123456'), new PushedBody(6)])
  test(`a body known to exceed the limit is rejected at once (${body.constructor.name})`, () => {
    assert.throws(
      () => limitBody(body, 5),
      (error) => error instanceof GatewayError && error.status === 413,
    )
  })

test('a body of unknown length is passed on up to the limit, with its trailers', () => {
  const body = new PushedBody(-1, '123')
  const limited = limitBody(body, 5)
  const sink = new CollectingSink()
  const trailers = Headers.of([['A', 'b']])
  assert.ok(isStream(limited))
  assert.equal(limited.length, -1)
  limited.pipe(sink)
  sink.taking = false
  assert.equal(body.push('45'), false)
  limited.resume()
  body.end(trailers)
  assert.deepEqual([sink.text, body.resumed, sink.trailers], ['12345', 1, trailers])
})

test('failures and cancellations are passed on', () => {
  const body = new PushedBody(-1)
  const limited = limitBody(body, 5)
  const sink = new CollectingSink()
  assert.ok(isStream(limited))
  limited.pipe(sink)
  limited.cancel()
  assert.ok(body.cancelled)
  body.sink!.fail(new Error('gone'))
  assert.equal(sink.error?.message, 'gone')
})
