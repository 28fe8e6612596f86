import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import type { GatewayInput } from '../src/gateway.ts'
import { cleanUp } from './support/cleanup.ts'
import { proxyTo, startGateway } from './support/gateway.ts'

/** A server with sockets that echo, until the end of the test; returns its URL. */
async function startSocketIo(t: TestContext): Promise<string> {
  const http = createServer()
  const server = new Server(http)
  server.on('connection', (socket) => {
    socket.on('echo', (text: string, answer: (text: string) => void) => answer(text))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  cleanUp(t, () => server.close())
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}

async function startTwo(t: TestContext, service: NonNullable<Parameters<typeof proxyTo>[1]>['service'] = {}) {
  const config: GatewayInput = proxyTo([await startSocketIo(t), await startSocketIo(t)], {
    service,
    secrets: ['a secret of this test, of 32 bytes and more'],
    listeners: [{ address: '127.0.0.1:0' }],
  })
  return startGateway(t, config)
}

/** The outcome of a client that polls and echoes that many texts: what it received, or that its session was lost. */
function poll(t: TestContext, port: number, texts: readonly string[]): Promise<readonly string[] | 'lost'> {
  const client = io(`http://127.0.0.1:${port}`, {
    transports: ['polling'],
    withCredentials: true,
    reconnection: false,
    forceNew: true,
  })
  cleanUp(t, () => void client.close())
  return new Promise((resolve, reject) => {
    client.io.on('error', () => resolve('lost'))
    client.io.on('close', () => resolve('lost'))
    client.on('connect', () => {
      Promise.all(texts.map((text): Promise<string> => client.emitWithAck('echo', text))).then(resolve, reject)
    })
  })
}

test('without sticky sessions, polling across two instances loses its session', async (t) => {
  const { port } = await startTwo(t)
  assert.equal(await poll(t, port, ['a']), 'lost')
})

test('with sticky sessions, polling keeps its session', async (t) => {
  const { port } = await startTwo(t, { sticky: {} })
  const texts = ['a', 'b', 'c', 'd', 'e', 'f']
  for (let i = 0; i < 6; i++) assert.deepEqual(await poll(t, port, texts), texts)
})
