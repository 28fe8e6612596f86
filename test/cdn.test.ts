import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { cdn as policy } from '../src/policies/cdn/policy.ts'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { startService } from './support/service.ts'

type Cdn = Exclude<NonNullable<NonNullable<GatewayInput['policies']>['cdn']>, false>

const OLD = 'the-old-secret-of-the-cdn'
const NEW = 'the-new-secret-of-the-cdn'
const secret = { header: 'X-Origin-Verify', values: [NEW, OLD] }

async function setUp(t: TestContext, cdn: Cdn, listener?: RequestListener, more: GatewayInput = {}) {
  const service = await startService(t, listener)
  const { port, log } = await startGateway(t, proxyTo(service.url, { policies: { cdn }, ...more }))
  return { service, port, log, get: (headers = {}, path = '/') => send(port, { path, headers }) }
}

test('without the secret the reply is 403, two secrets work during rotation, and services never see them', async (t) => {
  const { service, port, get } = await setUp(t, { secret })
  assert.equal((await get()).status, 403)
  assert.equal((await get({ 'X-Origin-Verify': 'another-secret-of-somebody' })).status, 403)
  assert.equal((await get({ 'X-Origin-Verify': [NEW, NEW] })).status, 403)
  assert.equal(service.received.length, 0)
  assert.equal((await get({ 'X-Origin-Verify': NEW })).status, 200)
  assert.equal((await get({ 'X-Origin-Verify': OLD })).status, 200)
  assert.equal(
    service.received.some(({ headers }) => 'x-origin-verify' in headers),
    false,
  )
  assert.equal((await send(port, { path: '/health/live' })).status, 200, 'probes still work')
  assert.equal((await get({}, '/none')).status, 403, 'the routes are not disclosed')
})

test('the CDN is recognized by its network, as the peer or behind a trusted load balancer', async (t) => {
  const peer = await setUp(t, { from: ['127.0.0.0/8'] })
  assert.equal((await peer.get()).status, 200)
  const stranger = await setUp(t, { from: ['192.0.2.0/24'] })
  assert.equal((await stranger.get({ 'X-Forwarded-For': '192.0.2.1' })).status, 403, 'anybody could send it')
  const behind = await setUp(t, { from: ['192.0.2.0/24'] }, undefined, {
    trustedProxies: ['127.0.0.1', '192.0.2.0/24'],
  })
  assert.equal((await behind.get({ 'X-Forwarded-For': '203.0.113.9, 192.0.2.1' })).status, 200)
  assert.equal((await behind.get({ 'X-Forwarded-For': '192.0.2.1, 203.0.113.9' })).status, 403)
  const untrusted = await setUp(t, { from: ['192.0.2.0/24'] }, undefined, { trustedProxies: ['127.0.0.1'] })
  assert.equal((await untrusted.get({ 'X-Forwarded-For': '192.0.2.1' })).status, 200)
})

test('a client that bypasses the CDN cannot pass for it with a forged client header', async (t) => {
  const { get } = await setUp(t, { from: ['192.0.2.0/24'] }, undefined, {
    trustedProxies: ['127.0.0.1', '192.0.2.0/24'],
    clientHeader: 'CF-Connecting-IP',
  })
  const named = (address: string, by: string) => get({ 'CF-Connecting-IP': address, 'X-Forwarded-For': by })
  assert.equal((await named('203.0.113.9', '203.0.113.9, 192.0.2.1')).status, 200)
  assert.equal((await named('192.0.2.1', '203.0.113.9')).status, 403)
})

test('all configured conditions have to be met', async (t) => {
  const { get } = await setUp(t, { from: ['192.0.2.0/24'], secret })
  assert.equal((await get({ 'X-Origin-Verify': NEW })).status, 403)
  const certificate = await setUp(t, { certificate: true })
  assert.equal((await certificate.get()).status, 403)
})

test('with others: pass, headers for the CDN are sent only to the CDN', async (t) => {
  const { get } = await setUp(t, { secret, others: 'pass', tags: 'Cache-Tag' }, (_, response) => {
    response
      .setHeader('Cache-Groups', '"shoes"')
      .setHeader('Surrogate-Control', 'max-age=60')
      .setHeader('Surrogate-Key', 'own')
    response.end()
  })
  const cdn = await get({ 'X-Origin-Verify': NEW })
  assert.deepEqual(
    [cdn.headers['cache-tag'], cdn.headers['surrogate-control'], cdn.headers['surrogate-key']],
    ['shoes', 'max-age=60', 'own'],
  )
  const other = await get()
  assert.equal(other.status, 200)
  for (const name of ['cache-tag', 'surrogate-control', 'surrogate-key']) assert.equal(other.headers[name], undefined)
})

test('a request that loops is 508, and CDN-Loop is extended on forwarding', async (t) => {
  const { service, get } = await setUp(t, { loop: 'gateway.example' })
  assert.equal((await get({ 'CDN-Loop': 'cdn.example; a="1, gateway.example", other' })).status, 200)
  assert.match(
    service.received[0]?.headers['cdn-loop'] as string,
    /^cdn\.example; a="1, gateway\.example", other, gateway\.example$/,
  )
  const looped = await get({ 'CDN-Loop': 'cdn.example, GATEWAY.example;v=1' })
  assert.equal(looped.status, 508)
  assert.equal(looped.headers['content-type'], 'application/problem+json')
  assert.equal(service.received.length, 1)
})

test('a loop between two gateways is stopped', async (t) => {
  const ports: number[] = []
  const service = await startService(t, (request, response) => {
    // Loops back to the gateway.
    const headers = { 'CDN-Loop': String(request.headers['cdn-loop']) }
    void send(ports[0]!, { headers }).then(({ status }) => response.writeHead(status).end())
  })
  const { port } = await startGateway(t, proxyTo(service.url, { policies: { cdn: { loop: 'one' } } }))
  ports.push(port)
  assert.equal((await send(port)).status, 508)
  assert.equal(service.received.length, 1)
})

/** The API of a CDN that answers correctly, and the requests that it received. */
async function startApi(t: TestContext) {
  const requests: { method: string; url: string; key: unknown; type: unknown; body: string }[] = []
  let reported = Promise.withResolvers<void>()
  const { url } = await startService(t, (request, response) => {
    void text(request).then((body) => {
      const { method = '', url: target = '', headers } = request
      const key = headers['fastly-key'] ?? headers.authorization
      requests.push({ method, url: target, key, type: headers['content-type'] ?? headers['surrogate-key'], body })
      response.end('{"status":"ok"}')
      reported.resolve()
    })
  })
  return {
    url,
    asked: requests,
    until: async (count: number): Promise<void> => {
      while (requests.length < count) {
        reported = Promise.withResolvers<void>()
        await reported.promise
      }
    },
  }
}

const hooks = (url: string): Cdn['purge'] => [
  // https://www.fastly.com/documentation/reference/api/purging/
  { url: `${url}/service/S/purge`, headers: { 'Fastly-Key': 'k', 'Surrogate-Key': '{tags}' } },
  { url: `${url}/purge/{host}{path}`, headers: { 'Fastly-Key': 'k' } },
  // https://developers.cloudflare.com/api/resources/cache/methods/purge/
  {
    url: `${url}/client/v4/zones/Z/purge_cache`,
    headers: { Authorization: 'Bearer t' },
    body: '{"prefixes":["{prefix}"]}',
  },
]

test('a purge by an operator is sent to the CDN once', async (t) => {
  const api = await startApi(t)
  const service = await startService(t)
  const { ask } = await startAdminGateway(
    t,
    proxyTo(service.url, { policies: { cache: {}, cdn: { purge: hooks(api.url) } } }),
  )
  const purge = (json: object) => ask('/cache/purge', { method: 'POST', json })
  for (const json of [
    { host: 'shop.example', group: 'shoes' },
    { url: 'http://shop.example/a?b=1' },
    { prefix: 'http://shop.example/products/' },
  ]) {
    const before = api.asked.length
    assert.equal((await purge(json)).status, 200)
    await api.until(before + 1)
  }
  assert.deepEqual(api.asked, [
    { method: 'POST', url: '/service/S/purge', key: 'k', type: 'shoes', body: '' },
    { method: 'POST', url: '/purge/shop.example/a?b=1', key: 'k', type: undefined, body: '' },
    {
      method: 'POST',
      url: '/client/v4/zones/Z/purge_cache',
      key: 'Bearer t',
      type: 'application/json',
      body: '{"prefixes":["shop.example/products/"]}',
    },
  ])
})

test('cache groups in replies to successful unsafe requests are purged in the CDN', async (t) => {
  const api = await startApi(t)
  const { port, service } = await setUp(t, { purge: hooks(api.url) }, (request, response) => {
    response.writeHead(request.url === '/fails' ? 409 : 200, { 'Cache-Group-Invalidation': '"shoes", "socks"' }).end()
  })
  await send(port, { method: 'GET' })
  await send(port, { method: 'POST', path: '/fails' })
  await send(port, { method: 'POST' })
  await api.until(1)
  assert.deepEqual(api.asked[0], { method: 'POST', url: '/service/S/purge', key: 'k', type: 'shoes socks', body: '' })
  assert.deepEqual([api.asked.length, service.received.length], [1, 3])
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_cdn_purges_total', { outcome: 'failed' }), 0)
})

test('a gateway that acts as the CDN stores no private replies', async (t) => {
  let count = 0
  const service = await startService(t, (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://a')
    for (const [name, value] of searchParams) if (name !== 'case') response.setHeader(name, value)
    response.setHeader('X-Count', String(++count)).end('of somebody')
  })
  const key = 'a-key-of-somebody-that-is-long'
  const origin = await startGateway(
    t,
    proxyTo(service.url, {
      policies: {
        cdn: { control: 'max-age=3600', tags: 'Cache-Tag' },
        auth: {
          public: ['/*'],
          methods: { 'api-key': { keys: [{ id: 'k', sha256: hash('sha256', key), owner: 'somebody' }] } },
        },
      },
    }),
  )
  // Like a CDN that trusts every header of the origin and has no rules of its own for cookies and credentials.
  const front = await startGateway(
    t,
    proxyTo(`http://127.0.0.1:${origin.port}`, {
      policies: {
        cache: { share: 'everyone', setCookie: true, ttl: '1h', targets: ['CDN-Cache-Control', 'Surrogate-Control'] },
      },
    }),
  )
  const personal = [{ 'X-API-Key': key }, { Authorization: 'Basic eDp5' }, { Cookie: 'session=1' }]
  const says = [
    '',
    '&Cache-Control=no-cache',
    '&Cache-Control=private',
    '&Cache-Control=private,max-age=60&CDN-Cache-Control=private',
    '&Cache-Control=no-store',
    '&Last-Modified=Thu,%2015%20Jan%202026%2010:30:00%20GMT',
  ]
  let number = 0
  const isStored = async (headers: Record<string, string>, query: string): Promise<boolean> => {
    const path = `/?case=${++number}${query}`
    const first = await send(front.port, { path, headers })
    const second = await send(front.port, { path })
    return first.headers['x-count'] === second.headers['x-count']
  }
  for (const headers of personal)
    for (const query of says) assert.equal(await isStored(headers, query), false, JSON.stringify([headers, query]))
  for (const headers of [...personal, {}])
    for (const query of [
      '',
      '&Cache-Control=max-age=60',
      '&Cache-Control=public,max-age=60',
      '&CDN-Cache-Control=max-age=60',
    ])
      assert.equal(
        await isStored(headers, `${query}&Set-Cookie=a=1`),
        false,
        JSON.stringify([headers, query, 'cookie']),
      )
  for (const headers of personal.slice(0, 2))
    for (const query of ['&Cache-Control=max-age=60', '&CDN-Cache-Control=max-age=60', '&Surrogate-Control=max-age=60'])
      assert.equal(await isStored(headers, query), false, JSON.stringify([headers, query]))
  assert.equal(await isStored({}, ''), true, 'a public reply is stored')
  assert.equal(
    await isStored({ 'X-API-Key': key }, '&Cache-Control=public,max-age=60'),
    true,
    'and so it is if the service says so',
  )
})

test('the API documentation lists the possible rejections', () => {
  const refusalsOf = (written: object): unknown[] =>
    (policy.document?.(policy.options.parse(written), { method: 'GET', path: '/' }).refusals ?? []).map(
      ({ code }) => code,
    )
  assert.deepEqual(refusalsOf({}), [])
  assert.deepEqual(refusalsOf({ secret, loop: 'a' }), ['forbidden', 'loop-detected'])
  assert.deepEqual(refusalsOf({ secret, others: 'pass' }), [])
})
