import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { type Body, Bytes } from '../http/body.ts'
import { Headers, headersFromWire } from '../http/headers.ts'
import type { HttpVersion } from '../http/received-head.ts'
import { Reply } from '../http/reply.ts'
import { interimHead, replyHead, upgradeHead } from './reply-head.ts'

const date = 'Date: now\r\n'

function lines(
  status: number,
  body: Body,
  { empty = false, protocol = '1.1', close = false }: { empty?: boolean; protocol?: HttpVersion; close?: boolean } = {},
): string[] {
  return replyHead(new Reply(status, Headers.of([['X-A', '1']]), body), empty, protocol, close, date).split('\r\n')
}

test('a head has a status line, headers, Date and framing', () => {
  assert.deepEqual(lines(200, Bytes.fromLatin1('abc')), [
    'HTTP/1.1 200 OK',
    'X-A: 1',
    'Date: now',
    'Content-Length: 3',
    '',
    '',
  ])
})

test('a status without a registered reason has an empty one', () => {
  assert.equal(lines(299, null)[0], 'HTTP/1.1 299 ')
})

test('an existing Date is kept', () => {
  const head = replyHead(new Reply(200, Headers.of([['date', 'then']]), null), false, '1.1', false, date)
  assert.equal(head, 'HTTP/1.1 200 OK\r\ndate: then\r\nContent-Length: 0\r\n\r\n')
})

test('content of unknown length is chunked for HTTP/1.1, and close-delimited for HTTP/1.0', () => {
  assert.ok(lines(200, new PushedBody(-1)).includes('Transfer-Encoding: chunked'))
  assert.deepEqual(lines(200, new PushedBody(-1), { protocol: '1.0', close: true }), [
    'HTTP/1.1 200 OK',
    'X-A: 1',
    'Date: now',
    'Connection: close',
    '',
    '',
  ])
  assert.ok(lines(200, new PushedBody(7)).includes('Content-Length: 7'))
})

test('an empty body has Content-Length: 0', () => {
  assert.ok(lines(200, null).includes('Content-Length: 0'))
})

test('suppressed content keeps its length, and absent content has none', () => {
  assert.ok(lines(200, Bytes.fromLatin1('abc'), { empty: true }).includes('Content-Length: 3'))
  assert.deepEqual(lines(304, null, { empty: true }), ['HTTP/1.1 304 Not Modified', 'X-A: 1', 'Date: now', '', ''])
})

test('204 has no framing headers', () => {
  for (const body of [null, Bytes.fromLatin1(''), Bytes.fromLatin1('abc'), new PushedBody(-1)])
    assert.deepEqual(lines(204, body, { empty: true }), ['HTTP/1.1 204 No Content', 'X-A: 1', 'Date: now', '', ''])
})

test('Connection is set if it differs from the default of the version', () => {
  assert.ok(lines(200, null, { close: true }).includes('Connection: close'))
  assert.ok(lines(200, null, { protocol: '1.0' }).includes('Connection: keep-alive'))
  assert.ok(lines(200, null, { protocol: '1.0', close: true }).includes('Connection: close'))
  assert.ok(!lines(200, null).some((line) => line.startsWith('Connection')))
})

test('an interim head only has its own headers', () => {
  assert.equal(interimHead(103, Headers.of([['Link', '</a>']])), 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
})

test('an upgrade head has the protocol', () => {
  const reply = new Reply(101, Headers.of([['Sec-WebSocket-Accept', 'x']]), null)
  assert.equal(
    upgradeHead(reply, 'websocket'),
    'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
})

test('a Content-Length of the service is replaced by that of other content', () => {
  const announced = (): Headers => headersFromWire('Content-Length: 10\r\nX-A: 1\r\n', false, true)
  const body = Bytes.fromLatin1('abc')
  const expected = (length: number) => ['X-A: 1', 'Date: now', `Content-Length: ${length}`]
  const fieldsOf = (reply: Reply, empty: boolean) =>
    replyHead(reply, empty, '1.1', false, date).split('\r\n').slice(1, -2)
  assert.deepEqual(fieldsOf(new Reply(200, announced(), body), false), expected(3))
  assert.deepEqual(fieldsOf(new Reply(200, announced(), null), false), expected(0))
  assert.deepEqual(fieldsOf(new Reply(200, announced().clone(), body), true), expected(3))
  assert.deepEqual(fieldsOf(new Reply(200, announced(), null), true), ['Content-Length: 10', 'X-A: 1', 'Date: now'])
})

for (const status of [0, 99.5, 600, 1000, -1, Number.NaN])
  test(`the status ${status} is replaced by 500`, () => {
    assert.equal(lines(status, null)[0], 'HTTP/1.1 500 Internal Server Error')
  })
