import { shown } from './request-case.ts'
import { cases, DATE, reply, type ServiceCase } from './service-case.ts'

const ok = (fields: readonly string[] = [], body = ''): string => reply('200 OK', fields, body)
const SMUGGLED = ok(['Content-Length: 8'], 'smuggled')
const HELLO = ok(['Content-Length: 5'], 'hello')
const hello = ok([DATE, 'Content-Length: 5'], 'hello')
const empty = ok([DATE, 'Content-Length: 0'])
const chunkedHead = ok([DATE, 'Transfer-Encoding: chunked'])

const BAD_STATUS_LINES = [
  'HTTP/1.1  200 OK', 'HTTP/1.1\t200 OK', ' HTTP/1.1 200 OK', 'HTTP/1.1 200\tOK', 'HTTP/1.1 20 OK', 'HTTP/1.1 2000 OK', 'HTTP/1.1 099 OK',
  'HTTP/1.1 600 OK', 'HTTP/1.1 999 OK', 'HTTP/1.1 000 OK', 'HTTP/1.1 +20 OK', 'HTTP/1.1 2e2 OK', 'HTTP/1.1 0xc8 OK', 'HTTP/1.1 OK', 'HTTP/1.1 200OK',
  'HTTP/1.1', 'HTTP/1.2 200 OK', 'HTTP/2 200 OK', 'HTTP/2.0 200 OK', 'HTTP/0.9 200 OK', 'http/1.1 200 OK', 'HTTP/11 200 OK', 'ICY 200 OK', '200 OK',
  'GET / HTTP/1.1', '<html>hello</html>', '\x16\x03\x01\x02\x00', '\x00', 'HTTP/1.1 200 \x00', 'HTTP/1.1 200 O\rK', 'HTTP/1.1 200 O\x7fK', '',
]

const BAD_LINES = [
  'X : 1', 'X\t: 1', ': 1', 'X', ' X: 1', '\tX: 1', 'X\x00: 1', 'X\xff: 1', 'X Y: 1', 'X(: 1', 'X: a\x00b', 'X: a\x0bb', 'X: a\x7fb', 'X: a\rb', 'X: a\r',
  'X: a\nSet-Cookie: b=c', 'X: a\n\nsplit', 'X: a\r\n folded', 'X: a\r\n\tfolded', 'X:\r\n folded',
]

const BAD_LENGTHS = ['', '+5', '-5', '5,5', '5, 5', '5 5', '0x5', '5.0', '5e0', 'five', '0000000000000005', '99999999999999999999', '5;', '\xb5']

const BAD_CODINGS = ['', 'identity', 'gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'chunked,', 'xchunked', '\x0bchunked', '"chunked"', 'chunked;q=1']

const BAD_CHUNKS = [
  'g\r\nhello\r\n0\r\n\r\n', '5 \r\nhello\r\n0\r\n\r\n', ' 5\r\nhello\r\n0\r\n\r\n', '0x5\r\nhello\r\n0\r\n\r\n', '-5\r\nhello\r\n0\r\n\r\n', '\r\nhello\r\n0\r\n\r\n',
  '5\nhello\r\n0\r\n\r\n', '5\r\nhello\n0\r\n\r\n', '5\r\nhello0\r\n\r\n', '5\r\nhello, more\r\n0\r\n\r\n', '5;\r\nhello\r\n0\r\n\r\n', '5\r\nhello\r\n0\n\n', '5\r\nhello\r\n0\r\n\n',
  '10000000000000005\r\nhello\r\n0\r\n\r\n', `5;a=${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`, '5\r\nhello\r\n0\r\nX : 1\r\n\r\n', '5\r\nhello\r\n0\r\n X: 1\r\n\r\n',
  '5\r\nhello\r\n0\r\nX: 1\nY: 2\r\n\r\n', `5\r\nhello\r\n0\r\n${'X: 1\r\n'.repeat(101)}\r\n`, `5\r\nhello\r\n0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
]

/** A service may be hostile too: it gets no word in what is not its own reply. */
export const serviceCases: ServiceCase[] = [
  ...cases('RFC 9112 section 4', [
    ...BAD_STATUS_LINES.map((line) => ({ name: `the status line ${shown(line)}`, reply: `${line}\r\nContent-Length: 5\r\n\r\nhello` })),
    { name: 'a status line that ends with LF alone', reply: 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello' },
    { name: 'a status line in pieces that can be none', reply: ['HTTP', '/2'] },
    { name: 'an empty line before the status line', reply: `\r\n${HELLO}` },
    { name: 'a reason phrase is not passed on', reply: reply('200 <script>\xff\t', ['Content-Length: 5'], 'hello'), passed: hello, reused: true },
    { name: 'no reason phrase', reply: reply('200', ['Content-Length: 5'], 'hello'), passed: hello, reused: true },
    { name: 'a status without a name', reply: reply('299 ', ['Content-Length: 5'], 'hello'), passed: reply('299 ', [DATE, 'Content-Length: 5'], 'hello'), reused: true },
    { name: 'octet by octet', reply: HELLO.split(''), passed: hello, reused: true },
  ]),
  ...cases('RFC 9112 section 5', [
    ...BAD_LINES.map((line) => ({ name: `the line ${shown(line)}`, reply: ok([line, 'Content-Length: 5'], 'hello') })),
    { name: 'LF alone throughout', reply: 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello' },
    { name: 'LF alone as the empty line', reply: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello' },
    { name: 'a second head behind a bare CR', reply: `HTTP/1.1 200 OK\r\nX: a\r\r\n\r\n${SMUGGLED}` },
    { name: '101 fields', reply: ok([...Array<string>(100).fill('X: 1'), 'Content-Length: 5'], 'hello') },
    { name: 'a head of more than 16 kB', reply: ok([`X: ${'x'.repeat(16_384)}`, 'Content-Length: 5'], 'hello') },
    { name: 'a head without an end', reply: ['HTTP/1.1 200 OK\r\nX: ', ...Array<string>(20).fill('x'.repeat(1000))] },
    {
      name: 'octets beyond ASCII, and several fields of one name',
      reply: ok(['Set-Cookie: a=\xe9', 'Set-Cookie: b=1', 'Content-Length: 5'], 'hello'),
      passed: ok(['Set-Cookie: a=\xe9', 'Set-Cookie: b=1', DATE, 'Content-Length: 5'], 'hello'),
      reused: true,
    },
  ]),
  ...cases('RFC 9112 section 6.3', [
    { name: 'Content-Length with Transfer-Encoding', reply: ok(['Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`) },
    { name: 'Transfer-Encoding with Content-Length', reply: ok(['Transfer-Encoding: chunked', 'Content-Length: 5'], '5\r\nhello\r\n0\r\n\r\n') },
    { name: 'both on 204', reply: reply('204 No Content', ['Transfer-Encoding: chunked', 'Content-Length: 5']) },
    { name: 'both on 103', reply: reply('103 Early Hints', ['Transfer-Encoding: chunked', 'Content-Length: 5']) + HELLO },
    { name: 'Content-Length twice, different', reply: ok(['Content-Length: 5', 'Content-Length: 50'], 'hello') },
    { name: 'Content-Length twice, the same', reply: ok(['Content-Length: 5', 'Content-Length: 5'], 'hello') },
    { name: 'Transfer-Encoding twice', reply: ok(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n') },
    { name: 'Transfer-Encoding over HTTP/1.0', reply: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', then: 'end' },
    ...BAD_LENGTHS.map((length) => ({ name: `Content-Length: ${shown(length)}`, reply: ok([`Content-Length: ${length}`], 'hello'), then: 'end' as const })),
    ...BAD_CODINGS.map((coding) => ({ name: `Transfer-Encoding: ${shown(coding)}`, reply: ok([`Transfer-Encoding: ${coding}`], '5\r\nhello\r\n0\r\n\r\n'), then: 'end' as const })),
    {
      name: 'Content_Length and Transfer_Encoding are not passed on',
      reply: ok(['Content_Length: 3', 'Transfer_Encoding: chunked', 'Content-Length: 5'], 'hello'),
      passed: hello,
      reused: true,
    },
    { name: 'more octets than promised', reply: ok(['Content-Length: 5'], `hello${SMUGGLED}`), passed: hello },
    { name: 'a second reply', reply: [HELLO, SMUGGLED], passed: hello },
    { name: 'octets behind the last chunk', reply: ok(['Transfer-Encoding: chunked'], `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`), passed: hello },
    { name: 'octets behind a body of no octets', reply: ok(['Content-Length: 0'], SMUGGLED), passed: empty },
    { name: 'fewer octets than promised', reply: ok(['Content-Length: 50'], 'hello'), then: 'end', cut: ok([DATE, 'Content-Length: 50'], 'hello') },
    { name: 'fewer octets than promised, in pieces', reply: [ok(['Content-Length: 50']), 'hello'], then: 'end', cut: ok([DATE, 'Content-Length: 50'], 'hello') },
    { name: 'no octet of the promised ones', reply: ok(['Content-Length: 50']), then: 'end', cut: ok([DATE, 'Content-Length: 50']) },
    { name: 'no last chunk', reply: ok(['Transfer-Encoding: chunked'], '5\r\nhello\r\n'), then: 'end', cut: `${chunkedHead}5\r\nhello\r\n` },
    { name: 'no end of the trailers', reply: ok(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n'), then: 'end', cut: `${chunkedHead}5\r\nhello\r\n` },
    { name: 'an end in the head', reply: 'HTTP/1.1 200 OK\r\nContent-', then: 'end' },
    { name: 'an end in the head of an interim response', reply: reply('103 Early Hints').slice(0, -2), then: 'end' },
    { name: 'no reply', reply: '', then: 'end' },
    { name: 'no length over HTTP/1.1', reply: ok([], 'hello'), then: 'end', passed: `${chunkedHead}5\r\nhello\r\n0\r\n\r\n` },
    { name: 'no length over HTTP/1.0', reply: 'HTTP/1.0 200 OK\r\n\r\nhello', then: 'end', passed: `${chunkedHead}5\r\nhello\r\n0\r\n\r\n` },
    {
      name: 'no length over HTTP/1.0 that is kept alive',
      reply: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello',
      then: 'end',
      passed: `${chunkedHead}5\r\nhello\r\n0\r\n\r\n`,
    },
    { name: 'a length over HTTP/1.0', reply: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', passed: hello },
    { name: 'a length over HTTP/1.0 that is kept alive', reply: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello', passed: hello, reused: true },
  ]),
  ...cases('RFC 9112 section 6.3, rule 1', [
    { name: 'a body on 204', reply: reply('204 No Content', ['Content-Length: 8'], 'smuggled'), passed: reply('204 No Content', [DATE]) },
    { name: 'a chunked body on 204', reply: reply('204 No Content', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), passed: reply('204 No Content', [DATE]) },
    { name: 'a reply as the body of 204', reply: reply('204 No Content', [`Content-Length: ${SMUGGLED.length}`], SMUGGLED), passed: reply('204 No Content', [DATE]) },
    { name: 'a body on 304', reply: reply('304 Not Modified', ['Content-Length: 8'], 'smuggled'), passed: reply('304 Not Modified', [DATE, 'Content-Length: 8']) },
    { name: 'a length on 304', reply: reply('304 Not Modified', ['Content-Length: 8']), passed: reply('304 Not Modified', [DATE, 'Content-Length: 8']), reused: true },
    { name: 'a body on the reply to HEAD', method: 'HEAD', reply: HELLO, passed: ok([DATE, 'Content-Length: 5']) },
    { name: 'a reply as the body of the reply to HEAD', method: 'HEAD', reply: ok([`Content-Length: ${SMUGGLED.length}`], SMUGGLED), passed: ok([DATE, `Content-Length: ${SMUGGLED.length}`]) },
    { name: 'a length on the reply to HEAD', method: 'HEAD', reply: ok(['Content-Length: 5']), passed: ok([DATE, 'Content-Length: 5']), reused: true },
    { name: 'chunked on the reply to HEAD', method: 'HEAD', reply: ok(['Transfer-Encoding: chunked']), passed: ok([DATE]), reused: true },
    { name: 'nothing on the reply to HEAD', method: 'HEAD', reply: ok(), passed: ok([DATE]), reused: true },
    { name: 'a body behind the reply to HEAD, a moment later', method: 'HEAD', reply: [ok(['Content-Length: 5']), 'hello'], passed: ok([DATE, 'Content-Length: 5']) },
  ]),
  ...cases('RFC 9112 section 7.1', [
    ...BAD_CHUNKS.map((chunks) => ({ name: `the chunks ${shown(chunks)}`, reply: ok(['Transfer-Encoding: chunked'], chunks) })),
    {
      name: 'a bad chunk behind a good one',
      reply: [ok(['Transfer-Encoding: chunked'], '5\r\nhello\r\n'), 'g\r\n'],
      cut: `${chunkedHead}5\r\nhello\r\n`,
    },
    { name: 'extensions are dropped', reply: ok(['Transfer-Encoding: chunked'], '5;a=b\r\nhello\r\n0;c\r\n\r\n'), passed: hello, reused: true },
    {
      name: 'trailer fields that frame, set cookies or identify are dropped',
      reply: ok(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nSet-Cookie: a=b\r\nContent-Length: 3\r\ntransfer_encoding: x\r\nLocation: /\r\nX-Sum: 1\r\n\r\n'),
      fields: ['TE: trailers'],
      passed: `${chunkedHead}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
      reused: true,
    },
    { name: 'many tiny chunks', reply: ok(['Transfer-Encoding: chunked'], `${'1\r\nx\r\n'.repeat(2000)}0\r\n\r\n`), passed: ok([DATE, 'Content-Length: 2000'], 'x'.repeat(2000)), reused: true },
  ]),
  ...cases('RFC 9110 section 7.6.1', [
    {
      name: 'fields of the connection stay here',
      reply: ok(['Connection: X-Internal, Keep-Alive', 'X-Internal: 1', 'Keep-Alive: timeout=9', 'Proxy-Connection: close', 'TE: x', 'Upgrade: h2c', 'X-End: 2', 'Content-Length: 5'], 'hello'),
      passed: ok(['X-End: 2', DATE, 'Content-Length: 5'], 'hello'),
      reused: true,
    },
    { name: 'the end of its own connection is not the end of the client’s', reply: ok(['Connection: close', 'Content-Length: 5'], 'hello'), passed: hello },
    { name: 'Connection that names the framing', reply: ok(['Connection: Content-Length, Date', 'Content-Length: 5'], 'hello'), passed: hello, reused: true },
    { name: 'a proxy’s challenge is not for the client', reply: ok(['Proxy-Authenticate: Basic', 'Content-Length: 5'], 'hello'), passed: hello, reused: true },
  ]),
  ...cases('RFC 9110 section 15.2', [
    { name: '100 that nobody waits for', reply: reply('100 Continue') + HELLO, passed: hello, reused: true },
    { name: '102 and 103', reply: reply('102 Processing') + reply('103 Early Hints', ['Link: </a>']) + HELLO, passed: reply('102 Processing') + reply('103 Early Hints', ['Link: </a>']) + hello, reused: true },
    { name: '103 with a length has no body all the same', reply: reply('103 Early Hints', ['Content-Length: 8', 'Connection: close', 'X: 1']) + HELLO, passed: reply('103 Early Hints', ['X: 1']) + hello, reused: true },
    { name: '103 with a body', reply: reply('103 Early Hints', ['Content-Length: 8'], 'smuggled') + HELLO },
    { name: '103 with a split value', reply: reply('103 Early Hints', ['Link: a\rb']) + HELLO },
    { name: '101 that nobody asked for', reply: reply('101 Switching Protocols', ['Connection: Upgrade', 'Upgrade: websocket'], 'octets') },
    {
      name: '101 to a protocol that was not asked for',
      fields: ['Connection: Upgrade', 'Upgrade: websocket'],
      reply: reply('101 Switching Protocols', ['Connection: Upgrade', 'Upgrade: h2c'], 'octets'),
    },
    {
      name: '101 without a protocol',
      fields: ['Connection: Upgrade', 'Upgrade: websocket'],
      reply: reply('101 Switching Protocols', [], 'octets'),
    },
    { name: 'interim responses without end', reply: Array<string>(200).fill(reply('103 Early Hints', ['X: 1'])) },
    { name: '100 without end', reply: Array<string>(200).fill(reply('100 Continue')) },
  ]),
]
