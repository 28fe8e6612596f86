import { cases, forwarded, forwardedBody, get, plain, request, type RequestCase, shown } from './request-case.ts'

const chunked = (body: string): string => request('POST /', ['Transfer-Encoding: chunked'], body)

const hello = forwardedBody('POST /', 'hello')
const withTrailers = (trailers: string): string =>
  forwarded('POST /', { last: ['Transfer-Encoding: chunked'], body: `5\r\nhello\r\n0\r\n${trailers}\r\n` })

/** Size lines that are invalid for every parser, or for some. */
const BAD_SIZES = [
  '',
  ' ',
  '-5',
  '+5',
  '0x5',
  '0X5',
  'x5',
  '5x',
  'g',
  '5g',
  '5.0',
  '5,',
  '5 5',
  ' 5',
  '\t5',
  '5 ',
  '5\t',
  '5 ;a',
  '5\x00',
  '\x005',
  '5\x0b',
  '\x0b5',
  '5\xa0',
  '\xb2',
  '"5"',
  '5h',
  '00000000000005',
  '10000000000000005',
  'FFFFFFFFFFFFFFFF',
  'FFFFFFFFFFFFFFFB',
  '100000000000000000000000000000000',
  '8000000000000005',
  '5\n',
  '5\r',
  ';a',
  '5;a\n',
  '5;a\x00',
  '5;a\x7f',
  '5;a=\x1b',
  '5;a="\n"',
  '5;\r',
]

/** The chunked coding has one spelling that every parser reads alike. */
export const chunkCases: RequestCase[] = [
  ...cases('RFC 9112 section 7.1', [
    ...BAD_SIZES.map((size) => ({
      name: `chunk size ${shown(size)}`,
      send: chunked(`${size}\r\nhello\r\n0\r\n\r\n`),
      refused: 400,
      inBody: true,
    })),
    ...BAD_SIZES.filter((size) => size.startsWith('5')).map((size) => ({
      name: `last chunk size ${shown(size.replace('5', '0'))}`,
      send: chunked(`5\r\nhello\r\n${size.replace('5', '0')}\r\n\r\n`),
      refused: 400,
      inBody: true,
    })),
    ...['5\nhello\r\n0\r\n\r\n', '5\rhello\r\n0\r\n\r\n', '5hello\r\n0\r\n\r\n'].map((body) => ({
      name: `a size line without CR LF: ${shown(body)}`,
      send: chunked(body),
      refused: 400,
      inBody: true,
    })),
    ...['hello0\r\n\r\n', 'hello\n0\r\n\r\n', 'hello\r0\r\n\r\n', 'hello\n\r0\r\n\r\n', 'hello\r\r\n0\r\n\r\n'].map(
      (rest) => ({
        name: `chunk data without CR LF: ${shown(rest)}`,
        send: chunked(`5\r\n${rest}`),
        refused: 400,
        inBody: true,
      }),
    ),
    {
      name: 'chunk data longer than its size',
      send: chunked('5\r\nhello, more\r\n0\r\n\r\n'),
      refused: 400,
      inBody: true,
    },
    {
      name: 'chunk data shorter than its size',
      send: chunked('8\r\nhello\r\n0\r\n\r\n'),
      refused: 400,
      inBody: true,
    },
    {
      name: 'a body over the limit in the size of a single chunk',
      send: chunked(`5000\r\n${'x'.repeat(0x5000)}\r\n0\r\n\r\n`),
      refused: 413,
      inBody: true,
    },
    {
      name: 'sizes in upper and lower case and with leading zeros',
      send: chunked(`A\r\n0123456789\r\n0a\r\n0123456789\r\n000000000000F\r\n012345678901234\r\n0000\r\n\r\n`),
      forwarded: [forwardedBody('POST /', '01234567890123456789012345678901234')],
    },
    {
      name: 'chunk data that looks like the last chunk',
      send: chunked('c\r\n0\r\n\r\n0\r\n\r\nAB\r\n0\r\n\r\n'),
      forwarded: [forwardedBody('POST /', '0\r\n\r\n0\r\n\r\nAB')],
    },
    {
      name: 'many tiny chunks',
      send: chunked(`${'1\r\nx\r\n'.repeat(2000)}0\r\n\r\n`),
      forwarded: [forwardedBody('POST /', 'x'.repeat(2000))],
    },
  ]),
  ...cases('RFC 9112 section 7.1.1', [
    ...[';a', ';a=b', ';a="b c"', ';a;b=c', ';5', ';a="\\""'].map((extension) => ({
      name: `the chunk extension ${shown(extension)} is dropped`,
      send: chunked(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`),
      forwarded: [hello],
    })),
    ...[';', ';;a', ';=', ';=b', ';a=', '; a', ';a =b', ';a= b', ';\xff', ';a="b', ';a=b"', ';a="b"c', ";a='b c'"].map(
      (extension) => ({
        name: `the chunk extension ${shown(extension)}`,
        send: chunked(`5${extension}\r\nhello\r\n0\r\n\r\n`),
        refused: 400,
        inBody: true,
      }),
    ),
    {
      name: 'a chunk extension of 20 kB',
      send: chunked(`5;a=${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`),
      refused: 400,
      inBody: true,
    },
    {
      name: 'chunk extensions of 20 kB in total',
      send: chunked(`${`1;${'x'.repeat(20)}\r\ny\r\n`.repeat(1000)}0\r\n\r\n`),
      refused: 400,
      inBody: true,
    },
  ]),
  ...cases('RFC 9112 section 7.1.2', [
    ...['X : 1', ': 1', ' X: 1', 'X', 'X: \x00', 'X: 1\n', 'X: 1\rY: 2', 'X: 1\r\n folded', 'X\xff: 1', 'X Y: 1'].map(
      (line) => ({
        name: `the trailer line ${shown(line)}`,
        send: chunked(`5\r\nhello\r\n0\r\n${line}\r\n\r\n`),
        refused: 400,
        inBody: true,
      }),
    ),
    {
      name: 'the last chunk ends with a bare LF',
      send: chunked('5\r\nhello\r\n0\n\n'),
      refused: 400,
      inBody: true,
    },
    {
      name: 'the trailer section ends with a bare LF',
      send: chunked('5\r\nhello\r\n0\r\n\n'),
      refused: 400,
      inBody: true,
    },
    {
      name: 'a trailer section of 20 kB',
      send: chunked(`5\r\nhello\r\n0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
      refused: 400,
      inBody: true,
    },
    {
      name: '101 trailer fields',
      send: chunked(`5\r\nhello\r\n0\r\n${'X: 1\r\n'.repeat(101)}\r\n`),
      refused: 431,
      inBody: true,
    },
    {
      name: 'the next request follows the trailer section',
      send: chunked(`5\r\nhello\r\n0\r\nX: 1\r\n\r\n${get()}`),
      forwarded: [withTrailers('X: 1\r\n'), plain],
    },
  ]),
  ...cases(
    'RFC 9110 section 6.5.1',
    [
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      'Host: b',
      'Authorization: x',
      'Cookie: a=b',
      'X-User-ID: 1',
      'x_user_roles: admin',
      'X-Forwarded-For: 10.0.0.1',
      'Content-Type: text/html',
      'Content_Length: 3',
      'Connection: close',
      'Trailer: X',
      'Set-Cookie: a=b',
      'Max-Forwards: 0',
      'TE: trailers',
      'Expect: 100-continue',
    ].map((line) => ({
      name: `the trailer field ${line} is dropped`,
      send: chunked(`5\r\nhello\r\n0\r\n${line}\r\nX: 1\r\n\r\n`),
      forwarded: [withTrailers('X: 1\r\n')],
    })),
  ),
]
