import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, startRawService } from './support/peer.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startService, type TestService } from './support/service.ts'

const secrets = ['a secret of this test, of 32 bytes and more']

async function setUp(t: TestContext, services: readonly TestService[], more: GatewayInput = {}, sticky = {}) {
  const instances = services.map(({ url }) => url)
  const config = proxyTo(instances, { service: { sticky }, secrets, ...more })
  const { port, gateway } = await startGateway(t, config, { clock: new ManualClock() })
  /** Sends a request as a client that keeps its one cookie in `jar`. */
  const ask = async (jar: { cookie?: string }, path = '/') => {
    const reply = await send(port, { path, headers: jar.cookie === undefined ? {} : { Cookie: jar.cookie } })
    const [set] = reply.headers['set-cookie'] ?? []
    if (set !== undefined) jar.cookie = set.split(';')[0]!
    return reply
  }
  return { port, gateway, ask }
}

test('a client with the cookie stays on its instance, and others are balanced', async (t) => {
  const services = [await startService(t), await startService(t)]
  const { ask } = await setUp(t, services)
  const [one, other] = [{}, {}]
  const first = await ask(one)
  assert.match(first.headers['set-cookie']![0]!, /^sallyport-backend=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/)
  assert.equal(first.headers['cache-control'], 'private')
  assert.notEqual((await ask(other)).text, first.text)
  for (let i = 0; i < 5; i++) {
    const reply = await ask(one)
    assert.equal(reply.text, first.text)
    assert.equal(reply.headers['set-cookie'], undefined)
    assert.equal(reply.headers['cache-control'], undefined)
  }
})

test('if the instance cannot be connected to, the client moves to another and stays there', async (t) => {
  const services = [await startService(t), await startService(t), await startService(t)]
  const { ask } = await setUp(t, services)
  const jar = {}
  const first = await ask(jar)
  await services.find(({ port }) => String(port) === first.text)!.kill()
  const second = await ask(jar)
  assert.equal(second.status, 200)
  assert.equal(second.headers['set-cookie']?.length, 1)
  for (let i = 0; i < 5; i++) assert.equal((await ask(jar)).text, second.text)
})

test('two services each bind the client to one of their instances', async (t) => {
  const services = [await startService(t), await startService(t), await startService(t), await startService(t)]
  const [a, b, c, d] = services.map(({ url }) => url)
  const { port } = await startGateway(t, {
    secrets,
    services: {
      one: { instances: [a!, b!], health: false, sticky: {} },
      two: { instances: [c!, d!], health: false, sticky: { cookie: 'at', ttl: '1h' } },
    },
    routes: [
      { id: 'one', match: { path: '/one' }, service: 'one' },
      { id: 'two', match: { path: '/two' }, service: 'two' },
    ],
  })
  const [one, two] = [await send(port, { path: '/one' }), await send(port, { path: '/two' })]
  const set = [one, two].map(({ headers }) => headers['set-cookie']![0]!)
  assert.match(set[1]!, /^at=[\w-]{22}\.[0-9a-z]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600$/)
  const headers = { Cookie: set.map((cookie) => cookie.split(';')[0]).join('; ') }
  for (let i = 0; i < 4; i++) {
    assert.equal((await send(port, { path: '/one', headers })).text, one.text)
    assert.equal((await send(port, { path: '/two', headers })).text, two.text)
  }
})

test('a reply that sets the cookie is not stored, even if Set-Cookie may be stored', async (t) => {
  const cached = { 'Cache-Control': 'public, max-age=600' }
  const listener = (_: unknown, response: ServerResponse): void => void response.writeHead(200, cached).end('page')
  const services = [await startService(t, listener)]
  const { ask } = await setUp(t, services, { policies: { cache: { setCookie: true, share: 'everyone' } } })
  const [one, other] = [{}, {}]
  assert.match(String((await ask(one)).headers['cache-status']), /detail=private/)
  assert.match((await ask(other)).headers['set-cookie']![0]!, /^sallyport-backend=/)
  // With its cookie no new one is needed, and the reply is public.
  await ask(one)
  const stored = await ask({})
  assert.match(String(stored.headers['cache-status']), /hit/)
  assert.equal(stored.headers['set-cookie'], undefined)
  assert.equal(services[0]!.received.length, 3)
})

test('a reply that sets the cookie is not stored, even with CDN-Cache-Control', async (t) => {
  const cached = { 'Cache-Control': 'no-store', 'CDN-Cache-Control': 'max-age=600' }
  const services = [await startService(t, (_, response) => void response.writeHead(200, cached).end('page'))]
  const { ask } = await setUp(t, services, { policies: { cache: { setCookie: true, share: 'everyone' } } })
  for (let i = 0; i < 2; i++) assert.match(String((await ask({})).headers['cache-status']), /detail=private/)
  assert.equal(services[0]!.received.length, 2)
})

test('a WebSocket uses the instance of the cookie, or sets the cookie', async (t) => {
  const services = [await startRawService(t), await startRawService(t)]
  const instances = services.map(({ port }) => `http://127.0.0.1:${port}`)
  const { port } = await startGateway(t, proxyTo(instances, { service: { sticky: {} }, secrets }))
  const open = async (cookie: string, service: (typeof services)[number]): Promise<string> => {
    const client = await connect(t, port)
    client.write(
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${cookie}\r\n`,
    )
    const peer = await service.accept()
    await peer.request()
    peer.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    )
    return client.until('\r\n\r\n')
  }
  const [, set = ''] = /^Set-Cookie: ([^;]+)/im.exec(await open('', services[0]!)) ?? []
  assert.match(set, /^sallyport-backend=/)
  for (let i = 0; i < 3; i++) assert.doesNotMatch(await open(`Cookie: ${set}\r\n`, services[0]!), /Set-Cookie/i)
})

test('after a stale idle connection, a bound request goes to its instance again', async (t) => {
  const services = [await startRawService(t), await startRawService(t)]
  const instances = services.map(({ port }) => `http://127.0.0.1:${port}`)
  const { port } = await startGateway(t, proxyTo(instances, { service: { sticky: {} }, secrets }))
  const first = send(port)
  const peer = await services[0]!.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const [set = ''] = (await first).headers['set-cookie'] ?? []
  const second = send(port, { headers: { Cookie: set.split(';')[0] } })
  await peer.request()
  peer.end()
  const again = await services[0]!.accept()
  await again.request()
  again.write('HTTP/1.1 204 No Content\r\n\r\n')
  assert.equal((await second).status, 204)
})
