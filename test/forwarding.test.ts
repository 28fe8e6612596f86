import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, type RawService, startRawService } from './support/peer.ts'

/** Names of the headers that the gateway sets for a service. */
const OWN = ['host', 'traceparent', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

/** What the service receives of a request with those lines, sent to a gateway with that configuration. */
async function forward(t: TestContext, lines: string[], config: Parameters<typeof proxyTo>[1] = {}) {
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url, config))
  const client = await connect(t, port)
  client.write(`GET /path?q=1 HTTP/1.1\r\nHost: example.com:8000\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`)
  const { start, fields } = await (await service.accept()).request()
  return { start, fields, log, service, client }
}

/** What the client receives of a reply with those lines. */
async function reply(t: TestContext, lines: string[]) {
  const service: RawService = await startRawService(t, async (peer) => {
    await peer.request()
    peer.write(`HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: 0\r\n\r\n`)
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  return (await client.reply()).fields
}

const trusting = (...trustedProxies: string[]): GatewayInput => ({ trustedProxies })

test('headers are forwarded with their order and case', async (t) => {
  const lines = ['X-First: 1', 'accept: */*', 'X-Twice: a', 'COOKIE: a=b; c=d', 'X-Twice: b', 'X-Empty:', 'X-Obs: \xe4']
  const { start, fields } = await forward(t, lines)
  assert.equal(start, 'GET /path?q=1 HTTP/1.1')
  const sent = fields.lines
    .filter((line) => !/^(?:Host|X-Forwarded-|Via|traceparent)/.test(line))
    .map((line) => line.trim())
  assert.deepEqual(sent, lines)
})

test('hop-by-hop headers of a request are removed, in every spelling', async (t) => {
  const { fields } = await forward(t, [
    'Connection: keep-alive, X-Mine , x-other,close-not',
    'CONNECTION: X-Third',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eDp5',
    'proxy-authenticate: Basic',
    'TE: gzip',
    'Trailer: X-Sum',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABk',
    'X-Mine: 1',
    'x-OTHER: 2',
    'X-Third: 3',
    'X-Third: 4',
    'Close-Not: 5',
    'X-Stays: 6',
  ])
  assert.deepEqual(fields.names, [...OWN, 'trailer', 'x-stays'].sort())
})

test('Connection cannot remove headers that the gateway sets', async (t) => {
  const { fields } = await forward(
    t,
    ['Connection: close, Host, X-Forwarded-For, Via, X-Correlation-ID, Cache-Control'],
    {
      policies: { 'correlation-id': {} },
    },
  )
  assert.equal(fields.get('Host'), 'example.com:8000')
  assert.equal(fields.get('X-Forwarded-For'), '127.0.0.1')
  assert.match(fields.get('X-Correlation-ID')!, /^[0-9a-f-]{36}$/)
  assert.match(fields.get('Via')!, /1\.1 sallyport/)
})

test('hop-by-hop headers of a reply are removed, in every spelling', async (t) => {
  const fields = await reply(t, [
    'Connection: keep-alive, X-Mine',
    'connection: x-other',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authenticate: Basic',
    'Trailer: X-Sum',
    'Upgrade: h2c',
    'X-Mine: 1',
    'X-OTHER: 2',
    'X-Stays: 3',
    'Set-Cookie: a=1',
    'Set-Cookie: b=2',
  ])
  assert.deepEqual(fields.names, ['content-length', 'date', 'set-cookie', 'set-cookie', 'trailer', 'x-stays'])
  assert.deepEqual(fields.all('Set-Cookie'), ['a=1', 'b=2'])
})

test('the service gets the address of the client, the scheme and the host', async (t) => {
  const { fields } = await forward(t, [])
  assert.equal(fields.get('X-Forwarded-For'), '127.0.0.1')
  assert.equal(fields.get('X-Forwarded-Proto'), 'http')
  assert.equal(fields.get('X-Forwarded-Host'), 'example.com:8000')
  assert.deepEqual(fields.all('Via'), ['1.1 sallyport'])
})

const CLAIMS = [
  'X-Forwarded-For: 203.0.113.7',
  'x-forwarded-for: 203.0.113.8',
  'X_Forwarded_For: 203.0.113.9',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: shop.example.com',
  'X-Forwarded-Port: 443',
  'X-Real-IP: 203.0.113.7',
  'Forwarded: for=203.0.113.7;proto=https',
]

test('by default forwarding headers are not trusted', async (t) => {
  const { fields, client, log, service } = await forward(t, CLAIMS)
  assert.deepEqual(fields.all('X-Forwarded-For'), ['127.0.0.1'])
  assert.deepEqual(fields.all('X-Forwarded-Proto'), ['http'])
  assert.deepEqual(fields.all('X-Forwarded-Host'), ['example.com:8000'])
  assert.deepEqual(fields.names, OWN)
  assert.equal(service.connections, 1)
  client.reset()
  assert.equal((await log.line({ message: 'API Gateway Request' }))['ip_address'], '127.0.0.1')
})

test('forwarding headers are ignored if the peer is not a trusted proxy', async (t) => {
  const { fields } = await forward(t, CLAIMS, trusting('10.0.0.0/8', '203.0.113.7', '::1'))
  assert.equal(fields.get('X-Forwarded-For'), '127.0.0.1')
})

test('forwarding headers of a trusted proxy are used', async (t) => {
  const { fields, client, log } = await forward(t, CLAIMS, trusting('127.0.0.0/8'))
  assert.deepEqual(fields.all('X-Forwarded-For'), ['203.0.113.7, 203.0.113.8, 127.0.0.1'])
  assert.deepEqual(fields.all('X-Forwarded-Proto'), ['https'])
  assert.deepEqual(fields.all('X-Forwarded-Host'), ['shop.example.com'])
  assert.equal(fields.get('X_Forwarded_For'), undefined)
  client.reset()
  assert.equal((await log.line({ message: 'API Gateway Request' }))['ip_address'], '203.0.113.8')
})

test('the client is the last address that is not a trusted proxy', async (t) => {
  for (const [sent, address] of [
    ['X-Forwarded-For: 1.1.1.1, 203.0.113.8, 10.0.0.2, 10.0.0.1', '203.0.113.8'],
    ['X-Forwarded-For: 10.0.0.2, 10.0.0.1', '10.0.0.2'],
    ['X-Forwarded-For: 203.0.113.8, nonsense, 10.0.0.1', '10.0.0.1'],
    ['X-Forwarded-For: ', '127.0.0.1'],
    ['X-Forwarded-For: [2001:db8::7]:4711, 10.0.0.1', '2001:db8::7'],
    ['Forwarded: for=203.0.113.8', '127.0.0.1'],
    ['X-Other: 1', '127.0.0.1'],
  ] as const) {
    const { client, log } = await forward(t, [sent], trusting('127.0.0.1', '10.0.0.0/8'))
    client.reset()
    assert.equal((await log.line({ message: 'API Gateway Request' }))['ip_address'], address, sent)
  }
})

const viaForwarded = (...lines: string[]) =>
  ({ lines, config: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'], forwarding: 'forwarded' } }) as const
const viaXForwarded = (...lines: string[]) =>
  ({ lines, config: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] } }) as const

for (const [name, { lines, config }, expected] of [
  [
    'X-Forwarded-For is ignored if proxies write Forwarded',
    viaForwarded('Forwarded: for="[2001:db8::7]:4711";proto=https;host=a.example', 'X-Forwarded-For: 1.1.1.1'),
    ['2001:db8::7', '[2001:db8::7]:4711, 127.0.0.1', 'https', 'a.example'],
  ],
  [
    'Forwarded is ignored if proxies write X-Forwarded-For',
    viaXForwarded('Forwarded: for=1.1.1.1;proto=https;host=evil.example', 'X-Forwarded-For: 203.0.113.8'),
    ['203.0.113.8', '203.0.113.8, 127.0.0.1', 'http', 'example.com:8000'],
  ],
  [
    'scheme and host come from the element for the client',
    viaForwarded(
      'Forwarded: for=6.6.6.6;proto=http;host=evil, for=203.0.113.8;proto=HTTPS;host=a, for=10.0.0.1;proto=http;host=b',
    ),
    ['203.0.113.8', '6.6.6.6, 203.0.113.8, 10.0.0.1, 127.0.0.1', 'https', 'a'],
  ],
  [
    'an unterminated quote of a client does not hide what a proxy adds',
    viaForwarded('Forwarded: for=6.6.6.6;host="x', 'Forwarded: for=203.0.113.8;proto=https'),
    ['203.0.113.8', '6.6.6.6, 203.0.113.8, 127.0.0.1', 'https', 'example.com:8000'],
  ],
  [
    'X-Forwarded-Proto is a list, of which the entry of the trusted hop is used',
    viaXForwarded('X-Forwarded-For: 203.0.113.8, 10.0.0.1', 'X-Forwarded-Proto: https, http', 'X-Forwarded-Host: a, b'),
    ['203.0.113.8', '203.0.113.8, 10.0.0.1, 127.0.0.1', 'https', 'a'],
  ],
  [
    'entries prepended by a client are not trusted',
    viaXForwarded('X-Forwarded-For: 6.6.6.6, 203.0.113.8', 'X-Forwarded-Proto: https', 'X-Forwarded-Proto: http'),
    ['203.0.113.8', '6.6.6.6, 203.0.113.8, 127.0.0.1', 'http', 'example.com:8000'],
  ],
  [
    'a single entry that proxies forward is that of the first proxy',
    viaXForwarded('X-Forwarded-For: 203.0.113.8, 10.0.0.2, 10.0.0.1', 'X-Forwarded-Proto: HTTPS'),
    ['203.0.113.8', '203.0.113.8, 10.0.0.2, 10.0.0.1, 127.0.0.1', 'https', 'example.com:8000'],
  ],
  ['wss is https', viaXForwarded('X-Forwarded-Proto: wss'), ['127.0.0.1', '127.0.0.1', 'https', 'example.com:8000']],
  ['ws is http', viaXForwarded('X-Forwarded-Proto: WS'), ['127.0.0.1', '127.0.0.1', 'http', 'example.com:8000']],
  [
    'other schemes are ignored',
    viaXForwarded('X-Forwarded-Proto: ftp'),
    ['127.0.0.1', '127.0.0.1', 'http', 'example.com:8000'],
  ],
] as const)
  test(`forwarding: ${name}`, async (t) => {
    const { fields, client, log } = await forward(t, [...lines], {
      ...config,
      trustedProxies: [...config.trustedProxies],
    })
    client.reset()
    const address = (await log.line({ message: 'API Gateway Request' }))['ip_address']
    assert.deepEqual(
      [address, fields.get('X-Forwarded-For'), fields.get('X-Forwarded-Proto'), fields.get('X-Forwarded-Host')],
      expected,
    )
    assert.equal(fields.get('Forwarded'), undefined)
  })

const MORE = ['X-Forwarded-Port: 8443', 'X-Forwarded-Prefix: /shop', 'X-Real-IP: 203.0.113.7', 'X-Forwarded-User: root']

test('X-Forwarded-Port, -Prefix and X-Real-IP of a trusted proxy are forwarded, and no others', async (t) => {
  const { fields } = await forward(t, MORE, trusting('127.0.0.1'))
  assert.deepEqual(
    ['X-Forwarded-Port', 'X-Forwarded-Prefix', 'X-Real-IP', 'X-Forwarded-User'].map((name) => fields.get(name)),
    ['8443', '/shop', '203.0.113.7', undefined],
  )
})

test('they are dropped if proxies write Forwarded, or if their values are invalid', async (t) => {
  const forwarded = await forward(t, MORE, { ...trusting('127.0.0.1'), forwarding: 'forwarded' })
  assert.deepEqual(forwarded.fields.names, OWN)
  const bad = [
    'X-Forwarded-Port: 8443x',
    'X-Forwarded-Prefix: //evil.example',
    'X-Forwarded-Prefix: a',
    'X-Real-IP: me',
  ]
  assert.deepEqual((await forward(t, bad, trusting('127.0.0.1'))).fields.names, OWN)
})

test('identity headers of a client are removed in every spelling', async (t) => {
  const { fields } = await forward(t, [
    'X-User-ID: 1',
    'x-user-id: 2',
    'X_User_ID: 3',
    'X-USER_ID: 4',
    'X-User-Roles: admin',
    'x_user_roles: admin',
    'X-Consumer-Tier: gold',
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'X-User-Agent: kept',
  ])
  assert.deepEqual(fields.names, [...OWN, 'x-user-agent'])
})

test('identity headers of a trusted proxy are removed as well', async (t) => {
  const { fields } = await forward(t, ['X-User-ID: 1', 'X-User-Roles: admin'], trusting('127.0.0.1'))
  assert.equal(fields.get('X-User-ID'), undefined)
  assert.equal(fields.get('X-User-Roles'), undefined)
})

test('framing headers in other spellings are removed', async (t) => {
  const { fields } = await forward(t, ['Content_Length: 5', 'Transfer_Encoding: chunked', 'Ho_st: x'])
  assert.deepEqual(fields.names.slice(0, 2), ['ho_st', 'host'])
  assert.equal(fields.get('Content_Length'), undefined)
  assert.equal(fields.get('Transfer_Encoding'), undefined)
})

for (const [host, expected] of [
  ['client', 'example.com:8000'],
  ['instance', undefined],
  ['users.internal:8080', 'users.internal:8080'],
] as const)
  test(`the Host sent to the service can be configured: ${host}`, async (t) => {
    const { fields, service } = await forward(t, [], { service: { host } })
    assert.deepEqual(fields.all('Host'), [expected ?? `127.0.0.1:${service.port}`])
    assert.equal(fields.get('X-Forwarded-Host'), 'example.com:8000')
  })

test('the authority of an absolute-form target replaces Host', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET http://example.com/a/b?c HTTP/1.1\r\nHost: example.com\r\n\r\n')
  const peer = await service.accept()
  const { start, fields } = await peer.request()
  assert.equal(start, 'GET /a/b?c HTTP/1.1')
  assert.deepEqual(fields.all('Host'), ['example.com'])
  peer.write(OK)
  assert.match((await client.reply()).start, / 200 /)
})

test('an HTTP/1.0 request without Host is served, and forwarded with Host', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.0\r\n\r\n')
  const peer = await service.accept()
  const { start, fields } = await peer.request()
  assert.equal(start, 'GET / HTTP/1.1')
  assert.equal(fields.all('Host').length, 1)
  assert.equal(fields.get('X-Forwarded-Host'), undefined)
  peer.write(OK)
  assert.match((await client.reply()).start, / 200 /)
})
