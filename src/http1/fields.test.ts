import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { requestFieldNames, responseFieldNames, trailerFieldNames } from '../http/field-names.ts'
import type { ReceivedFields } from '../http/received-fields.ts'
import { FieldSection, INCOMPLETE } from './fields.ts'

function parse(text: string, names = requestFieldNames): ReceivedFields {
  const section = new FieldSection(names, 100)
  const bytes = Buffer.from(`${text}\r\nrest`, 'latin1')
  assert.equal(section.parse(bytes, 0, bytes.length), text.length + 2)
  return section.fields
}

function refusal(text: string): unknown {
  const bytes = Buffer.from(`${text}\r\n`, 'latin1')
  return codeOf(() => new FieldSection(requestFieldNames, 100).parse(bytes, 0, bytes.length))
}

/** What the error says. */
function problem(text: string): string {
  const bytes = Buffer.from(`${text}\r\n`, 'latin1')
  try {
    new FieldSection(requestFieldNames, 100).parse(bytes, 0, bytes.length)
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
  return ''
}

const every = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))

test('an empty section has no headers', () => {
  assert.equal(parse('').raw, '')
})

test('normal lines are passed on unchanged, with order and case', () => {
  const lines = 'Accept: */*\r\nX-b: 2\r\nx-B: 3\r\nAccept: text/html\r\nX-Colon: a:b: c\r\n'
  assert.equal(parse(lines).raw, lines)
})

test('whitespace around a value is removed, and kept inside', () => {
  assert.equal(
    parse('A:1\r\nB:  2\r\nC:\t3\t \r\nD: 4 \t 4\r\nE:\r\nF: \r\nG:  \t\r\n').raw,
    'A: 1\r\nB: 2\r\nC: 3\r\nD: 4 \t 4\r\nE: \r\nF: \r\nG: \r\n',
  )
})

test('a header name is a token', () => {
  const allowed = every.filter((byte) => typeof refusal(`A${byte}B: 1\r\n`) === 'number')
  assert.deepEqual(
    allowed.join(''),
    // A colon ends the name.
    "!#$%&'*+-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~",
  )
})

test('a header value may contain everything except controls, and bytes above 127 are kept', () => {
  const allowed = every.filter((byte) => typeof refusal(`A: x${byte}y\r\n`) === 'number')
  assert.deepEqual(
    allowed,
    every.filter((byte) => byte === '\t' || (byte >= ' ' && byte !== '\x7f')),
  )
  const obsText = `A: ${every.slice(128).join('')}\r\nB:\xa0x\xa0\r\n`
  assert.equal(parse(obsText).raw, obsText.replace('B:', 'B: '))
})

test('an invalid section is rejected with the reason', () => {
  assert.match(problem(' A: 1\r\n'), /folded/)
  assert.match(problem('A: 1\r\n b\r\n'), /folded/)
  assert.match(problem('A: 1\r\n\tb: 2\r\n'), /folded/)
  assert.match(problem('A : 1\r\n'), /whitespace before the colon/)
  assert.match(problem('A\t: 1\r\n'), /whitespace before the colon/)
  assert.match(problem(': 1\r\n'), /no name/)
  assert.match(problem('A\r\n'), /name has a character/)
  assert.match(problem('\n'), /name has a character/)
  assert.match(problem('A: 1\n'), /LF alone/)
  assert.match(problem('A: 1\rB: 2\r\n'), /CR in the head/)
  assert.match(problem('A: 1\r\r\n'), /CR in the head/)
  assert.match(problem('\rA: 1\r\n'), /CR in the head/)
  assert.match(problem('A: \0\r\n'), /control character/)
  assert.match(problem('A: \x7f\r\n'), /control character/)
  assert.match(problem('A: 1\x0b\r\n'), /control character/)
})

test('a control at the end of the input is rejected at once', () => {
  const bytes = Buffer.from('A: 1\0')
  assert.equal(
    codeOf(() => new FieldSection(requestFieldNames, 100).parse(bytes, 0, bytes.length)),
    'bad-request',
  )
})

test('a section is incomplete at every offset before its end', () => {
  const bytes = Buffer.from('Host: a\r\nX-A:\t b \r\nEmpty:\r\n\r\n')
  const section = new FieldSection(requestFieldNames, 100)
  for (let end = 0; end < bytes.length; end++) assert.equal(section.parse(bytes, 0, end), INCOMPLETE, `at ${end}`)
  assert.equal(section.parse(bytes, 0, bytes.length), bytes.length)
})

test('headers of the wire are extracted, and repeated lines become a list', () => {
  const section = parse(
    'HOST:a\r\nA: 1\r\nconnection: x\r\nConnection: y\r\nContent-Length: 1\r\nContent-Length: 2\r\nB: 2\r\n' +
      'Transfer-Encoding: chunked\r\nTE: trailers\r\nTE: x\r\nUpgrade: w\r\nUpgrade: v\r\nExpect: 100-continue\r\n' +
      'X-Forwarded-For: p\r\nx-forwarded-for: q\r\nX-Forwarded-Proto: https\r\n' +
      'X-Forwarded-Host: h\r\nForwarded: for=r\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n' +
      'X-User-Id: 7\r\nX-User-Roles: admin\r\nC: 3\r\n',
  )
  assert.equal(section.raw, 'A: 1\r\nB: 2\r\nC: 3\r\n')
  assert.equal(section.host, 'a')
  assert.equal(section.hostLines, 1)
  assert.equal(section.connection, 'x, y')
  assert.equal(section.contentLength, '1, 2')
  assert.equal(section.transferEncoding, 'chunked')
  assert.equal(section.te, 'trailers, x')
  assert.equal(section.upgrade, 'w, v')
  assert.equal(section.expect, '100-continue')
  assert.equal(section.forwardedFor, 'p, q')
  assert.equal(section.forwardedProto, 'https')
  assert.equal(section.forwardedHost, 'h')
  assert.equal(section.forwarded, 'for=r')
})

test('claims that only trusted proxies may make are kept apart', () => {
  const section = parse('X-Real-IP:1.2.3.4\r\nA: 1\r\nX-Original-URL: /admin\r\n')
  assert.equal(section.raw, 'A: 1\r\n')
  assert.equal(section.claims, 'X-Real-IP: 1.2.3.4\r\nX-Original-URL: /admin\r\n')
})

test('headers that frameworks read as client address or scheme are such claims', () => {
  const lines =
    'Client-IP: 1.2.3.4\r\nCF-Connecting-IP: 1.2.3.4\r\nX-Forwarded-Protocol: https\r\nFront-End-Https: on\r\n' +
    'X-Original-For: 1.2.3.4\r\nX-Original-Proto: https\r\nX-Url-Scheme: https\r\n'
  const section = parse(lines)
  assert.equal(section.raw, '')
  assert.equal(section.claims, lines)
})

test('names that resemble Content-Type or Content-Encoding are dropped', () => {
  const lines = 'Content-Type: application/json\r\nContent-Encoding: gzip\r\n'
  assert.equal(parse(`${lines}Content_Type: text/xml\r\ncontent_encoding: br\r\n`).raw, lines)
})

test('variants of known names are dropped and reported, and unknown ones passed on', () => {
  const section = parse('Transfer_Encoding: chunked\r\nx_forwarded-for: a\r\nX.REAL~IP: b\r\nX_A: 1\r\n')
  assert.equal(section.raw, 'X_A: 1\r\n')
  assert.equal(section.oddNames, true)
  assert.deepEqual(
    section.dropped,
    ['Transfer_Encoding', 'x_forwarded-for', 'X.REAL~IP'].map((name) => ({ reason: 'folded', name })),
  )
  assert.equal(section.transferEncoding, null)
  assert.equal(section.forwardedFor, null)
  assert.equal(section.claims, '')
})

test('names that only resemble known ones are passed on', () => {
  const lines = 'Hos: 1\r\nHostt: 2\r\nContent-Lengt: 3\r\nContentLength: 4\r\nContent--Length: 5\r\nTE1: 6\r\n'
  assert.equal(parse(lines).raw, lines)
})

test('in a response, Date is noted and passed on, and Keep-Alive parsed', () => {
  const section = parse('date:x\r\nKeep-Alive: timeout=5\r\nHost: a\r\nX-User-Id: 7\r\n', responseFieldNames)
  assert.equal(section.raw, 'date: x\r\nHost: a\r\nX-User-Id: 7\r\n')
  assert.equal(section.hasDate, true)
  assert.equal(section.keepAlive, 'timeout=5')
})

test('trailers that affect framing, routing, authentication or content are dropped', () => {
  const forbidden =
    'Content-Length: 1\r\nTransfer-Encoding: chunked\r\nHost: a\r\nAuthorization: x\r\nSet-Cookie: a=b\r\nCookie: a\r\n' +
    'Content-Type: x\r\nContent-Encoding: gzip\r\nCache-Control: no-store\r\nTrailer: x\r\nX-User-Id: 1\r\n' +
    'X-Forwarded-For: 1\r\nDate: x\r\nConnection: close\r\nLocation: /\r\nX-Real-Ip: 1\r\nContent_Length: 1\r\n'
  const section = parse(`${forbidden}X-Checksum: 1\r\n`, trailerFieldNames)
  assert.equal(section.raw, 'X-Checksum: 1\r\n')
  assert.equal(section.claims, '')
})
