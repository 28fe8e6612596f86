import { cases, forwarded, forwardedBody, get, plain, request, type RequestCase, shown } from './request-case.ts'

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const CHUNKED = '5\r\nhello\r\n0\r\n\r\n'
const hello = forwardedBody('POST /', 'hello')

const post = (fields: string[], body: string): string => request('POST /', fields, body)

/** Lengths that are invalid for every parser, or for some. */
const BAD_LENGTHS = [
  '',
  '+5',
  '-1',
  '-0',
  '5,5',
  '5, 5',
  '5,',
  ',5',
  '5 5',
  '5;',
  '0x5',
  '0b101',
  '1e3',
  '5.0',
  '5_0',
  'five',
  '"5"',
  '5\xa0',
  '\xb2',
  '\xd9\xa5',
  '5\x00',
  '\x0b5',
  '5\x0c',
  '0000000000000005',
  '18446744073709551621',
  '99999999999999999999999999',
  'NaN',
  'Infinity',
]

/** Codings that mean chunked to no parser, or to some. */
const BAD_CODINGS = [
  '',
  'identity',
  'gzip',
  'chunked, identity',
  'identity, chunked',
  'chunked, chunked',
  'chunked,',
  ',chunked',
  'chunked, gzip',
  'xchunked',
  'chunkedx',
  'chunk',
  '"chunked"',
  "'chunked'",
  'chunked;q=1',
  'chunked; foo',
  'chun ked',
  'chunked chunked',
  '\x0bchunked',
  'chunked\x0b',
  'chunked\x00',
  '\xa0chunked',
  'chunked\x85',
  'ch\xfcnked',
  'x-chunked',
  '*',
  'cow',
  'chunked\x0c',
]

/** No message has two lengths, by Content-Length and Transfer-Encoding. */
export const framingCases: RequestCase[] = [
  ...cases('RFC 9112 section 6.3, rule 3', [
    {
      name: 'Content-Length before Transfer-Encoding',
      send: post(['Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`),
      refused: 400,
    },
    {
      name: 'Transfer-Encoding before Content-Length',
      send: post(['Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${SMUGGLED}`),
      refused: 400,
    },
    {
      name: 'Content-Length: 0 with Transfer-Encoding',
      send: post(['Content-Length: 0', 'Transfer-Encoding: chunked'], CHUNKED),
      refused: 400,
    },
    {
      name: 'both, in mixed case and with other fields between',
      send: post(['CONTENT-length: 5', 'X: 1', 'transfer-ENCODING: cHuNkEd'], CHUNKED),
      refused: 400,
    },
    {
      name: 'Content-Length with an unknown Transfer-Encoding',
      send: post(['Content-Length: 5', 'Transfer-Encoding: cow'], 'hello'),
      refused: 400,
    },
    {
      name: 'Content-Length with an empty Transfer-Encoding',
      send: post(['Content-Length: 5', 'Transfer-Encoding:'], 'hello'),
      refused: 400,
    },
    {
      name: 'GET with both',
      send: get('Content-Length: 5', 'Transfer-Encoding: chunked'),
      refused: 400,
    },
    {
      name: 'Content_Length with Transfer-Encoding is not forwarded',
      send: post(['Content_Length: 3', 'Transfer-Encoding: chunked'], CHUNKED),
      forwarded: [hello],
    },
    {
      name: 'Transfer_Encoding with Content-Length is not forwarded',
      send: post(['Transfer_Encoding: chunked', 'Content-Length: 5'], 'hello'),
      forwarded: [hello],
    },
    {
      name: 'Content_Length alone is not a length: bytes after the head are not a body',
      send: post(['Content_Length: 5'], 'hello\r\n'),
      forwarded: [forwardedBody('POST /', '')],
      refused: 400,
      inBody: true,
    },
  ]),
  ...cases('RFC 9110 section 8.6', [
    ...BAD_LENGTHS.map((length) => ({
      name: `Content-Length: ${shown(length)}`,
      send: post([`Content-Length: ${length}`], `hello${SMUGGLED}`),
      refused: 400,
    })),
    {
      name: 'Content-Length twice, the same',
      send: post(['Content-Length: 5', 'Content-Length: 5'], 'hello'),
      refused: 400,
    },
    {
      name: 'Content-Length twice, different',
      send: post(['Content-Length: 5', 'Content-Length: 6'], 'hello!'),
      refused: 400,
    },
    {
      name: 'Content-Length twice, once in another case',
      send: post(['Content-Length: 5', 'content-length: 0'], 'hello'),
      refused: 400,
    },
    {
      name: 'Content-Length over the limit, and 5 modulo 2^32',
      send: post(['Content-Length: 4294967301'], `hello${SMUGGLED}`),
      refused: 413,
    },
    {
      name: 'Content-Length of 15 digits',
      send: post(['Content-Length: 999999999999999'], `hello${SMUGGLED}`),
      refused: 413,
    },
    {
      name: 'Content-Length with leading zeros is normalized',
      send: post(['Content-Length: 005'], 'hello'),
      forwarded: [hello],
    },
    {
      name: 'Content-Length with whitespace around the value',
      send: post(['Content-Length: \t 5 \t'], 'hello'),
      forwarded: [hello],
    },
    {
      name: 'Content-Length without whitespace after the colon',
      send: post(['Content-Length:5'], 'hello'),
      forwarded: [hello],
    },
    {
      name: 'a second request within the body is part of it',
      send: post([`Content-Length: ${SMUGGLED.length}`], SMUGGLED),
      forwarded: [forwardedBody('POST /', SMUGGLED)],
    },
    {
      name: 'bytes after the body are the next request',
      send: post(['Content-Length: 5'], `hello${get()}`),
      forwarded: [hello, plain],
    },
    {
      name: 'bytes after the body that are not a request are rejected, and not added to the body',
      send: post(['Content-Length: 5'], 'hello, more'),
      forwarded: [hello],
      refused: 400,
      inBody: true,
    },
    {
      name: 'GET with a body that looks like a request',
      send: request('GET /', [`Content-Length: ${SMUGGLED.length}`], SMUGGLED),
      forwarded: [forwardedBody('GET /', SMUGGLED)],
    },
  ]),
  ...cases('RFC 9112 section 6.1', [
    ...BAD_CODINGS.map((coding) => ({
      name: `Transfer-Encoding: ${shown(coding)}`,
      send: post([`Transfer-Encoding: ${coding}`], CHUNKED),
      refused: 400,
    })),
    ...['gzip, chunked', 'deflate,chunked', 'x-gzip , chunked', 'gzip, deflate, Chunked'].map((coding) => ({
      name: `Transfer-Encoding: ${coding}, which is not supported`,
      send: post([`Transfer-Encoding: ${coding}`], CHUNKED),
      refused: 501,
    })),
    ...['chunked', 'Chunked', 'CHUNKED', '\t chunked \t'].map((coding) => ({
      name: `Transfer-Encoding: ${shown(coding)} is chunked`,
      send: post([`Transfer-Encoding: ${coding}`], CHUNKED),
      forwarded: [hello],
    })),
    {
      name: 'chunked twice in two lines',
      send: post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], CHUNKED),
      refused: 400,
    },
    {
      name: 'chunked and identity in two lines',
      send: post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], CHUNKED),
      refused: 400,
    },
    {
      name: 'an empty Transfer-Encoding before chunked',
      send: post(['Transfer-Encoding:', 'Transfer-Encoding: chunked'], CHUNKED),
      refused: 400,
    },
    {
      name: 'gzip and chunked in two lines',
      send: post(['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'], CHUNKED),
      refused: 501,
    },
    {
      name: 'chunked over HTTP/1.0',
      send: `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`,
      refused: 400,
    },
    {
      name: 'chunked over HTTP/1.0 with keep-alive',
      send: `POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`,
      refused: 400,
    },
    {
      name: 'TransferEncoding is a different field',
      send: post(['TransferEncoding: chunked', 'Content-Length: 5'], 'hello'),
      forwarded: [forwardedBody('POST /', 'hello', ['TransferEncoding: chunked'])],
    },
    {
      name: 'bytes after the last chunk are the next request',
      send: post(['Transfer-Encoding: chunked'], CHUNKED + get()),
      forwarded: [hello, plain],
    },
    {
      name: 'a second request within a chunk is part of the body',
      send: post(['Transfer-Encoding: chunked'], `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
      forwarded: [forwardedBody('POST /', SMUGGLED)],
    },
    {
      name: 'only the last chunk',
      send: post(['Transfer-Encoding: chunked'], '0\r\n\r\n'),
      forwarded: [forwardedBody('POST /', '')],
    },
    {
      name: 'HEAD with a chunked body',
      send: request('HEAD /', ['Transfer-Encoding: chunked'], CHUNKED),
      forwarded: [forwardedBody('HEAD /', 'hello')],
    },
    {
      name: 'Connection naming Transfer-Encoding does not remove the framing',
      send: post(['Connection: transfer-encoding', 'Transfer-Encoding: chunked'], CHUNKED),
      forwarded: [hello],
    },
    {
      name: 'Connection naming Content-Length does not remove the framing',
      send: post(['Connection: content-length', 'Content-Length: 5'], 'hello'),
      forwarded: [hello],
    },
    {
      name: 'trailer fields follow the last chunk',
      send: post(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'),
      forwarded: [
        forwarded('POST /', {
          last: ['Transfer-Encoding: chunked'],
          body: '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
        }),
      ],
    },
  ]),
]
