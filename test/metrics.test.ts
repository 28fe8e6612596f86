import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { startService } from './support/service.ts'

test('a request is counted by the pattern of its route, method, status and service', async (t) => {
  const service = await startService(t, (request, response) => {
    response.statusCode = request.method === 'POST' ? 201 : 200
    response.end()
  })
  const { port } = await startGateway(t, {
    services: { 'user-service': { instances: [service.url], health: false } },
    routes: [{ id: 'users', match: { path: '/api/v1/users/*' }, service: 'user-service' }],
  })
  await send(port, { method: 'POST', path: '/api/v1/users/7?secret=1' })
  await send(port, { path: '/api/v1/users/8' })
  await send(port, { path: '/nowhere' })
  const metrics = await scrape(port)
  const endpoint = '/api/v1/users'
  assert.deepEqual(
    metrics.all('http_requests_total').map(({ labels, value }) => [labels, value]),
    [
      [{ method: 'POST', endpoint, service: 'user-service', status: '201' }, 1],
      [{ method: 'GET', endpoint, service: 'user-service', status: '200' }, 1],
      [{ method: 'GET', endpoint: 'unmatched', service: '', status: '404' }, 1],
    ],
  )
  const count = 'http_request_duration_seconds_count'
  assert.equal(metrics.sum(count, { method: 'POST', endpoint, service: 'user-service' }), 1)
  assert.equal(metrics.sum('http_request_duration_seconds_bucket', { method: 'POST', endpoint, le: '+Inf' }), 1)
  assert.ok(metrics.sum('http_request_duration_seconds_sum', { method: 'POST' }) > 0)
})

for (const [accept, type] of [
  [undefined, 'text/plain; version=0.0.4; charset=utf-8'],
  ['application/openmetrics-text;version=1.0.0', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
] as const)
  test(`promtool accepts the metrics for Accept: ${accept}`, async (t) => {
    const service = await startService(t)
    const { port } = await startGateway(t, proxyTo(service.url))
    await send(port)
    const { headers, text } = await send(port, { path: '/metrics', headers: accept ? { Accept: accept } : {} })
    assert.equal(headers['content-type'], type)
    assert.equal(headers['cache-control'], 'no-store')
    if (accept === undefined) execFileSync('promtool', ['check', 'metrics'], { input: text })
    else assert.ok(text.endsWith('\n# EOF\n'))
  })

test('a request with a sampled trace becomes an exemplar, and one to the gateway itself does not', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const [sampled, other] = ['0af7651916cd43dd8448eb211c80319c', '4bf92f3577b34da6a3ce929d0e0e4736']
  const trace = (id: string, flags: string) => ({ traceparent: `00-${id}-b7ad6b7169203331-${flags}` })
  await send(port, { headers: trace(sampled, '01') })
  await send(port, { headers: trace(other, '00') })
  await send(port, { path: '/health', headers: trace(other, '01') })
  const { text } = await scrape(port, 'application/openmetrics-text')
  assert.match(text, new RegExp(`endpoint="/",service="backend",le=.* # \\{trace_id="${sampled}"\\}`))
  assert.ok(!text.includes(other))
})

test('open connections are counted, including that of the scrape', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  assert.equal((await scrape(port)).sum('http_active_connections'), 1)
})

test('only the configured endpoints are served', async (t) => {
  const { port } = await startGateway(t, { endpoints: { metrics: false, docs: false, openapi: false } })
  assert.equal((await send(port, { path: '/metrics' })).status, 404)
  assert.equal((await send(port, { path: '/health' })).status, 200)
  const { port: other } = await startGateway(t, { endpoints: { health: false, docs: false, openapi: false } })
  assert.equal((await send(other, { path: '/metrics' })).status, 200)
  assert.equal((await send(other, { path: '/health/live' })).status, 404)
})
