import { cases, forwarded, get, plain, request, type RequestCase, shown } from './request-case.ts'

/** NUL and every other control character but HTAB. */
const CONTROLS = [...Array(32).keys(), 127].filter((octet) => octet !== 9).map((octet) => String.fromCharCode(octet))

const name = (octet: string): string => `0x${octet.charCodeAt(0).toString(16).padStart(2, '0')}`

/** Request lines and field sections have one reading, or none. */
export const headCases: RequestCase[] = [
  ...cases('RFC 9110 section 5.5', [
    ...CONTROLS.flatMap((octet) => [
      { name: `${name(octet)} in a value`, send: get(`X: a${octet}b`), refused: 400 },
      { name: `${name(octet)} before a value`, send: get(`X: ${octet}b`), refused: 400 },
      { name: `${name(octet)} after a value`, send: get(`X: a${octet}`), refused: 400 },
    ]),
    { name: 'non-ASCII octets in a value', send: get('X: \x80\xff\xe9'), forwarded: [forwarded('GET /', { fields: ['X: \x80\xff\xe9'] })] },
    { name: 'a tab in a value', send: get('X: a\tb'), forwarded: [forwarded('GET /', { fields: ['X: a\tb'] })] },
    { name: 'whitespace around a value', send: get('X:\t a \t'), forwarded: [forwarded('GET /', { fields: ['X: a'] })] },
    { name: 'an empty value', send: get('X:'), forwarded: [forwarded('GET /', { fields: ['X: '] })] },
    { name: 'a value of whitespace', send: get('X: \t '), forwarded: [forwarded('GET /', { fields: ['X: '] })] },
  ]),
  ...cases('RFC 9112 section 5', [
    ...CONTROLS.flatMap((octet) => [
      { name: `${name(octet)} in a name`, send: get(`X${octet}Y: 1`), refused: 400 },
      { name: `${name(octet)} before a name`, send: get(`${octet}X: 1`), refused: 400 },
      { name: `${name(octet)} after a name`, send: get(`X${octet}: 1`), refused: 400 },
    ]),
    ...['é', '\xff', '\x80', '(', ')', '<', '>', '@', ',', ';', '\\', '"', '/', '[', ']', '?', '=', '{', '}', ' ', '\t'].map((octet) => ({
      name: `${shown(octet)} in a name`,
      send: get(`X${octet}Y: 1`),
      refused: 400,
    })),
    { name: 'an empty name', send: get(': 1'), refused: 400 },
    { name: 'an empty name before whitespace', send: get(' : 1'), refused: 400 },
    { name: 'a line without a colon', send: get('X'), refused: 400 },
    { name: 'a line without a colon among others', send: get('X: 1', 'nothing', 'Y: 2'), refused: 400 },
    { name: 'a colon in a value', send: get('X: :1:'), forwarded: [forwarded('GET /', { fields: ['X: :1:'] })] },
    { name: 'a request line among the fields', send: get('GET /smuggled HTTP/1.1'), refused: 400 },
    {
      name: 'the same field twice, in order and with case kept',
      send: get('x-a: 1', 'X-A: 2'),
      forwarded: [forwarded('GET /', { fields: ['x-a: 1', 'X-A: 2'] })],
    },
  ]),
  ...cases('RFC 9112 section 5.1', [
    ...['X', 'Content-Length', 'Transfer-Encoding', 'Host'].flatMap((field) => [
      { name: `a space before the colon of ${field}`, send: get(`${field} : 0`), refused: 400 },
      { name: `a tab before the colon of ${field}`, send: get(`${field}\t: 0`), refused: 400 },
    ]),
  ]),
  ...cases('RFC 9112 section 5.2', [
    { name: 'a value folded with a space', send: get('X: a\r\n b'), refused: 400 },
    { name: 'a value folded with a tab', send: get('X: a\r\n\tb'), refused: 400 },
    { name: 'an empty value folded', send: get('X:\r\n b'), refused: 400 },
    { name: 'a folded Transfer-Encoding', send: get('Transfer-Encoding:\r\n chunked'), refused: 400 },
    { name: 'a folded Content-Length', send: get('Content-Length:\r\n 5'), refused: 400 },
    { name: 'a fold that looks like a field', send: get('X: a\r\n Content-Length: 5'), refused: 400 },
    { name: 'a fold of whitespace alone', send: get('X: a\r\n '), refused: 400 },
    { name: 'whitespace before the first field', send: 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', refused: 400 },
    { name: 'whitespace before the first field, then Host', send: 'GET / HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n', refused: 400 },
  ]),
  ...cases('RFC 9112 section 2.2', [
    { name: 'LF alone after the request line', send: 'GET / HTTP/1.1\nHost: a\r\n\r\n', refused: 400 },
    { name: 'LF alone after a field', send: 'GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n', refused: 400 },
    { name: 'LF alone throughout', send: 'GET / HTTP/1.1\nHost: a\n\n', refused: 400 },
    { name: 'LF alone as the empty line', send: 'GET / HTTP/1.1\r\nHost: a\r\n\n', refused: 400 },
    { name: 'CR alone after the request line', send: 'GET / HTTP/1.1\rHost: a\r\n\r\n', refused: 400 },
    { name: 'CR alone after a field', send: get('X: 1\rY: 2'), refused: 400 },
    { name: 'CR CR LF after a field', send: get('X: 1\r'), refused: 400 },
    { name: 'CR CR LF as the empty line', send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n', refused: 400 },
    { name: 'LF CR as line end', send: 'GET / HTTP/1.1\n\rHost: a\n\r\n\r', refused: 400 },
    { name: 'one empty line before the request', send: `\r\n${get()}`, forwarded: [plain] },
    { name: 'two empty lines before the request', send: `\r\n\r\n${get()}`, refused: 400 },
    { name: 'an empty line of LF before the request', send: `\n${get()}`, refused: 400 },
    { name: 'CR before the request', send: `\r${get()}`, refused: 400 },
    { name: 'an empty line between two requests', send: `${get()}\r\n${get()}`, forwarded: [plain, plain] },
    { name: 'octets between two requests', send: `${get()}x ${get()}`, forwarded: [plain], refused: 400 },
  ]),
  ...cases('RFC 9112 section 3', [
    ...CONTROLS.flatMap((octet) => [
      { name: `${name(octet)} in the method`, send: request(`G${octet}ET /`), refused: 400 },
      { name: `${name(octet)} in the target`, send: request(`GET /a${octet}b`), refused: 400 },
      { name: `${name(octet)} in the version`, send: `GET / HTTP/1${octet}.1\r\nHost: a\r\n\r\n`, refused: 400 },
      { name: `${name(octet)} after the version`, send: `GET / HTTP/1.1${octet}\r\nHost: a\r\n\r\n`, refused: 400 },
    ]),
    { name: 'two spaces after the method', send: request('GET  /'), refused: 400 },
    { name: 'two spaces before the version', send: request('GET / '), refused: 400 },
    { name: 'a tab after the method', send: request('GET\t/'), refused: 400 },
    { name: 'a tab before the version', send: 'GET /\tHTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
    { name: 'a space before the method', send: request(' GET /'), refused: 400 },
    { name: 'a space after the version', send: 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', refused: 400 },
    { name: 'a space in the target', send: request('GET /a b'), refused: 400 },
    { name: 'a target that looks like the rest of the line', send: request('GET /a HTTP/1.1'), refused: 400 },
    { name: 'no target', send: 'GET HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
    { name: 'no method', send: '/ HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
    { name: 'no version', send: 'GET /\r\nHost: a\r\n\r\n', refused: 400 },
    { name: 'a method in quotes', send: request('"GET" /'), refused: 400 },
    { name: 'a non-ASCII method', send: request('G\xc9T /'), refused: 400 },
    { name: 'a method of 33 characters', send: request(`${'M'.repeat(33)} /`), refused: 501 },
    { name: 'a method in lower case is another method', send: request('get /'), forwarded: [forwarded('get /')] },
    { name: 'not HTTP at all', send: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', refused: 400 },
    { name: 'a target of 8 kB and one', send: request(`GET /${'a'.repeat(8192)}`), refused: 414 },
    { name: 'a head of 16 kB and one', send: get(`X: ${'a'.repeat(16_384 - get('X: ').length + 1)}`), refused: 431 },
    { name: '101 fields', send: get(...Array<string>(100).fill('X: 1')), refused: 431 },
    {
      name: 'a head of 16 kB exactly',
      send: get(`X: ${'a'.repeat(16_384 - get('X: ').length)}`),
      forwarded: [forwarded('GET /', { fields: [`X: ${'a'.repeat(16_384 - get('X: ').length)}`] })],
    },
    {
      name: '100 fields',
      send: get(...Array<string>(99).fill('X: 1')),
      forwarded: [forwarded('GET /', { fields: Array<string>(99).fill('X: 1') })],
    },
  ]),
  ...cases('RFC 9112 section 2.3', [
    ...['http/1.1', 'HTTP/1.2', 'HTTP/1.10', 'HTTP/1', 'HTTP/11', 'HTTP/1,1', 'HTTP/.1', 'HTTPS/1.1', 'HTTP /1.1', 'HTTP/1.x', 'HTTP/01.1', 'ICAP/1.0'].map(
      (version) => ({ name: `version ${version}`, send: `GET / ${version}\r\nHost: a\r\n\r\n`, refused: version === 'HTTP/01.1' ? 505 : 400 }),
    ),
    ...['HTTP/2.0', 'HTTP/0.9', 'HTTP/3.0', 'HTTP/2'].map((version) => ({
      name: `version ${version}`,
      send: `GET / ${version}\r\nHost: a\r\n\r\n`,
      refused: 505,
    })),
    { name: 'the preface of HTTP/2', send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refused: 505 },
  ]),
  ...cases('RFC 9110 sections 9.3.6 and 9.3.8', [
    { name: 'CONNECT', send: 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', refused: 501 },
    { name: 'CONNECT of a path', send: request('CONNECT /'), refused: 501 },
    { name: 'TRACE', send: request('TRACE /'), refused: 501 },
    { name: 'TRACE *', send: request('TRACE *'), refused: 501 },
  ]),
]
