import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'

type Route = NonNullable<GatewayInput['routes']>[number]

/** A gateway whose route forwards to a service and mirrors to another one; `copied` is called for each copy. */
async function setUp(
  t: TestContext,
  route: Partial<Route> = {},
  copy: RequestListener = (_, response) => void response.end(),
) {
  const copies: { method: string; url: string; host: string; body: string; tenant: string }[] = []
  let reported = Promise.withResolvers<void>()
  const main = await startService(t, (request, response) => {
    request.resume().on('end', () => response.end('main'))
  })
  const other = await startService(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const body = Buffer.concat(chunks).toString()
      copies.push({ method, url, host: headers.host ?? '', body, tenant: String(headers['x-tenant']) })
      copy(request, response)
      reported.resolve()
    })
  })
  const services = {
    main: { instances: [main.url], health: false as const },
    other: { instances: [other.url], health: false as const },
  }
  const routes = [{ id: 'a', match: { path: '/a/*' }, service: 'main', mirror: { service: 'other' }, ...route }]
  const { port, log } = await startGateway(t, { services, routes })
  const client = await connect(t, port)
  return {
    main,
    other,
    copies,
    log,
    port,
    /** Resolves once that many copies have arrived. */
    copied: async (count: number): Promise<void> => {
      while (copies.length < count) {
        reported = Promise.withResolvers<void>()
        await reported.promise
      }
    },
    ask: async (method = 'GET', path = '/a/x?y=1', body = '', ...lines: string[]) => {
      const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
      client.write(
        `${method} ${path} HTTP/1.1\r\n${['Host: a.example', ...length, ...lines].join('\r\n')}\r\n\r\n${body}`,
      )
      const { start, body: answer } = await client.reply(method)
      return `${start.split(' ')[1]} ${answer.toString()}`
    },
  }
}

test('the copy has the body, query and headers as changed by policies and rewrites', async (t) => {
  const { ask, copied, copies } = await setUp(t, {
    rewrite: { strip: '/a' },
    policies: { 'request-headers': { set: { 'x-tenant': 'acme' } } },
  })
  assert.equal(await ask('POST', '/a/x?y=1', 'some body'), '200 main')
  await copied(1)
  assert.deepEqual(copies, [{ method: 'POST', url: '/x?y=1', host: 'a.example', body: 'some body', tenant: 'acme' }])
})

test('the copy has the path that transform has given the request, and no changes for a service of a split', async (t) => {
  const { port, copied, copies } = await setUp(t, {
    policies: { transform: { request: { path: '/v2{path}', query: { set: { z: '2' } } } } },
    service: undefined,
    split: { services: { main: 1 }, headers: { main: { request: { set: { 'x-tenant': 'main' } } } } },
  })
  const client = await connect(t, port)
  client.write('GET /a/x?y=1 HTTP/1.1\r\nHost: a.example\r\nX-Tenant: acme\r\n\r\n')
  await copied(1)
  assert.deepEqual(copies, [{ method: 'GET', url: '/v2/a/x?y=1&z=2', host: 'a.example', body: '', tenant: 'acme' }])
})

test('failures of the mirror service do not affect the client', async (t) => {
  const { ask, copied, other, log } = await setUp(t, {}, (request) => void request.socket.resetAndDestroy())
  assert.equal(await ask(), '200 main')
  await copied(1)
  await other.kill()
  assert.equal(await ask(), '200 main')
  assert.deepEqual(
    log.requests.map(({ service }) => service),
    ['main', 'main'],
  )
})

test('a mirror service that never answers blocks nobody, and gets at most 100 copies at a time', async (t) => {
  const { ask, other, port, copied } = await setUp(t, {}, () => {})
  for (let i = 0; i < 105; i++) assert.equal(await ask(), '200 main')
  await copied(100)
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_mirrored_requests_dropped_total', { service: 'other' }), 5)
  assert.equal(other.received.length, 100)
})

test('a configured share of requests is copied', async (t) => {
  const { ask, other, copied } = await setUp(t, { mirror: { service: 'other', share: '25%' } })
  for (let i = 0; i < 40; i++) await ask()
  await copied(9)
  assert.ok(Math.abs(other.received.length - 10) <= 1, String(other.received.length))
})

test('requests answered by a policy are not copied', async (t) => {
  const auth = { methods: { jwt: { secret: 'x'.repeat(32) } } }
  const { ask, other, main } = await setUp(t, { policies: { auth } })
  assert.match(await ask(), /^401/)
  assert.equal(main.received.length + other.received.length, 0)
})

test('the copy of a request whose client has left has its whole query, even if another route has credentials in such a parameter', async (t) => {
  const copied = Promise.withResolvers<string>()
  const asked = Promise.withResolvers<void>()
  const main = await startService(t, () => asked.resolve())
  const other = await startService(t, ({ url = '' }, response) => {
    response.end()
    copied.resolve(url)
  })
  const keys = { query: 'k', keys: [{ id: 'ci', sha256: 'a'.repeat(64) }] }
  const { port, log } = await startGateway(t, {
    services: {
      main: { instances: [main.url], health: false },
      other: { instances: [other.url], health: false },
    },
    routes: [
      { id: 'a', match: { path: '/a' }, service: 'main', mirror: { service: 'other' } },
      { id: 'b', match: { path: '/b' }, service: 'main', policies: { auth: { methods: { 'api-key': keys } } } },
    ],
  })
  const client = await connect(t, port)
  client.write('GET /a?k=shoes HTTP/1.1\r\nHost: a.example\r\n\r\n')
  await asked.promise
  client.socket.destroy()
  assert.equal(await copied.promise, '/a?k=shoes')
  assert.match(String((await log.line({ status_code: 499 }))['url']), /\/a\?k=\[redacted\]$/)
})
