import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigError, type GatewayInput } from '../../src/gateway.ts'
import { startGateway } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { connect, refused, startRawService } from '../support/peer.ts'
import { startService } from '../support/service.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** Fixed replies with that text. */
function replying(body: string, more: GatewayInput = {}): GatewayInput {
  return { routes: [{ id: 'own', match: { path: '/*' }, reply: { status: 200, body } }], ...more }
}

/** The rest of a test gateway's configuration; the same in each of its configurations. */
const REST: GatewayInput = {
  listeners: [{ address: '127.0.0.1:0' }],
  admin: false,
  endpoints: { docs: false, openapi: false },
  drainTimeout: '1s',
}

test('after a reload the next request uses the new configuration, on the same connection', async (t) => {
  const { gateway, port, log } = await startGateway(t, replying('one'))
  const client = await connect(t, port)
  client.write(GET)
  assert.equal((await client.reply()).body.toString(), 'one')
  const { outcome, revision } = await gateway.reload({ ...REST, ...replying('two') })
  assert.equal(outcome, 'applied')
  client.write(GET)
  assert.equal((await client.reply()).body.toString(), 'two')
  const line = await log.line({ message: 'Configuration applied' })
  assert.deepEqual([line['revision'], line['generation']], [revision, 2])
})

test('an equal configuration changes nothing', async (t) => {
  const { gateway, port, log } = await startGateway(t, replying('one'))
  const { revision } = await gateway.reload({ ...REST, ...replying('two') })
  assert.deepEqual(await gateway.reload({ ...REST, ...replying('two') }), { outcome: 'unchanged', revision })
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`)
  const text = await metrics.text()
  assert.match(text, /^sallyport_config_reloads_total\{outcome="applied"\} 1$/m)
  assert.match(text, /^sallyport_config_reloads_total\{outcome="unchanged"\} 1$/m)
  assert.ok(text.includes(`sallyport_config_info{revision="${revision}"} 1`))
  await log.line({ message: 'Configuration unchanged' })
})

test('an invalid configuration, one without routes, and one that needs a restart are rejected without effect', async (t) => {
  const { gateway, port, log } = await startGateway(t, replying('one'))
  const bad = { ...REST, ...replying('two', { drainTimeout: '4000d' }) }
  await assert.rejects(
    gateway.reload(bad),
    (error) => error instanceof ConfigError && /drainTimeout/.test(error.message),
  )
  await assert.rejects(
    gateway.reload({ ...REST, routes: [] }),
    /the new configuration has no routes, but the running one has 1/,
  )
  const restart = { ...REST, ...replying('two', { workers: 3, stores: { memory: { entries: 2048 } } }) }
  await assert.rejects(
    gateway.reload(restart),
    /^ConfigError: workers: has changed, .*\nstores\.memory\.entries: has changed, /,
  )
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'one')
  const line = log.lines.find(({ message }) => String(message).startsWith('Configuration refused'))
  assert.match(String(line!['problems']), /^drainTimeout: /)
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  assert.match(text, /^sallyport_config_reloads_total\{outcome="refused"\} 3$/m)
  assert.match(text, /^sallyport_config_last_reload_successful 0$/m)
  await gateway.reload({ ...REST, ...replying('two') })
  assert.match(
    await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    /^sallyport_config_last_reload_successful 1$/m,
  )
})

test('a request in progress finishes with its old configuration, although its instance and route are gone', async (t) => {
  const service = await startRawService(t)
  const { gateway, port } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  const client = await connect(t, port)
  client.write(GET)
  const peer = await service.accept()
  await peer.request()
  await gateway.reload({ ...REST, ...replying('two') })
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate')
  assert.equal((await client.reply()).body.toString(), 'late')
  client.write(GET)
  assert.equal((await client.reply()).body.toString(), 'two')
})

test('an unchanged instance keeps its pool, and an added one gets no requests before its first check passes', async (t) => {
  const stored = await startService(t)
  let checks = 0
  const broken = await startService(t, undefined, { health: () => (checks++, 503) })
  const config = (instances: string[]): GatewayInput => ({
    services: { backend: { instances } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  const { gateway, port } = await startGateway(t, config([stored.url]))
  await fetch(`http://127.0.0.1:${port}/`)
  const before = stored.connections
  await gateway.reload({ ...REST, ...config([stored.url, broken.url]) })
  assert.ok(checks > 0)
  for (let i = 0; i < 10; i++) assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  assert.equal(broken.received.length, 0)
  assert.equal(stored.received.length, 11)
  assert.equal(stored.connections, before)
})

test('reloads are applied one after the other', async (t) => {
  const { gateway, port } = await startGateway(t, replying('0'))
  const texts = Array.from({ length: 5 }, (_, i) => String(i + 1))
  await Promise.all(texts.map((text) => gateway.reload({ ...REST, ...replying(text) })))
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), '5')
})

test('a gateway that is stopping rejects reloads', async (t) => {
  const { gateway } = await startGateway(t, replying('one'))
  await gateway.close()
  await assert.rejects(gateway.reload({ ...REST, ...replying('two') }), /the gateway is stopping/)
})

test('a listener is added and another removed without affecting clients of the remaining one', async (t) => {
  const { gateway, port } = await startGateway(t, replying('one'))
  const client = await connect(t, port)
  client.write(GET)
  await client.reply()
  const listeners = [{ address: '127.0.0.1:0' }, { address: '127.0.0.2:0' }]
  await gateway.reload({ ...REST, ...replying('two'), listeners })
  assert.equal(gateway.addresses[0]!.port, port)
  const added = gateway.addresses[1]!.port
  assert.equal(await (await fetch(`http://127.0.0.2:${added}/`)).text(), 'two')
  client.write(GET)
  assert.equal((await client.reply()).body.toString(), 'two')
  await gateway.reload({ ...REST, ...replying('three') })
  await refused(added, '127.0.0.2')
  client.write(GET)
  assert.equal((await client.reply()).body.toString(), 'three')
})

test('the load time is that of the running configuration', async (t) => {
  const clock = new ManualClock()
  const { gateway, port } = await startGateway(t, replying('one'), { clock })
  const loaded = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    return Number(/^sallyport_config_loaded_timestamp_seconds (.*)$/m.exec(text)?.[1])
  }
  const began = await loaded()
  assert.equal(began, clock.wall() / 1000)
  clock.advance(60_000)
  await assert.rejects(gateway.reload({ ...REST, routes: [] }))
  assert.equal(await loaded(), began)
  await gateway.reload({ ...REST, ...replying('two') })
  assert.equal(await loaded(), began + 60)
})
