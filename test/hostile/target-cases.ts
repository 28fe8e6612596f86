import { cases, forwarded, get, plain, request, type RequestCase, shown } from './request-case.ts'

const to = (target: string, method = 'GET'): string => request(`${method} ${target}`)
const withHost = (...hosts: string[]): string =>
  `GET / HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}\r\n`

/** Paths that two parsers would read as two. */
const BAD_PATHS = [
  '/..', '/../a', '/a/../../b', '/%2e%2e/a', '/.%2E/a', '/a/%2e%2e/%2e./b', '/a%5cb', '/a\\b', '/\\a', '/a\\..\\b', '/%5C..', '/a%00b',
  '/%0d%0aX:1', '/%0A', '/%7f', '/%zz', '/%', '/a%2', '/%u0061', '/a/..;/b', '/a/..;x=1/b', '/a/.;/b', '/..%2fa', '/a/%2e%2e%2fb',
  '/a%2f..%2fb', '/%c0%ae%c0%ae/a', '/%c0%af', '/%ff', '/%ed%a0%80', '/%e0%80%af', '/%f5%80%80%80',
]

const BAD_TARGETS = [
  'a', 'a/b', '*', '?', '?a', '..', '.', '%2f', '\\', '#', '/#', '/a#b', '/?#', '/a?b#c', '/\xe9', '/a?\xe9', '/\xff',
  'a:80', 'http:', 'http:/', 'http:a', 'http:/a/', 'http://', 'http:///', 'http:///a', 'http://?a', 'http://#', 'http://a#b',
  'http://a/#b', 'http://a/\xe9', 'http://\xe9/', 'http://u@a/', 'http://u:p@a/', 'http://a@b/', 'http://@a/', 'http://a\\@b/',
  'http://a%40b/', 'http://a%00/', 'http://a:b/', 'http://a:/', 'http://a:80:80/', 'http://[::1/', 'http://[::1]x/', 'http://a b/',
  'http://a,b/', 'http://a;b/', 'http://%61/', 'ftp://a/', 'file:///etc/passwd', 'javascript:alert(1)', 'ws://a/', 'x-http://a/',
  'http//a/', ' http://a/',
]

const BAD_HOSTS = [
  '', ' ', 'a b', 'a,b', 'a, b', 'a;b', 'a/b', 'a/', '/a', 'a?b', 'a#b', 'a\\b', 'u@a', 'u:p@a', '@a', 'a@', 'http://a', 'a:b', 'a:', ':80',
  'a:80:80', 'a:-1', 'a:+80', 'a: 80', 'a :80', 'a:0x50', 'a:123456', '[::1', '::1', '[::1]x', '[::1]:', '[a]', '[]', 'a%00', 'a%2eb', '\xe9',
  'a\xff', '"a"', '(a)', '<a>', 'a<script>', '{a}', 'a|b', "a'b", 'a`b', '*', '*.a', '.a', '-a', 'a!', 'a&b', 'a=b', 'a~b', '$a', 'a+b',
]

/** Where a request leads has one reading, or none. */
export const targetCases: RequestCase[] = [
  ...cases('RFC 9112 section 3.2', [
    ...BAD_TARGETS.map((target) => ({ name: `target ${shown(target)}`, send: to(target), refused: 400 })),
    { name: 'absolute-form', send: to('http://a/b?c'), forwarded: [forwarded('GET /b?c')] },
    { name: 'absolute-form without a path', send: to('http://a'), forwarded: [plain] },
    { name: 'absolute-form with a query and no path', send: to('http://a?b'), forwarded: [forwarded('GET /?b')] },
    { name: 'absolute-form in other case', send: to('HTTP://A/'), forwarded: [forwarded('GET /', { host: 'A' })] },
    { name: 'absolute-form with two slashes in the path', send: to('http://a//b'), forwarded: [forwarded('GET /b')] },
    {
      name: 'absolute-form over HTTP/1.0 without Host',
      send: 'GET http://b/c HTTP/1.0\r\n\r\n',
      forwarded: [forwarded('GET /c', { host: 'b' })],
    },
    { name: 'absolute-form that contradicts Host', send: to('http://b/'), refused: 400 },
    { name: 'absolute-form that contradicts the port of Host', send: to('http://a:81/'), refused: 400 },
    { name: 'absolute-form with the port that Host leaves out', send: to('http://a:80/'), refused: 400 },
    { name: 'absolute-form without Host', send: 'GET http://a/ HTTP/1.1\r\n\r\n', refused: 400 },
    { name: 'absolute-form with two Hosts', send: 'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', refused: 400 },
    { name: 'absolute-form with a malformed Host', send: 'GET http://a/ HTTP/1.1\r\nHost: u@a\r\n\r\n', refused: 400 },
  ]),
  ...cases('RFC 9110 section 7.4', [{ name: 'an https target on a connection without TLS', send: to('https://a/'), refused: 421 }]),
  ...cases('RFC 9112 section 3.2.4', [
    { name: 'GET *', send: to('*'), refused: 400 },
    { name: 'OPTIONS **', send: to('**', 'OPTIONS'), refused: 400 },
    { name: 'OPTIONS *?a', send: to('*?a', 'OPTIONS'), refused: 400 },
  ]),
  ...cases('RFC 3986 section 6.2.2', [
    ...[
      ['/a/./b', '/a/b'],
      ['/a/b/../c', '/a/c'],
      ['/a/b/..', '/a/'],
      ['/a/.', '/a/'],
      ['//a', '/a'],
      ['//a//b//', '/a/b/'],
      ['/%61/%7E', '/a/~'],
      ['/a%2fb', '/a%2Fb'],
      ['/%e2%82%ac', '/%E2%82%AC'],
      ['/a;v=1/b', '/a;v=1/b'],
      ['/a%3fb', '/a%3Fb'],
      ['/a%23b', '/a%23b'],
      ['/a"<>^`{|}b', '/a%22%3C%3E%5E%60%7B%7C%7Db'],
      ['//evil.example/a', '/evil.example/a'],
      ['/http://evil.example/', '/http:/evil.example/'],
      ['/@evil.example', '/@evil.example'],
      ['/a/%2e/b', '/a/b'],
    ].map(([written = '', path = '']) => ({
      name: `path ${written}`,
      send: to(written),
      forwarded: [forwarded(`GET ${path}`)],
    })),
  ]),
  ...cases('RFC 3986 section 3.3', [
    ...BAD_PATHS.map((path) => ({ name: `path ${shown(path)}`, send: to(path), refused: 400, kept: true })),
  ]),
  ...cases('RFC 3986 section 3.4', [
    ...['?a=/../b', '?a=\\', '?%', '?%00', '?a=http://b/', '??', '?a=b?c=d', '?"<>', '?'].map((query) => ({
      name: `the query ${shown(query)} goes on as it is`,
      send: to(`/${query}`),
      forwarded: [forwarded(`GET /${query}`)],
    })),
  ]),
  ...cases('RFC 9112 section 3.2', [
    ...BAD_HOSTS.map((host) => ({ name: `Host: ${shown(host)}`, send: withHost(host), refused: 400 })),
    { name: 'no Host', send: withHost(), refused: 400 },
    { name: 'two Hosts', send: withHost('a', 'b'), refused: 400 },
    { name: 'the same Host twice', send: withHost('a', 'a'), refused: 400 },
    { name: 'an empty Host beside one', send: withHost('', 'a'), refused: 400 },
    { name: 'a Host of 300 characters', send: withHost('a'.repeat(300)), refused: 400 },
    { name: 'Host with a port', send: withHost('a:8080'), forwarded: [forwarded('GET /', { host: 'a:8080' })] },
    { name: 'Host that is an IPv6 address', send: withHost('[::1]:80'), forwarded: [forwarded('GET /', { host: '[::1]:80' })] },
    { name: 'Host without a space', send: 'GET / HTTP/1.1\r\nhOsT:a\r\n\r\n', forwarded: [plain] },
    { name: 'Host last', send: 'GET / HTTP/1.1\r\nX: 1\r\nHost: a\r\n\r\n', forwarded: [forwarded('GET /', { fields: ['X: 1'] })] },
    { name: 'no Host over HTTP/1.0', send: 'GET / HTTP/1.0\r\n\r\n', forwarded: [forwarded('GET /', { host: '' })] },
    { name: 'two Hosts over HTTP/1.0', send: 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', refused: 400 },
    { name: 'X-Forwarded-Host and X_Forwarded_Host do not stand for Host', send: 'GET / HTTP/1.1\r\nX-Forwarded-Host: a\r\n\r\n', refused: 400 },
    { name: 'Connection that names Host', send: get('Connection: Host'), forwarded: [plain] },
  ]),
]
