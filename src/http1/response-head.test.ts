import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf, plainState } from '../../test/support/codes.ts'
import { INCOMPLETE } from './fields.ts'
import { defaultHeadLimits } from '../http/limits.ts'
import { CHUNKED, ResponseHead, UNTIL_CLOSE } from './response-head.ts'

function parse(text: string): ResponseHead {
  const head = new ResponseHead(defaultHeadLimits)
  const bytes = Buffer.from(`${text}next`, 'latin1')
  assert.equal(head.parse(bytes, 0, bytes.length), text.length)
  return head
}

function refusal(text: string, limits = defaultHeadLimits): unknown {
  const bytes = Buffer.from(text, 'latin1')
  return codeOf(() => new ResponseHead(limits).parse(bytes, 0, bytes.length))
}

test('a status line is a version, a status code and an optional reason', () => {
  for (const [line, status, minor] of [
    ['HTTP/1.1 200 OK', 200, 1],
    ['HTTP/1.0 404 Not here\t\xe9', 404, 0],
    ['HTTP/1.1 299 ', 299, 1],
    ['HTTP/1.1 100', 100, 1],
    ['HTTP/1.1 599 x', 599, 1],
  ] as const) {
    const head = parse(`${line}\r\n\r\n`)
    assert.equal(head.status, status)
    assert.equal(head.minor, minor)
  }
})

test('any other status line is rejected', () => {
  for (const line of [
    'HTTP/1.1  200 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 600 OK',
    'HTTP/1.1 20 OK!',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 200-OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'ICY 200 OK     ',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200\nX: 1',
    '<html>',
  ])
    assert.equal(refusal(`${line}\r\n\r\n`), 'bad-request', JSON.stringify(line))
})

test('a server that speaks HTTP/2 or TLS is recognized', () => {
  const refused = (hex: string): unknown => {
    const bytes = Buffer.from(hex, 'hex')
    try {
      return new ResponseHead(defaultHeadLimits).parse(bytes, 0, bytes.length)
    } catch (error) {
      return String(error)
    }
  }
  assert.match(String(refused('000006040000000000000300000064')), /The server speaks HTTP\/2: set http2 of the service/)
  assert.match(String(refused('15030100020246')), /The server speaks TLS: .* https:\/\//)
  for (const hex of ['00', '0000060400000000', '000006040000000001', '15', '1504'])
    assert.match(String(refused(hex)), /The response does not begin with HTTP\/1\./)
})

test('lines ending with LF alone are rejected', () => {
  assert.equal(refusal('HTTP/1.1 200 OK\nX-A: 1\n\n'), 'bad-request')
  assert.equal(refusal('HTTP/1.1 200 OK\r\nX-A: 1\n\r\n'), 'bad-request')
})

test('a head is incomplete at every offset before its end, whatever follows', () => {
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A:\t1 \r\n\r\n')
  const head = new ResponseHead(defaultHeadLimits)
  for (let end = 0; end < bytes.length; end++) {
    assert.equal(head.parse(bytes, 0, end), INCOMPLETE, `at ${end}`)
    for (const garbage of ['\r', '\n', '1', '\0'])
      assert.equal(head.parse(Buffer.concat([bytes.subarray(0, end), Buffer.alloc(100, garbage)]), 0, end), INCOMPLETE)
  }
  assert.equal(head.parse(bytes, 0, bytes.length), bytes.length)
})

test('an invalid start of a status line is rejected early', () => {
  assert.equal(refusal('SSH-2.0'), 'bad-request')
  assert.equal(refusal('HTTP/2'), 'bad-request')
  assert.equal(refusal('HTTP/1'), INCOMPLETE)
})

test('a head over its limits is rejected, complete or not', () => {
  const limits = { head: 60, target: 10, headers: 2 }
  assert.equal(refusal(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(34)}\r\n\r\n`, limits), 60)
  assert.equal(refusal(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(35)}\r\n\r\n`, limits), 'headers-too-large')
  assert.equal(refusal(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(40)}`, limits), 'headers-too-large')
  assert.equal(refusal('HTTP/1.1 200 OK\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n', limits), 'headers-too-large')
})

test('content is chunked, has a length, or is close-delimited', () => {
  assert.equal(parse('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n').contentLength, CHUNKED)
  assert.equal(parse('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n').contentLength, 7)
  assert.equal(parse('HTTP/1.1 200 OK\r\n\r\n').contentLength, UNTIL_CLOSE)
  assert.equal(parse('HTTP/1.0 200 OK\r\n\r\n').contentLength, UNTIL_CLOSE)
})

test('ambiguous framing is rejected', () => {
  for (const fields of [
    'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n',
    'Content-Length: 1\r\nContent-Length: 1\r\n',
    'Content-Length: x\r\n',
    'Transfer-Encoding: identity\r\n',
  ])
    assert.equal(refusal(`HTTP/1.1 200 OK\r\n${fields}\r\n`), 'bad-request')
  assert.equal(refusal('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), 'bad-request')
  assert.equal(refusal('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'), 'not-implemented')
})

test('persistence follows the version and Connection', () => {
  const closes = (version: string, fields = '') => parse(`HTTP/${version} 200 OK\r\n${fields}\r\n`).close
  assert.equal(closes('1.1'), false)
  assert.equal(closes('1.1', 'Connection: close\r\n'), true)
  assert.equal(closes('1.1', 'Connection: x\r\nConnection: Close\r\n'), true)
  assert.equal(closes('1.0'), true)
  assert.equal(closes('1.0', 'Connection: keep-alive\r\n'), false)
})

test('a Keep-Alive timeout is shortened by a second', () => {
  const hint = (value: string) => parse(`HTTP/1.1 200 OK\r\nKeep-Alive: ${value}\r\n\r\n`).keepAliveTimeout
  assert.equal(hint('timeout=5'), 4000)
  assert.equal(hint('max=100, Timeout=60'), 59_000)
  assert.equal(hint('timeout=0'), 0)
  assert.equal(hint('max=5'), Number.POSITIVE_INFINITY)
  assert.equal(hint('xtimeout=5'), Number.POSITIVE_INFINITY)
  assert.equal(parse('HTTP/1.1 200 OK\r\n\r\n').keepAliveTimeout, Number.POSITIVE_INFINITY)
})

test('end-to-end headers get a Date, without those that Connection names', () => {
  const head = parse('HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: 2\r\nConnection: x-a\r\nUpgrade: h2c\r\n\r\n')
  assert.equal(head.endToEnd(false, 'Date: now\r\n').toWire(), 'X-B: 2\r\nDate: now\r\n')
  const dated = parse('HTTP/1.1 200 OK\r\nDate: then\r\n\r\n')
  assert.equal(dated.endToEnd(false, 'Date: now\r\n').toWire(), 'Date: then\r\n')
  const nominated = parse('HTTP/1.1 200 OK\r\nDate: then\r\nConnection: date\r\n\r\n').endToEnd(false, 'Date: now\r\n')
  assert.equal(nominated.dated, false)
})

test('the length of a reply without content is kept, except for 204', () => {
  const length = (status: number) =>
    parse(`HTTP/1.1 ${status} x\r\nContent-Length: 5\r\n\r\n`).endToEnd(true, '').get('Content-Length')
  assert.equal(length(200), '5')
  assert.equal(length(304), '5')
  assert.equal(length(204), undefined)
})

test('no state is left for the next head', () => {
  const head = new ResponseHead(defaultHeadLimits)
  const first = Buffer.from(
    'HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: x-a\r\nKeep-Alive: timeout=9\r\nDate: x\r\n\r\n',
  )
  const second = Buffer.from('HTTP/1.1 404 Not Found\r\n\r\n')
  head.parse(first, 0, first.length)
  head.parse(second, 0, second.length)
  const fresh = new ResponseHead(defaultHeadLimits)
  fresh.parse(second, 0, second.length)
  assert.deepEqual(plainState(head), plainState(fresh))
})
