import { cases, forwarded, forwardedBody, get, plain, request, type RequestCase } from './request-case.ts'

const IDENTITY = ['X-User-ID', 'X-User-Roles', 'X-Consumer-Tier']
const FORWARDING = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Server',
  'X-Forwarded-Scheme',
  'X-Forwarded-Ssl',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Preferred-Username',
  'X-Forwarded-Access-Token',
  'X-Forwarded-Client-Cert',
  'X-Forwarded-Uri',
  'X-Forwarded-Method',
  'X-Forwarded-Path',
  'X-Forwarded-Tls-Client-Cert',
  'X-Forwarded-By',
  'Forwarded',
  'X-Real-IP',
  'X-Client-IP',
  'True-Client-IP',
  'X-Cluster-Client-IP',
  'X-Original-URL',
  'X-Original-Host',
  'X-Rewrite-URL',
  'X-Override-URL',
  'X-HTTP-Host-Override',
  'X-Original-Forwarded-For',
  'X-Original-Method',
  'X-Envoy-External-Address',
]

/** Spellings that a service which turns names into environment variables confuses with it. */
function spellings(name: string): string[] {
  const dashes = [...name.matchAll(/-/g)].map(({ index }) => `${name.slice(0, index)}_${name.slice(index + 1)}`)
  return [
    ...new Set([
      name,
      name.toLowerCase(),
      name.toUpperCase(),
      name.replaceAll('-', '_'),
      name.toLowerCase().replaceAll('-', '_'),
      ...dashes,
      ..."!#$%&'*+.^`|~".split('').map((odd) => name.replaceAll('-', odd)),
    ]),
  ]
}

/** What a service may trust, and what the gateway does not forward. */
export const fieldCases: RequestCase[] = [
  ...cases('the gateway alone says who calls', [
    ...[...IDENTITY, ...FORWARDING].flatMap((field) =>
      spellings(field).map((spelling) => ({
        name: `a forged ${spelling}`,
        send: get('Y: 1', `${spelling}: forged`, 'Z: 2'),
        forwarded: [forwarded('GET /', { fields: ['Y: 1', 'Z: 2'] })],
      })),
    ),
    {
      name: 'every spelling of X-User-ID at once',
      send: get(...spellings('X-User-ID').map((spelling) => `${spelling}: forged`)),
      forwarded: [plain],
    },
    {
      name: 'forged fields named in Connection',
      send: get('Connection: X-User-ID, X_User_Roles', 'X-User-ID: 1', 'X_User_Roles: admin'),
      forwarded: [plain],
    },
    {
      name: 'Connection names fields that the gateway sets',
      send: get('Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Via'),
      forwarded: [plain],
    },
    {
      name: 'Proxy, which CGI services take for HTTP_PROXY',
      send: get('Proxy: http://evil.example/'),
      forwarded: [plain],
    },
  ]),
  ...cases('RFC 9110 section 7.6.1', [
    {
      name: 'fields named in Connection are removed',
      send: get('Connection: X-Hop, keep-alive', 'X-Hop: 1', 'X-End: 2'),
      forwarded: [forwarded('GET /', { fields: ['X-End: 2'] })],
    },
    {
      name: 'Connection in another case and on several lines',
      send: get('CONNECTION: x-HOP', 'connection: X-Other', 'X-Hop: 1', 'X-Other: 2', 'x-hop: 3'),
      forwarded: [plain],
    },
    {
      name: 'Connection before and after the fields that it names',
      send: get('X-Hop: 1', 'Connection: X-Hop', 'X-Hop: 2'),
      forwarded: [plain],
    },
    {
      name: 'Connection names Authorization and Cookie',
      send: get('Connection: Authorization, Cookie', 'Authorization: x', 'Cookie: y'),
      forwarded: [plain],
    },
    { name: 'Connection with empty entries', send: get('Connection: , ,X-Hop,,', 'X-Hop: 1'), forwarded: [plain] },
    {
      name: 'Connection is not a list of names',
      send: get('Connection: X Hop; "y"', 'X: 1'),
      forwarded: [forwarded('GET /', { fields: ['X: 1'] })],
    },
    { name: 'Connection names itself', send: get('Connection: Connection'), forwarded: [plain] },
    ...[
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eA==',
      'Proxy-Authenticate: Basic',
      'Proxy_Connection: close',
      'Keep_Alive: x',
      'TE: gzip',
    ].map((line) => ({
      name: `${line} is not forwarded`,
      send: get(line),
      forwarded: [plain],
    })),
    {
      name: 'TE: trailers is forwarded in normal form',
      send: get('TE: gzip, TRAILERS', 'Connection: TE'),
      forwarded: [forwarded('GET /', { last: ['Connection: TE', 'TE: trailers'] })],
    },
    {
      name: 'TE that only resembles trailers',
      send: get('TE: xtrailers, trailersx', 'Connection: TE'),
      forwarded: [plain],
    },
  ]),
  ...cases('RFC 9110 section 7.6.3', [
    {
      name: 'Via of the client is kept, before that of the gateway',
      send: get('Via: 1.0 old'),
      forwarded: [forwarded('GET /', { fields: ['Via: 1.0 old'] })],
    },
  ]),
  ...cases('RFC 9110 section 7.8', [
    { name: 'Upgrade without Connection', send: get('Upgrade: websocket'), forwarded: [plain] },
    {
      name: 'Upgrade to h2c',
      send: get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
      forwarded: [plain],
    },
    {
      name: 'Upgrade to several protocols',
      send: get('Connection: Upgrade', 'Upgrade: websocket, h2c'),
      forwarded: [plain],
    },
    { name: 'Upgrade to TLS', send: get('Connection: Upgrade', 'Upgrade: TLS/1.0'), forwarded: [plain] },
    {
      name: 'Upgrade over HTTP/1.0',
      send: 'GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      forwarded: [forwarded('GET /', { version: '1.0' })],
    },
    {
      name: 'Upgrade with a body',
      send: request('POST /', ['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 5'], 'hello'),
      forwarded: [forwardedBody('POST /', 'hello')],
    },
  ]),
  ...cases('RFC 9110 section 10.1.1', [
    {
      name: 'an unknown expectation',
      send: request('POST /', ['Expect: 200-ok', 'Content-Length: 5'], 'hello'),
      refused: 417,
    },
    {
      name: 'two expectations',
      send: request('POST /', ['Expect: 100-continue, x', 'Content-Length: 5'], 'hello'),
      refused: 417,
    },
    {
      name: 'the same expectation twice',
      send: request('POST /', ['Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 5'], 'hello'),
      refused: 417,
    },
    { name: 'an empty expectation', send: get('Expect:'), refused: 417 },
    {
      name: 'an expectation when the body has already arrived',
      atOnce: true,
      send: request('POST /', ['Expect: 100-continue', 'Content-Length: 5'], 'hello'),
      forwarded: [forwardedBody('POST /', 'hello')],
    },
    { name: 'an expectation without a body', send: get('Expect: 100-continue'), forwarded: [plain] },
  ]),
  ...cases('RFC 9110 section 7.6.2', [
    {
      name: 'Max-Forwards with a method other than OPTIONS',
      send: get('Max-Forwards: 0'),
      forwarded: [forwarded('GET /', { fields: ['Max-Forwards: 0'] })],
    },
    {
      name: 'Max-Forwards is decremented',
      send: request('OPTIONS /', ['Max-Forwards: 10']),
      forwarded: [forwarded('OPTIONS /', { fields: ['Max-Forwards: 9'] })],
    },
    ...['-1', '+1', '1.0', '', 'x', '1, 1', '99999999999999999999'].map((value) => ({
      name: `Max-Forwards: ${value}`,
      send: request('OPTIONS /', [`Max-Forwards: ${value}`]),
      refused: 400,
      kept: true,
    })),
  ]),
]
