import assert from 'node:assert/strict'
import * as h2 from '../support/http2-frames.ts'
import { type ConformanceCase, ECHO, HELD, OWN } from './conformance-case.ts'

const { Code, Type, frame, headers, request, data, get, post } = h2

/** A malformed request: it gets an error, and its stream is reset. */
function malformed(rfc: string, name: string, fields: h2.Fields): ConformanceCase {
  return {
    rfc,
    name,
    send: [headers(1, fields, true), get(3)],
    resets: { 1: Code.protocol },
    replies: { 1: 400, 3: 200 },
  }
}

/** Only if its content arrives in one read with its head: otherwise the request has already begun, and its stream is just reset. */
const isRefused: ConformanceCase['check'] = (peer) => assert.equal(peer.stream(1).status, 400, peer.summary())

function accepted(rfc: string, name: string, fields: h2.Fields): ConformanceCase {
  return { rfc, name, send: [headers(1, fields, true)], replies: { 1: 200 } }
}

const GET = request('GET', OWN)
const without = (gone: string): h2.Fields => GET.filter(([name]) => name !== gone)
const withValue = (changed: string, value: string): h2.Fields =>
  GET.map(([name, before]) => [name, name === changed ? value : before])

/** RFC 9113 section 8: the contents of messages. */
export const messageCases: readonly ConformanceCase[] = [
  // 8.1 HTTP message framing
  {
    rfc: 'RFC 9113 8.1',
    name: 'HEAD',
    send: [headers(1, request('HEAD', OWN), true)],
    replies: { 1: 200 },
    check: (peer) => assert.equal(peer.bytes, 0),
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'POST with trailers',
    send: [post(1, ECHO), data(1, 'abc'), headers(1, [['x-trailer', 'y']], true)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'POST with empty trailers',
    send: [post(1, ECHO), data(1, 'abc'), headers(1, [], true)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'trailers that do not end the stream',
    send: [post(1, HELD), headers(1, [['x-trailer', 'y']]), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'a second head',
    send: [post(1, HELD), post(1, HELD), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'trailers with a pseudo-header field',
    send: [post(1, HELD), data(1, 'a'), headers(1, [[':method', 'GET']], true), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'trailers with a connection-specific field',
    send: [post(1, HELD), data(1, 'a'), headers(1, [['connection', 'x']], true), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'trailers with upper case in a name',
    send: [post(1, HELD), data(1, 'a'), headers(1, [['X-Up', 'x']], true), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'less content than announced, as a whole with the head',
    send: [Buffer.concat([post(1, HELD, [['content-length', '4']]), data(1, 'abc', true), get(3)])],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
    check: isRefused,
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'more content than announced, as a whole with the head',
    send: [Buffer.concat([post(1, HELD, [['content-length', '2']]), data(1, 'abc', true), get(3)])],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
    check: isRefused,
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'content in several frames that differs from the announced length',
    send: [
      post(1, HELD, [['content-length', '7']]),
      h2.windowUpdate(1, 1),
      data(1, 'abc'),
      data(1, 'def', true),
      get(3),
    ],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'more content than announced, before its end',
    send: [post(1, ECHO, [['content-length', '4']]), data(1, 'abc'), h2.windowUpdate(1, 1), data(1, 'def'), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'more content than announced, as a whole with the head and before its end',
    send: [Buffer.concat([post(1, ECHO, [['content-length', '4']]), data(1, 'abc'), data(1, 'def'), get(3)])],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'content that differs from the announced length, with trailers',
    send: [post(1, HELD, [['content-length', '7']]), data(1, 'abc'), headers(1, [['x', 'y']], true), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'announced content that never comes',
    send: [headers(1, request('POST', HELD, [['content-length', '1']]), true), get(3)],
    resets: { 1: Code.protocol },
    replies: { 1: 400, 3: 200 },
  },
  {
    rfc: 'RFC 9113 8.1.1',
    name: 'content as announced',
    send: [post(1, ECHO, [['content-length', '6']]), data(1, 'abc'), data(1, 'def', true)],
    replies: { 1: 200 },
  },
  malformed('RFC 9110 8.6', 'an invalid length', request('POST', OWN, [['content-length', '+0']])),
  malformed(
    'RFC 9110 8.6',
    'two lengths',
    request('POST', OWN, [
      ['content-length', '0'],
      ['content-length', '1'],
    ]),
  ),

  // 8.2 HTTP fields
  malformed('RFC 9113 8.2', 'upper case in a name', [...GET, ['X-Upper', 'x']]),
  malformed('RFC 9113 8.2.1', 'a name with a space', [...GET, ['x y', 'x']]),
  malformed('RFC 9113 8.2.1', 'a name with a colon', [...GET, ['x:y', 'x']]),
  malformed('RFC 9113 8.2.1', 'a name with a control character', [...GET, ['x\u0001', 'x']]),
  malformed('RFC 9113 8.2.1', 'a name with a non-ASCII byte', [...GET, ['x\xe4', 'x']]),
  malformed('RFC 9113 8.2.1', 'an empty name', [...GET, ['', 'x']]),
  malformed('RFC 9113 8.2.1', 'a value with NUL', [...GET, ['x-a', 'a\0b']]),
  malformed('RFC 9113 8.2.1', 'a value with LF', [...GET, ['x-a', 'a\nb']]),
  malformed('RFC 9113 8.2.1', 'a value with CR LF and another field', [...GET, ['x-a', 'a\r\nx-admin: 1']]),
  malformed('RFC 9113 8.2.1', 'a value with CR', [...GET, ['x-a', 'a\rb']]),
  malformed('RFC 9113 8.2.1', 'a value that starts with a space', [...GET, ['x-a', ' a']]),
  malformed('RFC 9113 8.2.1', 'a value that ends with a tab', [...GET, ['x-a', 'a\t']]),
  malformed('RFC 9113 8.2.1', 'a path with CR LF', withValue(':path', '/ HTTP/1.1\r\nx: y')),
  accepted('RFC 9113 8.2.1', 'an empty value', [...GET, ['x-a', '']]),
  accepted('RFC 9113 8.2.1', 'a value with non-ASCII bytes', [...GET, ['x-a', '\xe4\xff']]),
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'].map((name) =>
    malformed('RFC 9113 8.2.2', `the field ${name}`, [...GET, [name, name === 'transfer-encoding' ? 'chunked' : 'x']]),
  ),
  malformed('RFC 9113 8.2.2', 'TE other than trailers', [...GET, ['te', 'trailers, deflate;q=0.5']]),
  accepted('RFC 9113 8.2.2', 'TE of trailers', [...GET, ['te', 'trailers']]),

  // 8.3 HTTP control data
  malformed('RFC 9113 8.3', 'an unknown pseudo-header field', [...GET, [':test', 'x']]),
  malformed('RFC 9113 8.3', 'a pseudo-header field for responses', [...GET, [':status', '200']]),
  malformed('RFC 9113 8.3', 'a pseudo-header field after a regular field', [['x-a', 'b'], ...GET]),
  malformed('RFC 9113 8.3', 'the last pseudo-header field after a regular field', [
    ...without(':path'),
    ['x-a', 'b'],
    [':path', OWN],
  ]),
  ...[':method', ':scheme', ':path', ':authority'].map((name) =>
    malformed('RFC 9113 8.3', `${name} twice`, [...GET, [name, GET.find(([known]) => known === name)![1]]]),
  ),
  ...[':method', ':scheme', ':path', ':authority'].map((name) =>
    malformed('RFC 9113 8.3', `${name} twice, the first time empty`, [[name, ''], ...GET]),
  ),
  ...[':method', ':scheme', ':path'].map((name) => malformed('RFC 9113 8.3.1', `no ${name}`, without(name))),
  malformed('RFC 9113 8.3.1', 'an empty :path', withValue(':path', '')),
  malformed('RFC 9113 8.3.1', 'an empty :method', withValue(':method', '')),
  malformed('RFC 9113 8.3.1', 'an empty :scheme', withValue(':scheme', '')),
  malformed('RFC 9113 8.3.1', 'a :path that does not start with a slash', withValue(':path', 'index.html')),
  malformed('RFC 9113 8.3.1', 'a :path that is a URI', withValue(':path', 'http://a.example/')),
  malformed('RFC 9113 8.3.1', 'a :path of an asterisk with a method other than OPTIONS', withValue(':path', '*')),
  malformed('RFC 9113 8.3.1', 'a :path with a fragment', withValue(':path', '/#a')),
  malformed('RFC 9113 8.3.1', 'a :path with a space', withValue(':path', '/a b')),
  malformed('RFC 9113 8.3.1', 'a method with a space', withValue(':method', 'GET /x')),
  malformed('RFC 9113 8.3.1', 'an :authority with user information', withValue(':authority', 'user@a.example')),
  malformed('RFC 9113 8.3.1', 'a Host that contradicts :authority', [...GET, ['host', 'b.example']]),
  malformed('RFC 9113 8.3.1', 'neither :authority nor Host', without(':authority')),
  malformed('RFC 9113 8.3.1', 'two Host fields', [
    ...without(':authority'),
    ['host', 'a.example'],
    ['host', 'a.example'],
  ]),
  accepted('RFC 9113 8.3.1', 'Host instead of :authority', [...without(':authority'), ['host', 'a.example']]),
  accepted('RFC 9113 8.3.1', 'a Host equal to :authority', [...GET, ['host', 'A.example']]),
  accepted('RFC 9113 8.3.1', 'pseudo-header fields in any order', GET.toReversed()),
  malformed('RFC 8441 4', ':protocol with a method other than CONNECT', [[':protocol', 'websocket'], ...GET]),

  // 8.5 CONNECT
  {
    rfc: 'RFC 9113 8.5',
    name: 'CONNECT is not supported',
    send: [
      headers(
        1,
        [
          [':method', 'CONNECT'],
          [':authority', 'a.example:443'],
        ],
        true,
      ),
      get(3),
    ],
    replies: { 1: 501, 3: 200 },
  },

  // 8.8 Examples
  {
    rfc: 'RFC 9113 8.2.3',
    name: 'a cookie split over several fields is joined',
    send: [
      headers(
        1,
        request('GET', '/cookie', [
          ['cookie', 'a=b'],
          ['x', 'y'],
          ['cookie', 'c=d'],
          ['cookie', 'e=f'],
        ]),
        true,
      ),
    ],
    replies: { 1: 200 },
    check: (peer) => assert.equal(peer.stream(1).body.toString(), 'a=b; c=d; e=f'),
  },
  {
    rfc: 'RFC 9113 8.1',
    name: 'a reply before the request is complete ends the stream without an error',
    send: [post(1, OWN), data(1, 'the beginning'), get(3)],
    resets: { 1: Code.none },
    replies: { 1: 200, 3: 200 },
  },
  {
    rfc: 'RFC 9110 9.3.7',
    name: 'OPTIONS with an asterisk',
    send: [headers(1, request('OPTIONS', '*'), true), get(3)],
    replies: { 3: 200 },
    check: async (peer) => assert.ok((await peer.over(1)).status >= 200),
  },
  {
    rfc: 'RFC 9113 10.5.1',
    name: 'a head that is too large',
    send: [h2.inFrames(1, h2.encode(request('GET', OWN, [['x-large', 'x'.repeat(16_340)]])), 2), get(3)],
    replies: { 1: 431, 3: 200 },
  },
  {
    rfc: 'RFC 9113 10.5.1',
    name: 'too many fields',
    send: [
      get(
        1,
        OWN,
        Array.from({ length: 101 }, (_, i) => [`x-${i}`, 'y'] as const),
      ),
      get(3),
    ],
    replies: { 1: 431, 3: 200 },
  },
  {
    rfc: 'RFC 9113 10.5.1',
    name: 'a target that is too long',
    send: [get(1, `/${'x'.repeat(8_192)}`), get(3)],
    replies: { 1: 414, 3: 200 },
  },
  {
    rfc: 'RFC 9113 6.2',
    name: 'a head that is rejected before its content has arrived',
    send: [post(1, `/${'x'.repeat(8_192)}`), data(1, 'abc'), frame(Type.data, 1, 1, 'x'), get(3)],
    resets: { 1: Code.none },
    replies: { 1: 414, 3: 200 },
  },
]
