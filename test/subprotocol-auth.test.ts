import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { cleanUp } from './support/cleanup.ts'
import { startGateway } from './support/gateway.ts'
import { SECRET, tokenOf } from './support/tokens.ts'

const token = tokenOf({ claims: { exp: Math.floor(Date.now() / 1000) + 3600 } })
const expired = tokenOf({ claims: { exp: 1 } })

/**
 * A chat that chooses `chosen` from the offered subprotocols, or none, behind a gateway that accepts tokens in a
 * subprotocol.
 */
async function setUp(t: TestContext, chosen: string | false, options: object = {}) {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => chosen })
  await once(sockets, 'listening')
  const received: unknown[] = []
  const users: unknown[] = []
  sockets.on('connection', (_, { headers }) => {
    received.push(headers['sec-websocket-protocol'])
    users.push(headers['x-user-id'])
  })
  cleanUp(t, () => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
  })
  const { port, log } = await startGateway(t, {
    services: { chat: { instances: [`http://127.0.0.1:${(sockets.address() as AddressInfo).port}`], health: false } },
    policies: { auth: { methods: { jwt: { secret: SECRET, subprotocol: 'bearer', ...options } }, public: ['/open'] } },
    routes: [{ id: 'chat', match: { path: '/*' }, service: 'chat' }],
  })
  return { port, received, users, log }
}

/** The outcome for the client: the chosen protocol, the status of a rejection, or what is wrong with the reply. */
async function open(t: TestContext, port: number, offered: string[], path = '/chat'): Promise<string | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, offered)
  cleanUp(t, () => socket.terminate())
  return new Promise((resolve) => {
    socket.on('open', () => resolve(socket.protocol))
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
    socket.on('error', ({ message }) => resolve(message))
  })
}

test('a token in a subprotocol is accepted and removed, and the service chooses among the others', async (t) => {
  const { port, received, users, log } = await setUp(t, 'chat.v2')
  assert.equal(await open(t, port, ['chat.v1', 'bearer', token, 'chat.v2']), 'chat.v2')
  assert.deepEqual([received, users], [['chat.v1, chat.v2'], ['alice']])
  assert.equal(await open(t, port, ['chat.v2', 'bearer', expired]), 401)
  await log.line({ status_code: 401 })
  assert.doesNotMatch(JSON.stringify(log.lines), /eyJ/)
})

test('if the service chooses none, the client gets the one it offered', async (t) => {
  const { port, received } = await setUp(t, false)
  assert.equal(await open(t, port, ['bearer', token]), 'bearer')
  assert.equal(await open(t, port, ['chat.v1', 'bearer', token]), 'bearer')
  assert.deepEqual(received, [undefined, 'chat.v1'])
})

test('on a public path a token is removed, valid or not, and the handshake succeeds', async (t) => {
  const { port, received, users } = await setUp(t, false)
  assert.equal(await open(t, port, ['bearer', expired], '/open'), 'bearer')
  assert.equal(await open(t, port, ['bearer', 'opaque'], '/open'), 'bearer')
  assert.equal(await open(t, port, ['bearer'], '/open'), 'bearer')
  assert.equal(await open(t, port, [], '/open'), '')
  assert.deepEqual([received, users], [Array(4).fill(undefined), Array(4).fill(undefined)])
})

test('clients without a token subprotocol are answered as usual', async (t) => {
  const { port } = await setUp(t, false, { query: 'access_token' })
  const path = `/chat?access_token=${token}`
  assert.equal(await open(t, port, ['chat.v1'], path), 'Server sent no subprotocol')
  assert.equal(await open(t, port, ['BEARER', 'chat.v1'], path), 'Server sent no subprotocol')
  assert.equal(await open(t, port, ['chat.v1', token]), 401)
  assert.equal(await open(t, port, ['bearer', 'chat.v1'], path), 'bearer')
})
