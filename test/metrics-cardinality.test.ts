import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'

const REQUESTS = 10_000

/** An overlong method, a path with a query, and a host: anything a client can invent. */
const request = fc
  .tuple(
    fc.stringMatching(/^[A-Z]{8,12}$/),
    fc.oneof(
      fc.stringMatching(/^(?:\/[a-z0-9._~-]{0,8}){1,5}$/),
      fc.stringMatching(/^\/api\/v1\/users\/[a-z0-9]{1,8}$/),
    ),
    fc.stringMatching(/^[a-z0-9&=]{0,12}$/),
    fc.stringMatching(/^[a-z]{1,9}\.[a-z]{2,5}$/),
  )
  .map(([method, path, query, host]) => `${method} ${path}?${query} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)

test('whatever clients send, the number of series is bounded by routes and known methods', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, {
    log: { access: false },
    services: { backend: { instances: [service.url], health: false } },
    policies: {
      auth: { methods: { 'api-key': {} }, failures: false },
      'rate-limit': { tiers: { unauthenticated: '1000000/h' } },
    },
    routes: [
      { id: 'users', match: { path: '/api/v1/users/{id}' }, service: 'backend' },
      {
        id: 'short',
        match: { path: '/{any}' },
        reply: { status: 204 },
        policies: { auth: false, 'rate-limit': false },
      },
    ],
  })
  // One of each kind: an unknown method on a route, without a route, and with an invalid path.
  for (const path of ['/a', '/a/b', '/api/v1/users/7', '/%zz']) await send(port, { method: 'PROPFIND', path })
  await send(port)
  await scrape(port)
  const before = await scrape(port)
  const client = await connect(t, port)
  const all = fc.sample(request, REQUESTS)
  for (const each of all) client.write(each)
  client.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
  await client.rest()
  const after = await scrape(port)
  const answered = after.sum('http_requests_total') - before.sum('http_requests_total')
  assert.equal(answered, REQUESTS + 2)
  const nameOf = ({ name, labels }: (typeof after.samples)[number]): string => `${name} ${JSON.stringify(labels)}`
  const known = new Set(before.samples.map(nameOf))
  assert.deepEqual(
    after.samples.map(nameOf).filter((name) => !known.has(name)),
    [],
  )
  assert.equal(after.samples.length, before.samples.length)
  const endpoints = new Set(after.all('http_requests_total').map(({ labels }) => labels['endpoint']!))
  assert.deepEqual(endpoints, new Set(['/api/v1/users/{id}', '/metrics', '/{any}', 'unmatched']))
})
