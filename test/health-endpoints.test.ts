import assert from 'node:assert/strict'
import test from 'node:test'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

const { version } = (await import('../package.json', { with: { type: 'json' } })).default

test('GET /health has the format of the specification', async (t) => {
  const [users, orders] = [await startService(t), await startService(t)]
  const { port } = await startGateway(
    t,
    { services: { 'user-service': { instances: [users.url] }, 'order-service': { instances: [orders.url] } } },
    { clock: new ManualClock(Date.UTC(2024, 0, 15, 10, 30)) },
  )
  const reply = await send(port, { path: '/health' })
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['content-type'], 'application/json')
  assert.equal(reply.headers['cache-control'], 'no-store')
  assert.deepEqual(JSON.parse(reply.text), {
    status: 'healthy',
    timestamp: '2024-01-15T10:30:00Z',
    version,
    services: { 'user-service': 'healthy', 'order-service': 'healthy' },
  })
})

test('GET /health is 200 and "degraded" if a service is down', async (t) => {
  const well = await startService(t)
  const ill = await startService(t, undefined, { health: () => 500 })
  const { port } = await startGateway(t, {
    services: {
      well: { instances: [well.url] },
      half: { instances: [well.url, ill.url] },
      ill: { instances: [ill.url] },
    },
  })
  const reply = await send(port, { path: '/health' })
  assert.equal(reply.status, 200)
  const { status, services } = JSON.parse(reply.text) as { status: string; services: unknown }
  assert.equal(status, 'degraded')
  assert.deepEqual(services, { well: 'healthy', half: 'degraded', ill: 'unhealthy' })
})

test('a catch-all route does not hide the health endpoints', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  for (const path of ['/health', '/health/live', '/health/ready'])
    assert.equal((await send(port, { path })).headers['content-type'], 'application/json')
  assert.equal(service.received.length, 0)
})

test('HEAD is supported', async (t) => {
  const { port } = await startGateway(t, {})
  for (const path of ['/health', '/health/live', '/health/ready']) {
    const reply = await send(port, { path, method: 'HEAD' })
    assert.equal(reply.status, 200, path)
    assert.equal(reply.body.length, 0)
  }
})

test('POST to a health endpoint is 405', async (t) => {
  const { port } = await startGateway(t, {})
  const reply = await send(port, { path: '/health', method: 'POST' })
  assert.equal(reply.status, 405)
  assert.match(reply.headers.allow!, /GET/)
})

test('readiness is 503 until every instance has been checked once; liveness is 200', async (t) => {
  const service = await startRawService(t)
  const config = proxyTo(service.url, { service: { health: { path: '/health' } } })
  const { port, gateway } = await startGateway(t, config, { ready: false })
  const check = await service.accept()
  await check.request()
  const starting = await send(port, { path: '/health/ready' })
  assert.equal(starting.status, 503)
  assert.deepEqual(JSON.parse(starting.text), { status: 'starting' })
  assert.equal((await send(port, { path: '/health/live' })).status, 200)
  assert.equal((await send(port, { path: '/health' })).status, 200)
  check.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
  await gateway.ready
  const ready = await send(port, { path: '/health/ready' })
  assert.equal(ready.status, 200)
  assert.deepEqual(JSON.parse(ready.text), { status: 'ready' })
})

test('readiness is 503 while draining, on connections that are still open', async (t) => {
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  const probe = await connect(t, port)
  client.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  await probe.writeInPieces(['GET /health/ready HTTP/1.1\r\nHost: a\r\n'])
  const closed = gateway.close()
  probe.write('\r\n')
  const reply = await probe.reply()
  assert.match(reply.start, / 503 /)
  assert.deepEqual(JSON.parse(reply.body.toString()), { status: 'draining' })
  assert.equal(reply.fields.get('Connection'), 'close')
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await client.reply()
  for (const each of [probe, client]) each.end()
  await closed
})

test('health checks use the configured path', async (t) => {
  const seen: string[] = []
  const service = await startService(t, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`)
    response.writeHead(204).end()
  })
  const check = { path: '/status?deep=1', status: ['200-299' as const] }
  const { port } = await startGateway(t, proxyTo(service.url, { service: { health: check } }))
  assert.deepEqual(seen, [`GET /status?deep=1 ${service.address}`])
  const reply = await send(port, { path: '/health' })
  assert.deepEqual((JSON.parse(reply.text) as { services: unknown }).services, { backend: 'healthy' })
})

test('a health check that hangs times out', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const config = proxyTo(service.url, { service: { health: { timeout: '5s' } } })
  const { port, gateway } = await startGateway(t, config, { clock, ready: false })
  const check = await service.accept()
  await check.request()
  clock.advance(5_000)
  await gateway.ready
  assert.equal((await send(port)).status, 503)
  await check.closed()
})

test('health and metrics can have other paths', async (t) => {
  const { port } = await startGateway(t, { endpoints: { health: '/-/healthz', metrics: '/-/metrics' } })
  for (const path of ['/-/healthz', '/-/healthz/live', '/-/healthz/ready', '/-/metrics'])
    assert.equal((await send(port, { path })).status, 200, path)
  for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
    assert.equal((await send(port, { path })).status, 404, path)
})
