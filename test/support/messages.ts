import * as fc from 'fast-check'
import { knownMethods } from './llhttp.ts'

const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".split('')
const TARGET = '!"$%&\'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~'.split('')
const VALUE = [...Array(256).keys()]
  .filter((byte) => byte >= 32 && byte !== 127)
  .map((byte) => String.fromCharCode(byte))

const text = (alphabet: readonly string[], minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength })

export const token = text(TOKEN, 1, 8)
export const fieldValue = text([...VALUE, '\t', ' ', ' ', ',', ';'], 0, 12).map((value) =>
  value.replace(/^[ \t]+|[ \t]+$/g, ''),
)
export const content = fc.string({ unit: fc.nat(255).map((byte) => String.fromCharCode(byte)), maxLength: 60 })

/** Names that have a meaning for some parser, in addition to arbitrary tokens. */
const name = fc.oneof(
  { weight: 3, arbitrary: token },
  fc.constantFrom(
    'Accept',
    'X_Free',
    'Date',
    'X-User-Id',
    'x-forwarded-for',
    'Forwarded',
    'Cookie',
    'Keep-Alive',
    'TE',
  ),
  fc.constantFrom(
    'Content_Length',
    'Transfer_Encoding',
    'content-lengthy',
    'Expect2',
    'Upgrade',
    'Trailer',
    'Proxy-Connection',
  ),
)

const space = fc.constantFrom('', ' ', ' ', ' ', '\t', ' \t ')

/** Field lines; `Connection` options and other framing fields are added by the generators of the framing. */
const fieldLines = fc
  .array(fc.tuple(name, space, fieldValue, fc.constantFrom('', '', ' ', '\t')), { maxLength: 5 })
  .map((fields) => fields.map(([key, before, value, after]) => `${key}:${before}${value}${after}\r\n`))

const connection = fc.constantFrom(
  '',
  '',
  '',
  'Connection: keep-alive\r\n',
  'Connection: close\r\n',
  'connection: X-A, Close\r\n',
)

const extension = fc
  .tuple(
    token,
    fc.option(
      fc.oneof(
        token,
        text([...VALUE, '\t'], 0, 5).map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`),
      ),
    ),
  )
  .map(([key, value]) => `;${key}${value === null ? '' : `=${value}`}`)

const chunk = fc
  .tuple(
    content,
    fc.constantFrom('', '0', '000'),
    fc.boolean(),
    fc.oneof({ weight: 4, arbitrary: fc.constant('') }, extension),
  )
  .filter(([data]) => data !== '')
  .map(([data, zeros, upper, extensions]) => {
    const size = data.length.toString(16)
    return `${zeros}${upper ? size.toUpperCase() : size}${extensions}\r\n${data}\r\n`
  })

const trailers = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fieldLines.map((lines) => lines.join('')),
)

const chunked = fc.tuple(fc.array(chunk, { maxLength: 4 }), trailers).map(([chunks, fields]) => ({
  field: 'Transfer-Encoding: chunked\r\n',
  content: `${chunks.join('')}0\r\n${fields}\r\n`,
}))

const withLength = content.map((data) => ({ field: `Content-Length: ${data.length}\r\n`, content: data }))

const framed = fc.oneof(fc.constant({ field: '', content: '' }), withLength, chunked)

/** Puts lines in some order with the framing anywhere among them. */
const mixed = (lines: readonly string[], at: number, ...added: readonly string[]): string => {
  const split = at % (lines.length + 1)
  return [...lines.slice(0, split), ...added, ...lines.slice(split)].join('')
}

const usualMethods = knownMethods.filter((method) => method !== 'CONNECT' && method !== 'TRACE')

const requestLine = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(...usualMethods), text(TARGET, 0, 12))
      .map(([method, rest]) => `${method} /${rest}`),
  },
  text(TARGET, 0, 6).map((rest) => `GET http://a.example${rest === '' ? '' : `/${rest}`}`),
  fc.constant('OPTIONS *'),
)

const request = fc
  .tuple(requestLine, fc.constantFrom('1.1', '1.1', '1.1', '1.0'), fieldLines, fc.nat(9), connection, framed)
  .map(
    ([line, version, lines, at, persistence, { field, content: data }]) =>
      `${line} HTTP/${version}\r\n${mixed(lines, at, 'Host: a.example\r\n', persistence, field)}\r\n${data}`,
  )

const statusLine = fc
  .tuple(
    fc.constantFrom('1.1', '1.1', '1.0'),
    fc.oneof(fc.constantFrom(200, 204, 304, 404), fc.integer({ min: 200, max: 599 })),
    fieldValue,
  )
  .map(([version, status, reason]) => `HTTP/${version} ${status} ${reason}\r\n`)

const interim = fc
  .tuple(fc.constantFrom(100, 102, 103), fieldLines)
  .map(([status, lines]) => `HTTP/1.1 ${status} x\r\n${lines.join('')}\r\n`)

const untilClose = content.map((data) => ({ field: '', content: data }))

const response = fc
  .tuple(
    fc.array(interim, { maxLength: 1 }),
    statusLine,
    fieldLines,
    fc.nat(9),
    connection,
    fc.oneof(withLength, chunked, untilClose),
  )
  .map(
    ([before, line, lines, at, persistence, { field, content: data }]) =>
      `${before.join('')}${line}${mixed(lines, at, persistence, field)}\r\n${data}`,
  )

/** Bytes that some parser has treated as the end, the beginning or the length of something. */
const dangerous = fc.oneof(
  fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '"',
    '\x0b',
    '\x7f',
    '\x85',
    '\xa0',
    '\xff',
    '_',
    '#',
    '0',
    'x',
  ),
  fc.constantFrom(
    'Content-Length: 3\r\n',
    'Content-Length: 0\r\n',
    'Content-Length: +3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: chunked, chunked\r\n',
    'Host: b\r\n',
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    ' folded\r\n',
    'GET /s HTTP/1.1\r\nHost: s\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    '0\r\n\r\n',
    '1\r\nx\r\n',
    ';a="',
    'fffffffffffffffff',
  ),
  fc.nat(255).map((byte) => String.fromCharCode(byte)),
)

/** The position of an edit, how much it replaces, and the replacement. */
const edit = fc.record({
  at: fc.nat(400),
  drop: fc.constantFrom(0, 0, 1, 1, 2, 5),
  put: fc.oneof(fc.constant(''), dangerous),
})

const edited = (original: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(original, fc.array(edit, { maxLength: 3 })).map(([before, edits]) =>
    edits.reduce((now, { at, drop, put }) => {
      const place = at % (now.length + 1)
      return now.slice(0, place) + put + now.slice(place + drop)
    }, before),
  )

const several = (message: fc.Arbitrary<string>) =>
  fc.array(message, { minLength: 1, maxLength: 3 }).map((messages) => messages.join(''))

/** One or several requests in a row, both as a client should send them and as an attacker might. */
export const requests = edited(several(request))
export const soundRequests = several(request)
/** One response, possibly with an interim one before it. */
export const responses = edited(response)
export const soundResponses = response

/** Splits bytes into reads at positions that the numbers determine. */
export const cuts = fc.array(fc.nat(1000), { maxLength: 6 })

export function cut(whole: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(whole, 'latin1')
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...at].map((start, i) => bytes.subarray(start, at[i] ?? bytes.length)).filter((part) => part.length > 0)
}
