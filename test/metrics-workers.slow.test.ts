import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { start } from './support/command.ts'
import { scrape } from './support/metrics.ts'
import { TIMEOUT } from './support/timeout.ts'
import { startService, type TestService } from './support/service.ts'
import { shared } from './support/shared.ts'

const preload = new URL('support/kill-worker.ts', import.meta.url).href

function startWorkers(t: TestContext, service: TestService, workers: number, policies = '{}') {
  const yaml = `
workers: ${workers}
listeners: [{ address: '127.0.0.1:0' }]
services:
  backend: { instances: ['${service.url}'], health: false }
policies: ${policies}
routes: [{ id: all, match: { path: /* }, service: backend }]
`
  return start(t, yaml, { preload })
}

/**
 * Sends requests over new connections until that many connections have reached the service, one per worker; returns how
 * many requests were sent.
 */
async function askUntil(port: number, service: TestService, connections: number): Promise<number> {
  const deadline = Date.now() + TIMEOUT
  let asked = 0
  while (service.connections < connections) {
    assert.ok(Date.now() < deadline, `${service.connections} connections to the service`)
    assert.equal((await send(port)).status, 200)
    asked++
  }
  return asked
}

/** Scrapes until that many requests to the service are counted: a reply may arrive before its worker has counted it. */
async function scrapeUntil(port: number, requests: number): Promise<void> {
  const deadline = Date.now() + TIMEOUT
  for (;;) {
    const metrics = await scrape(port)
    const counted = metrics.sum('http_requests_total', { service: 'backend', endpoint: '/', status: '200' })
    if (counted === requests && metrics.sum('http_request_duration_seconds_count', { service: 'backend' }) === requests)
      return
    assert.ok(counted < requests, `${counted} requests are counted, there were ${requests}`)
    assert.ok(Date.now() < deadline, `${counted} of ${requests} requests are counted`)
  }
}

const openTwo = shared(async (t) => {
  const service = await startService(t)
  return { service, ...(await startWorkers(t, service, 2)) }
})

test('each worker reports its own event loop and heap, and the process reports itself once', async () => {
  const { port } = await openTwo()
  const metrics = await scrape(port)
  const delays = metrics.all('sallyport_event_loop_delay_seconds')
  assert.deepEqual(
    new Set(delays.map(({ labels }) => `${labels['worker']} ${labels['quantile']}`)),
    new Set(['0 0.5', '0 0.99', '0 1', '1 0.5', '1 0.99', '1 1']),
  )
  assert.equal(delays.length, 6)
  assert.equal(metrics.all('sallyport_heap_bytes', { state: 'used' }).filter(({ value }) => value > 0).length, 2)
  assert.equal(metrics.sum('sallyport_build_info'), 1)
  assert.equal(metrics.sum('sallyport_instance_healthy'), 1)
  assert.equal(metrics.all('process_resident_memory_bytes').length, 1)
})

test('a scrape of any worker covers the requests of all workers, and of one that has died', async () => {
  const { command, port, service } = await openTwo()
  const asked = await askUntil(port, service, 2)
  for (let i = 0; i < 10; i++) await scrapeUntil(port, asked)
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  await scrapeUntil(port, asked)
  const again = await askUntil(port, service, 3)
  await scrapeUntil(port, asked + again)
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_worker_restarts_total'), 1)
  assert.equal(metrics.sum('sallyport_workers'), 2)
})

test('cache evictions of a worker survive its death', async (t) => {
  const service = await startService(t, (_, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.end('x'.repeat(1000))
  })
  const { command, port } = await startWorkers(t, service, 2, '{ cache: { memory: 40kb } }')
  for (let i = 0; i < 200; i++) await send(port, { path: `/${i}` })
  const evictions = async (): Promise<number> => (await scrape(port)).sum('sallyport_cache_evictions_total')
  const before = await evictions()
  assert.ok(before > 0)
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  assert.equal(await evictions(), before)
})
