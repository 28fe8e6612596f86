import assert from 'node:assert/strict'
import { Server } from 'node:net'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { startDeafService } from './support/deaf-service.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'
import { poolOf } from './support/settled.ts'

async function setUp(t: TestContext, instances: string[]) {
  const clock = new ManualClock()
  const { port, gateway, log } = await startGateway(t, proxyTo(instances), { clock })
  return {
    clock,
    port,
    log,
    /** Waits until a connection to the nth instance is being established. */
    connecting: async (n: number): Promise<void> => {
      while (poolOf(gateway, n).connecting === 0) await new Promise(setImmediate)
    },
  }
}

test('after timeouts.connect the next instance is tried', async (t) => {
  const [deaf, well] = [await startDeafService(t), await startService(t)]
  const { clock, port, connecting } = await setUp(t, [deaf.url, well.url])
  const pending = send(port, { method: 'POST', body: 'body' })
  await connecting(0)
  clock.advance(2_300)
  assert.equal((await pending).text, String(well.port))
})

test('if no instance can be connected to, the reply is 503 after one try of each', async (t) => {
  const [one, two] = [await startDeafService(t), await startDeafService(t)]
  const { clock, port, log, connecting } = await setUp(t, [one.url, two.url])
  const pending = send(port)
  await connecting(0)
  clock.advance(2_300)
  await connecting(1)
  clock.advance(2_300)
  const reply = await pending
  assert.equal(reply.status, 503)
  assert.equal((JSON.parse(reply.text) as { detail: string }).detail, 'Service unavailable')
  assert.match(JSON.stringify(await log.line({ message: 'Request failed in the service' })), /within 2000 ms/)
})

test('a client that disconnects while the gateway connects to the service ends the exchange', async (t) => {
  const deaf = await startDeafService(t)
  const { clock, port, log, connecting } = await setUp(t, [deaf.url])
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await connecting(0)
  client.reset()
  assert.equal((await log.line({ message: 'API Gateway Request' }))['status_code'], 499)
  clock.advance(2_300)
})

test('an error while accepting one connection does not affect others', async (t) => {
  const service = await startService(t)
  const listen = t.mock.method(Server.prototype, 'listen')
  const { port } = await startGateway(t, proxyTo(service.url))
  const [listener] = listen.mock.calls.map((call) => call.this)
  assert.ok(listener instanceof Server)
  listener.emit('error', new Error('accept EPROTO'))
  assert.equal((await send(port)).status, 200)
})
