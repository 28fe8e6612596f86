import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf, plainState } from '../../test/support/codes.ts'
import { INCOMPLETE } from './fields.ts'
import { defaultHeadLimits } from '../http/limits.ts'
import { RequestHead } from './request-head.ts'

const limits = { head: 400, target: 100, headers: 8 }

/** Parses a whole head, followed by something that is not part of it. */
function parse(text: string, bounds = defaultHeadLimits): RequestHead {
  const head = new RequestHead(bounds)
  const bytes = Buffer.from(`${text}next`, 'latin1')
  assert.equal(head.parse(bytes, 0, bytes.length), text.length)
  return head
}

function refusal(text: string, bounds = defaultHeadLimits): unknown {
  const bytes = Buffer.from(text, 'latin1')
  return codeOf(() => new RequestHead(bounds).parse(bytes, 0, bytes.length))
}

const get = (line: string, fields = 'Host: a\r\n') => `${line}\r\n${fields}\r\n`

test('a request line is method, target and version, separated by single spaces', () => {
  const head = parse('PURGE /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nAccept: */*\r\n\r\n')
  assert.equal(head.method, 'PURGE')
  assert.equal(head.target, '/a/b?c=d')
  assert.equal(head.protocol, '1.1')
  assert.equal(head.authority, 'example.com:8080')
  assert.equal(head.fields.raw, 'Accept: */*\r\n')
  assert.equal(head.contentLength, 0)
  assert.equal(head.close, false)
})

test('any other request line is rejected', () => {
  for (const line of [
    ' GET / HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET /  HTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET\t/ HTTP/1.1',
    'GET /\tHTTP/1.1',
    'GET / a HTTP/1.1',
    'GET /',
    'GET  HTTP/1.1',
    'GET',
    ' / HTTP/1.1',
    'G(T / HTTP/1.1',
    'G\u00c9T / HTTP/1.1',
    'GET / http/1.1',
    'GET / HTTP/1',
    'GET / HTTP/11',
    'GET / HTTP/1.2',
    'GET / HTTP/1.10',
    'GET / HTTP/1,1',
    'GET / HTTPS/1.1',
    'GET / XTTP/1.1',
    'GET / HTTP/1.1\r',
    '\n',
    '\r\r',
    '\r\n\r\n',
    '\0',
    '\x16\x03\x01',
  ])
    assert.equal(refusal(get(line)), 'bad-request', JSON.stringify(line))
})

test('a line ending with LF alone is rejected', () => {
  assert.equal(refusal('GET / HTTP/1.1\nHost: a\r\n\r\n'), 'bad-request')
  assert.equal(refusal('GET / HTTP/1.1\r\nHost: a\n\r\n'), 'bad-request')
  assert.equal(refusal('GET / HTTP/1.1\r\nHost: a\r\n\n'), 'bad-request')
  assert.equal(refusal('\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'bad-request')
})

test('one empty line before the request line is ignored, a second one is rejected', () => {
  assert.equal(parse(`\r\n${get('GET /x HTTP/1.1')}`).target, '/x')
  assert.equal(refusal(`\r\n\r\n${get('GET /x HTTP/1.1')}`), 'bad-request')
})

test('other major versions are not supported', () => {
  for (const version of ['HTTP/0.9', 'HTTP/2.0', 'HTTP/3', 'HTTP/9.9'])
    assert.equal(refusal(get(`GET / ${version}`)), 'version-not-supported')
  assert.equal(refusal('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'version-not-supported')
})

test('CONNECT and TRACE are not implemented, whatever their target', () => {
  for (const line of ['CONNECT a:443 HTTP/1.1', 'CONNECT /x HTTP/1.1', 'TRACE / HTTP/1.1'])
    assert.equal(refusal(get(line)), 'not-implemented')
})

test('a method that is too long is rejected before its end', () => {
  assert.equal(refusal('A'.repeat(33)), 'not-implemented')
  assert.equal(refusal('A'.repeat(32)), INCOMPLETE)
  assert.equal(parse(get(`${'A'.repeat(32)} / HTTP/1.1`)).method.length, 32)
})

test('a target over its limit is rejected before its end', () => {
  assert.equal(refusal(`GET /${'a'.repeat(100)}`, limits), 'uri-too-long')
  assert.equal(refusal(`GET /${'a'.repeat(99)}`, limits), INCOMPLETE)
  assert.equal(parse(get(`GET /${'a'.repeat(99)} HTTP/1.1`), limits).target.length, 100)
})

test('a target is visible ASCII without a fragment', () => {
  const every = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
  const allowed = every.filter((byte) => typeof refusal(get(`GET /a${byte}b HTTP/1.1`)) === 'number')
  assert.deepEqual(
    allowed,
    every.filter((byte) => byte > ' ' && byte < '\x7f' && byte !== '#'),
  )
})

test('a head over its limit is rejected, complete or not', () => {
  const padded = (length: number) => {
    const [before, after] = ['GET / HTTP/1.1\r\nHost: a\r\nX-Pad: ', '\r\n\r\n']
    return before + 'x'.repeat(length - before.length - after.length) + after
  }
  assert.equal(refusal(padded(400), limits), 400)
  assert.equal(refusal(padded(401), limits), 'headers-too-large')
  assert.equal(refusal(padded(402).slice(0, 401), limits), 'headers-too-large')
  assert.equal(refusal(padded(402).slice(0, 400), limits), INCOMPLETE)
})

test('too many headers are rejected as soon as one more starts', () => {
  const fields = 'Host: a\r\n' + 'X: 1\r\n'.repeat(7)
  assert.equal(typeof refusal(get('GET / HTTP/1.1', fields), limits), 'number')
  assert.equal(refusal(`GET / HTTP/1.1\r\n${fields}X`, limits), 'headers-too-large')
})

test('a head is incomplete at every offset before its end', () => {
  const text = '\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nX-A:\t b \r\nContent-Length: 3\r\nEmpty:\r\n\r\n'
  const bytes = Buffer.from(text, 'latin1')
  const head = new RequestHead(defaultHeadLimits)
  for (let end = 1; end < bytes.length; end++) assert.equal(head.parse(bytes, 0, end), INCOMPLETE, `at ${end}`)
  assert.equal(head.parse(bytes, 0, bytes.length), bytes.length)
  assert.equal(head.contentLength, 3)
})

test('bytes after the given end are not read', () => {
  const head = new RequestHead(defaultHeadLimits)
  const bytes = Buffer.from(get('GET / HTTP/1.1'))
  for (const garbage of ['\r', '\n', 'x', '\0']) {
    for (let end = 1; end < bytes.length; end++) {
      const lent = Buffer.concat([bytes.subarray(0, end), Buffer.alloc(200, garbage)])
      assert.equal(head.parse(lent, 0, end), INCOMPLETE)
    }
  }
})

test('a head can start at any offset', () => {
  const bytes = Buffer.from(`....${get('GET /x HTTP/1.1', 'Host: a\r\nX-Odd:1\r\n')}....`)
  const head = new RequestHead(defaultHeadLimits)
  assert.equal(head.parse(bytes, 4, bytes.length), bytes.length - 4)
  assert.equal(head.fields.raw, 'X-Odd: 1\r\n')
})

test('no state is left for the next head', () => {
  const head = new RequestHead(defaultHeadLimits)
  const first = Buffer.from(
    'POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nConnection: close, x-a\r\nExpect: 100-continue\r\n' +
      'Upgrade: websocket\r\nX-Real-IP: 1\r\nX-A: 1\r\n\r\n',
  )
  const second = Buffer.from('GET / HTTP/1.1\r\nHost: b\r\n\r\n')
  head.parse(first, 0, first.length)
  head.parse(second, 0, second.length)
  const fresh = new RequestHead(defaultHeadLimits)
  fresh.parse(second, 0, second.length)
  assert.deepEqual(plainState(head), plainState(fresh))
})

test('HTTP/1.1 is persistent without close, HTTP/1.0 only with keep-alive and without close', () => {
  const closes = (version: string, connection?: string) =>
    parse(get(`GET / HTTP/${version}`, `Host: a\r\n${connection === undefined ? '' : `Connection: ${connection}\r\n`}`))
      .close
  assert.equal(closes('1.1'), false)
  assert.equal(closes('1.1', 'close'), true)
  assert.equal(closes('1.1', 'keep-alive, close'), true)
  assert.equal(closes('1.0'), true)
  assert.equal(closes('1.0', 'keep-alive'), false)
  assert.equal(closes('1.0', 'Keep-Alive, x'), false)
  assert.equal(closes('1.0', 'keep-alive, close'), true)
})

test('content has one Content-Length, or is chunked, or is absent', () => {
  const length = (fields: string, version = '1.1') =>
    parse(get(`POST / HTTP/${version}`, `Host: a\r\n${fields}`)).contentLength
  assert.equal(length(''), 0)
  assert.equal(length('Content-Length: 0\r\n'), 0)
  assert.equal(length('Content-Length: 007\r\n'), 7)
  assert.equal(length('Content-Length: 7\r\n', '1.0'), 7)
  assert.equal(length('Transfer-Encoding: chunked\r\n'), -1)
})

test('ambiguous framing is rejected', () => {
  const code = (fields: string, version = '1.1') => refusal(get(`POST / HTTP/${version}`, `Host: a\r\n${fields}`))
  assert.equal(code('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'), 'bad-request')
  assert.equal(code('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n'), 'bad-request')
  assert.equal(code('Content-Length: 3\r\nContent-Length: 3\r\n'), 'bad-request')
  assert.equal(code('Content-Length: 3\r\nContent-Length: 4\r\n'), 'bad-request')
  assert.equal(code('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 'bad-request')
  assert.equal(code('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'), 'bad-request')
  assert.equal(code('Transfer-Encoding: chunked\r\n', '1.0'), 'bad-request')
  assert.equal(code('Transfer-Encoding: gzip, chunked\r\n'), 'not-implemented')
})

test('variants of framing headers are dropped', () => {
  const head = parse(
    get(
      'POST / HTTP/1.1',
      'Host: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nX_User_Id: 1\r\nX_Free: 1\r\n',
    ),
  )
  assert.equal(head.contentLength, 0)
  assert.equal(head.fields.raw, 'X_Free: 1\r\n')
})

test('HTTP/1.1 requires exactly one valid Host, HTTP/1.0 at most one', () => {
  assert.equal(refusal(get('GET / HTTP/1.1', '')), 'bad-request')
  assert.equal(refusal(get('GET / HTTP/1.1', 'Host: a\r\nHost: a\r\n')), 'bad-request')
  assert.equal(refusal(get('GET / HTTP/1.0', 'Host: a\r\nHost: b\r\n')), 'bad-request')
  assert.equal(refusal(get('GET / HTTP/1.1', 'Host:\r\n')), 'bad-request')
  assert.equal(refusal(get('GET / HTTP/1.1', 'Host: a b\r\n')), 'bad-request')
  assert.equal(refusal(get('GET / HTTP/1.1', 'Host: user@a\r\n')), 'bad-request')
  assert.equal(parse(get('GET / HTTP/1.0', '')).authority, '')
  assert.equal(parse(get('GET / HTTP/1.0')).authority, 'a')
})

test('an absolute-form target sets the authority, and Host may not contradict it', () => {
  const head = parse(get('GET http://Example.com/a?b HTTP/1.1', 'Host: example.COM\r\n'))
  assert.equal(head.target, '/a?b')
  assert.equal(head.authority, 'example.com')
  assert.equal(parse(get('GET http://a HTTP/1.0', '')).authority, 'a')
  assert.equal(refusal(get('GET http://b/ HTTP/1.1')), 'bad-request')
  assert.equal(refusal(get('GET http://a:80/ HTTP/1.1')), 'bad-request')
})

test('"*" is for OPTIONS only', () => {
  const head = parse(get('OPTIONS * HTTP/1.1'))
  assert.equal(head.target, '*')
  assert.equal(head.authority, 'a')
  assert.equal(refusal(get('GET * HTTP/1.1')), 'bad-request')
})

test('100-continue is the only expectation in HTTP/1.1, and ignored in HTTP/1.0', () => {
  const expecting = (value: string, version = '1.1') =>
    get(`POST / HTTP/${version}`, `Host: a\r\nContent-Length: 1\r\nExpect: ${value}\r\n`)
  assert.equal(parse(expecting('100-Continue')).expectsContinue, true)
  assert.equal(parse(expecting('100-continue', '1.0')).expectsContinue, false)
  assert.equal(parse(expecting('x', '1.0')).expectsContinue, false)
  assert.equal(parse(get('GET / HTTP/1.1')).expectsContinue, false)
  for (const value of ['x', '', '100-continue, x', '100-continue, 100-continue'])
    assert.equal(parse(expecting(value)).refusal?.code, 'expectation-failed')
  assert.equal(parse(expecting('100-continue')).refusal, null)
})

test('an upgrade requires HTTP/1.1 with Upgrade and Connection', () => {
  const upgrade = (version: string, fields: string) =>
    parse(get(`GET / HTTP/${version}`, `Host: a\r\n${fields}`)).upgrade
  assert.equal(upgrade('1.1', 'Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n'), 'WebSocket')
  assert.equal(upgrade('1.1', 'Upgrade: WebSocket\r\nConnection: keep-alive\r\n'), null)
  assert.equal(upgrade('1.1', 'Upgrade: WebSocket\r\n'), null)
  assert.equal(upgrade('1.1', 'Connection: upgrade\r\n'), null)
  assert.equal(upgrade('1.0', 'Upgrade: WebSocket\r\nConnection: upgrade\r\n'), null)
})

test('headers that Connection names are nominated, apart from hop-by-hop ones', () => {
  const head = parse(get('GET / HTTP/1.1', 'Host: a\r\nConnection: X-A, te\r\nConnection: , x-b\r\nTE: trailers\r\n'))
  assert.deepEqual(head.nominated, ['x-a', 'x-b'])
  assert.equal(head.fields.te, 'trailers')
  assert.equal(head.fields.raw, '')
})
