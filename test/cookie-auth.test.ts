import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import type { AddressInfo } from 'node:net'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'
import { SECRET, tokenOf } from './support/tokens.ts'

const APP = 'https://app.example.com'
const EVIL = 'https://attacker.test'
const token = tokenOf({ claims: { exp: Math.floor(Date.now() / 1000) + 3600 } })
const cookie = { Cookie: `theme=dark; session=${token}` }

/**
 * /api/* accepts tokens in a cookie, from pages of the gateway and of trusted.example; /shared/* also from APP, which
 * cors allows.
 */
async function setUp(t: TestContext) {
  const service = await startService(t)
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(sockets, 'listening')
  cleanUp(t, () => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
  })
  const { port } = await startGateway(t, {
    services: {
      backend: { instances: [service.url], health: false },
      chat: { instances: [`http://127.0.0.1:${(sockets.address() as AddressInfo).port}`], health: false },
    },
    policies: {
      auth: { methods: { jwt: { secret: SECRET, cookie: 'session', trustedOrigins: ['https://trusted.example'] } } },
    },
    routes: [
      { id: 'api', match: { path: '/api/*' }, service: 'backend' },
      { id: 'chat', match: { path: '/api/chat' }, service: 'chat' },
      {
        id: 'shared',
        match: { path: '/shared/*' },
        service: 'backend',
        policies: { cors: { origins: [APP], credentials: true } },
      },
      {
        id: 'shared-chat',
        match: { path: '/shared/chat' },
        service: 'chat',
        policies: { cors: { origins: [APP], credentials: true } },
      },
      {
        id: 'public-chat',
        match: { path: '/readable/chat' },
        service: 'chat',
        policies: { cors: { origins: [APP] } },
      },
    ],
  })
  return { service, port, own: `http://127.0.0.1:${port}` }
}

test('over plain HTTP, where browsers send no Sec-Fetch-Site, a cookie is only accepted from pages of the same origin', async (t) => {
  const { service, port, own } = await setUp(t)
  const post = async (origin: string | null, path = '/api/a', more = {}) => {
    const headers = { ...cookie, ...(origin !== null && { Origin: origin }), ...more }
    return (await send(port, { path, method: 'POST', headers, body: 'amount=1' })).status
  }
  for (const origin of ['null', EVIL, `${own}.attacker.test`, 'http://127.0.0.1', APP])
    assert.equal(await post(origin), 401, origin)
  assert.equal(service.received.length, 0)
  for (const origin of [own, null, 'https://trusted.example']) assert.equal(await post(origin), 200, String(origin))
  // Origins allowed by cors to send credentials may; others may not, nor on other routes.
  assert.equal(await post(APP, '/shared/a'), 200)
  assert.equal(await post(APP, '/shared/a', { 'Sec-Fetch-Site': 'cross-site' }), 200)
  for (const origin of ['null', EVIL]) assert.equal(await post(origin, '/shared/a'), 401, origin)
  assert.equal(await post(APP, '/api/a', { 'Sec-Fetch-Site': 'cross-site' }), 401)
  // A token that browsers do not send by themselves cannot be misused by other sites.
  const bearer = { Authorization: `Bearer ${token}`, Origin: 'null' }
  assert.equal((await send(port, { path: '/api/a', method: 'POST', headers: bearer })).status, 200)
})

/** The status of the reply to a WebSocket: 101 if it opens. */
async function open(t: TestContext, port: number, path: string, origin: string | null): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    headers: { ...cookie, ...(origin !== null && { Origin: origin }) },
  })
  cleanUp(t, () => socket.terminate())
  socket.on('error', () => {})
  return new Promise((resolve) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
  })
}

test('a WebSocket with the cookie is only accepted from pages of the same origin or those allowed credentials by cors', async (t) => {
  const { port, own } = await setUp(t)
  assert.equal(await open(t, port, '/api/chat', own), 101)
  assert.equal(await open(t, port, '/api/chat', null), 101)
  assert.equal(await open(t, port, '/api/chat', 'https://trusted.example'), 101)
  assert.equal(await open(t, port, '/shared/chat', APP), 101)
  assert.equal(await open(t, port, '/shared/chat', own), 101)
  for (const [path, origin] of [
    ['/api/chat', APP],
    ['/api/chat', EVIL],
    ['/api/chat', 'null'],
    ['/shared/chat', EVIL],
    ['/shared/chat', 'null'],
    ['/readable/chat', APP],
  ] as const)
    assert.equal(await open(t, port, path, origin), 401, `${path} ${origin}`)
})
