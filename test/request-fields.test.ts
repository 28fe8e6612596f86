import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import * as fc from 'fast-check'
import type { GatewayInput } from '../src/gateway.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

/** A gateway in front of a service, and which of those headers the service receives. */
async function setUp(t: TestContext, config: GatewayInput = {}) {
  const service = await startService(t)
  const { port, log } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
    ...config,
  })
  const client = await connect(t, port)
  const seen = async (lines: readonly string[], path = '/'): Promise<string[]> => {
    client.write(`GET ${path} HTTP/1.1\r\n${['Host: a', ...lines].map((line) => `${line}\r\n`).join('')}\r\n`)
    assert.match((await client.reply()).start, / 200 /)
    const raw = service.received.at(-1)!.rawHeaders
    const names = raw.filter((_, i) => i % 2 === 0)
    return names.filter((name) => lines.some((line) => line.startsWith(`${name}:`)))
  }
  return { port, log, seen }
}

const policies: GatewayInput['policies'] = {
  'correlation-id': { header: 'X-Request-ID' },
  auth: { methods: { 'api-key': { header: 'X-Partner-Key' } }, public: ['/*'] },
  'request-headers': { set: { 'X-Tenant-ID': '{header.X-Asked-Tenant}' }, remove: ['X-Internal-Debug'] },
}

/** Names that the protocols or those policies set or read. */
const PROTECTED = [
  'X-User-ID',
  'X-User-Roles',
  'X-Consumer-Tier',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Real-IP',
  'Content-Length',
  'Content-Type',
  'Transfer-Encoding',
  'Max-Forwards',
  'Remote-User',
  'X-Remote-User',
  'X-Auth-Request-User',
  'X-Authenticated-Userid',
  'X-Consumer-Username',
  'X-SSL-Client-Verify',
  'SSL-Client-S-DN',
  'Client-Cert',
  'X-Client-Cert-Chain',
  'X-Request-ID',
  'X-Partner-Key',
  'X-Tenant-ID',
  'X-Asked-Tenant',
  'X-Internal-Debug',
]

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-')

test('headers that a CGI service would confuse with protected ones are dropped', async (t) => {
  const { seen } = await setUp(t, { policies })
  const forged = fc.constantFrom(...PROTECTED).chain((name) =>
    fc
      .tuple(
        ...Array.from(name, (character) =>
          character === '-'
            ? fc.constantFrom(...Array.from("!#$%&'*+-.^_`|~"))
            : fc.constantFrom(character.toLowerCase(), character.toUpperCase()),
        ),
      )
      .map((characters) => characters.join(''))
      .filter((spelled) => /[^A-Za-z0-9-]/.test(spelled)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(forged, { minLength: 1, maxLength: 8 }), async (names) => {
      const others = ['grpc_metadata', 'x-amz-meta.a', 'x_a']
      const passed = await seen([...names, ...others].map((name) => `${name}: forged`))
      assert.deepEqual(passed, others)
      assert.ok(names.every((name) => PROTECTED.some((each) => fold(each) === fold(name))))
    }),
    { numRuns: 300 },
  )
})

test('names with unusual characters are forwarded if they resemble no protected name of the route', async (t) => {
  const { seen } = await setUp(t, {
    policies,
    routes: [
      { id: 'all', match: { path: '/*' }, service: 'backend' },
      {
        id: 'open',
        match: { path: '/open/*' },
        service: 'backend',
        policies: { auth: false, 'request-headers': false },
      },
    ],
  })
  const lines = ['X_Partner_Key: 1', 'X.Tenant.ID: 1', 'X_Internal_Debug: 1', 'X.Request.ID: 1', 'a_b.c: 1']
  assert.deepEqual(await seen(lines), ['a_b.c'])
  assert.deepEqual(await seen(lines, '/open/x'), ['X_Partner_Key', 'X.Tenant.ID', 'X_Internal_Debug', 'a_b.c'])
})

test('a protected name with unusual characters is forwarded only in its exact spelling', async (t) => {
  const { seen } = await setUp(t, { policies: { 'correlation-id': { header: 'X_Trace.Id' } } })
  assert.deepEqual(await seen(['X_Trace.Id: a1', 'X-Trace-Id: forged', 'X_Trace_Id: forged', 'Accept: b']), [
    'X_Trace.Id',
    'Accept',
  ])
  assert.deepEqual(await seen(['X-Trace-Id: forged']), [])
})

test('headers used by validation, match, templates or cache are protected', async (t) => {
  const { seen } = await setUp(t, {
    routes: [
      {
        id: 'all',
        match: { path: '/*' },
        service: 'backend',
        policies: {
          validation: { headers: { properties: { 'X-Page-Size': { type: 'integer' } } } },
          transform: { request: { query: { set: { t: '{header.X-Query-Tenant}' } } } },
          cache: {},
        },
      },
      { id: 'beta', match: { path: '/*', headers: { 'X-Beta-User': true } }, service: 'backend' },
    ],
  })
  const lines = ['X_Page_Size: 1', 'X.Query.Tenant: 1', 'If_None_Match: 1', 'X.API.Key: 1', 'X.Beta.User: 1', 'x.y: 1']
  assert.deepEqual(await seen(lines), ['x.y'])
})

/** What a service receives of those trailers. */
async function trailersOf(t: TestContext, config: GatewayInput, lines: readonly string[]): Promise<readonly string[]> {
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url, config))
  const client = await connect(t, port)
  const trailers = lines.map((line) => `${line}\r\n`).join('')
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n${trailers}\r\n`)
  const peer = await service.accept()
  const request = await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.match((await client.reply()).start, / 200 /)
  if (request.trailers.lines.length < lines.length && config.requestFields === undefined)
    await log.line({ field: 'x-tenant-id', reason: 'folded' })
  return request.trailers.lines
}

test('trailers that resemble protected names are dropped', async (t) => {
  const lines = [
    'X-Tenant-ID: 1',
    'x_tenant_id: 2',
    'X.Internal.Debug: 3',
    'X-Partner-Key: 4',
    'X-Checksum: 5',
    'x_y: 6',
  ]
  assert.deepEqual(await trailersOf(t, { policies }, lines), ['X-Checksum: 5', 'x_y: 6'])
  assert.deepEqual(await trailersOf(t, {}, lines), lines)
  assert.deepEqual(await trailersOf(t, { requestFields: 'strict' }, ['X-Checksum: 5', 'x_y: 6']), ['X-Checksum: 5'])
})

test('strict drops every name with characters other than letters, digits and hyphens', async (t) => {
  const { seen } = await setUp(t, { requestFields: 'strict' })
  assert.deepEqual(await seen(['a_b: 1', 'a.b: 1', "a'b: 1", 'a-b: 1', 'X-User_ID: 1', 'Ab1: 1']), ['a-b', 'Ab1'])
})

const claims = [
  'Remote-User: a',
  'X-Remote-User: a',
  'X-Auth-Request-Email: a',
  'X-Consumer-ID: a',
  'X-Authenticated-Groups: a',
  'X-SSL-Client-Cert: a',
  'SSL-Client-Verify: a',
  'Client-Cert: a',
  'X-Client-Cert: a',
]

test('headers that claim an identity are dropped', async (t) => {
  const { seen } = await setUp(t)
  assert.deepEqual(await seen([...claims, 'X-Consume: a', 'X-Auth-Reques: a', 'Client: a', 'X-Auth-Token: a']), [
    'X-Consume',
    'X-Auth-Reques',
    'Client',
    'X-Auth-Token',
  ])
})

test('identity headers of a trusted proxy in proxyFields are forwarded and visible to policies', async (t) => {
  const { seen } = await setUp(t, {
    trustedProxies: ['127.0.0.1'],
    proxyFields: ['x-remote-user', 'X-Auth-Request-*'],
    policies: { 'request-headers': { set: { 'X-Seen': '{header.X-Remote-User}' } } },
  })
  assert.deepEqual(await seen([...claims, 'X-Seen: no']), ['X-Remote-User', 'X-Auth-Request-Email', 'X-Seen'])
  assert.deepEqual(await seen(['X_Remote_User: a', 'X-Auth-Request.Email: a', 'X-User-ID: a']), [])
})

test('proxyFields has no effect for untrusted peers', async (t) => {
  const { seen } = await setUp(t, { trustedProxies: ['10.0.0.0/8'], proxyFields: ['X-Auth-Request-*'] })
  assert.deepEqual(await seen(claims), [])
})

test('dropped headers are counted, and logged once per name', async (t) => {
  const { port, log, seen } = await setUp(t, { policies, requestFields: 'strict' })
  for (let i = 0; i < 3; i++) await seen(['X.User.ID: a', 'a_b: c', 'Remote-User: a'])
  const metrics = await scrape(port)
  for (const reason of ['folded', 'odd', 'identity'])
    assert.equal(metrics.sum('sallyport_request_fields_dropped_total', { reason }), 3, reason)
  const lines = log.lines.filter(({ message }) => String(message).startsWith('Request field dropped'))
  assert.deepEqual(
    lines.map(({ field, reason }) => [field, reason]),
    [
      ['x.user.id', 'folded'],
      ['a_b', 'odd'],
      ['remote-user', 'identity'],
    ],
  )
})

test('headers dropped because of a policy are counted too', async (t) => {
  const { port, log, seen } = await setUp(t, { policies })
  await seen(['X.Tenant.ID: a'])
  assert.equal((await scrape(port)).sum('sallyport_request_fields_dropped_total', { reason: 'folded' }), 1)
  await log.line({ field: 'x.tenant.id', reason: 'folded' })
})

test('a reply to a request with a header that resembles a Vary name is not stored', async (t) => {
  const service = await startService(t, ({ headers }, response) => {
    response.setHeader('Vary', 'Accept-Language').setHeader('Cache-Control', 'max-age=60')
    response.end(String(headers['accept.language'] ?? 'en'))
  })
  const { port } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    policies: { cache: {} },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  const client = await connect(t, port)
  const ask = async (line: string): Promise<[string, string | undefined]> => {
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n`)
    const { body, fields } = await client.reply()
    return [body.toString(), fields.get('Cache-Status')]
  }
  assert.deepEqual(await ask('Accept.Language: de\r\n'), ['de', 'sallyport; fwd=uri-miss; detail=vary-name'])
  assert.deepEqual(await ask(''), ['en', 'sallyport; fwd=uri-miss; stored'])
})
