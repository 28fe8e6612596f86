import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { outgoing } from '../../test/support/outgoing.ts'
import { Bytes } from '../http/body.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import { outgoingHead } from './outgoing-head.ts'

/** The lines between Host and the empty one. */
function lines(parts: Partial<OutgoingRequest>): string[] {
  const [, host, ...rest] = outgoingHead({ ...outgoing, ...parts }).split('\r\n')
  assert.equal(host, 'Host: a')
  assert.deepEqual(rest.slice(-2), ['', ''])
  return rest.slice(0, -2)
}

test('a head has the request line, Host, and the headers unchanged', () => {
  assert.equal(
    outgoingHead({
      ...outgoing,
      method: 'HEAD',
      authority: 'a.example:81',
      target: '/b?c',
      fields: 'X-A: 1\r\nx-b: 2\r\n',
    }),
    'HEAD /b?c HTTP/1.1\r\nHost: a.example:81\r\nX-A: 1\r\nx-b: 2\r\n\r\n',
  )
})

test('Host is that of each request, whatever was sent before', () => {
  const authorities = [
    'a.example',
    'b.example',
    'a.example:1',
    '',
    ...Array.from({ length: 40 }, (_, i) => `10.0.0.${i}:80`),
  ]
  for (const authority of [...authorities, ...authorities.toReversed()])
    assert.ok(outgoingHead({ ...outgoing, authority }).includes(` HTTP/1.1\r\nHost: ${authority}\r\n`))
})

test('content of unknown length is chunked', () => {
  assert.deepEqual(lines({ method: 'POST', body: new PushedBody(-1) }), ['Transfer-Encoding: chunked'])
  assert.deepEqual(lines({ method: 'POST', body: new PushedBody(3) }), ['Content-Length: 3'])
  assert.deepEqual(lines({ body: Bytes.fromLatin1('ab') }), ['Content-Length: 2'])
})

test('Content-Length: 0 is sent for methods that normally have content', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'QUERY']) assert.deepEqual(lines({ method }), ['Content-Length: 0'])
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) assert.deepEqual(lines({ method }), [])
})

test('connection headers are generated for trailers, upgrades and expectations', () => {
  const upgrade = { protocol: 'WebSocket', key: 'k' }
  const expectsContinue = true
  assert.deepEqual(lines({ acceptsTrailers: true }), ['Connection: TE', 'TE: trailers'])
  assert.deepEqual(lines({ acceptsTrailers: true, upgrade }), ['Connection: Upgrade', 'Upgrade: WebSocket'])
  assert.deepEqual(lines({ body: new PushedBody(3), expectsContinue }), ['Expect: 100-continue', 'Content-Length: 3'])
})
