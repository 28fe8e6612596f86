import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import test from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { temporaryFile } from './support/command.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

const SELF = '127.0.0.1'
const CLIENT = '203.0.113.9'
const forwarded = (headers = {}) => ({ headers: { 'X-Forwarded-For': CLIENT, ...headers } })

test('a rejected client gets a 403 problem document, and nothing reaches the service', async (t) => {
  const service = await startService(t)
  const { port, log } = await startGateway(
    t,
    proxyTo(service.url, {
      policies: { cors: {}, 'ip-access': { deny: [SELF] }, auth: { methods: { jwt: { secret: 's'.repeat(32) } } } },
    }),
  )
  const reply = await send(port, { headers: { Origin: 'https://app.example.com' } })
  assert.equal(reply.status, 403)
  assert.equal(reply.headers['content-type'], 'application/problem+json')
  assert.equal(reply.headers['access-control-allow-origin'], '*')
  assert.equal(service.received.length, 0)
  assert.equal((await log.line({ message: 'API Gateway Request' }))['code'], 'forbidden')
  assert.equal((await send(port, { path: '/health/live' })).status, 200, 'probes still work')
  assert.equal((await scrape(port)).sum('sallyport_ip_access_refusals_total', { reason: 'denied' }), 1)
})

test('the address and country of the client come from trusted proxies only', async (t) => {
  const service = await startService(t)
  const options = { deny: ['192.0.2.0/24'], countries: { header: 'CF-IPCountry', allow: ['DE'] } }
  const ask = async (trustedProxies: string[], headers: Record<string, string>): Promise<number> => {
    const { port } = await startGateway(t, proxyTo(service.url, { trustedProxies, policies: { 'ip-access': options } }))
    return (await send(port, forwarded(headers))).status
  }
  assert.equal(await ask([SELF], { 'CF-IPCountry': 'DE' }), 200)
  assert.equal(await ask([SELF], { 'CF-IPCountry': 'FR' }), 403)
  assert.equal(await ask([], { 'CF-IPCountry': 'DE' }), 403, 'anybody could send it')
})

test('the list of a route replaces that of all routes', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, {
    ...proxyTo(service.url, { policies: { 'ip-access': { allow: ['192.0.2.0/24'] } } }),
    routes: [
      { id: 'all', match: { path: '/*' }, service: 'backend' },
      { id: 'own', match: { path: '/own' }, service: 'backend', policies: { 'ip-access': { allow: [SELF] } } },
      { id: 'open', match: { path: '/open' }, service: 'backend', policies: { 'ip-access': false } },
    ],
  })
  for (const [path, status] of [
    ['/', 403],
    ['/own', 200],
    ['/open', 200],
  ] as const)
    assert.equal((await send(port, { path })).status, status, path)
})

test('file paths are relative to the configuration, and a bad file is a configuration problem', async (t) => {
  const file = await temporaryFile(t, 'list.txt', SELF)
  const config = join(dirname(file), 'sallyport.yaml')
  const named = `{ file: ${basename(file)} }`
  await writeFile(
    config,
    `policies: { ip-access: { allow: [10.0.0.0/8, ${named}] } }
routes: [{ id: a, match: { path: /a }, reply: {}, policies: { ip-access: { deny: [${named}] } } }]
`,
  )
  const good = await runHere(['check', config])
  assert.equal(good.code, 0, good.stderr)
  await writeFile(file, 'nonsense\n')
  const bad = await runHere(['check', config])
  assert.match(
    bad.stdout + bad.stderr,
    /policies\.ip-access\.allow\[1\]\.file: .*line 1 is neither an IP address nor a network: "nonsense"/,
  )
})

test('a reload puts a route into maintenance, and out of it', async (t) => {
  const service = await startService(t)
  const config = proxyTo(service.url)
  const { gateway, port } = await startGateway(t, config)
  assert.equal((await send(port, {})).status, 200)
  const quiet: GatewayInput = {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    endpoints: { docs: false, openapi: false },
  }
  await gateway.reload({ ...config, ...quiet, policies: { maintenance: { retryAfter: '30m' } } })
  const reply = await send(port, {})
  assert.deepEqual([reply.status, reply.headers['retry-after']], [503, '1800'])
  const problem: unknown = JSON.parse(reply.text)
  assert.partialDeepStrictEqual(problem, {
    type: 'urn:sallyport:error:maintenance',
    title: 'Under maintenance',
    detail: 'The service is under maintenance. Try again later.',
  })
  await gateway.reload({ ...config, ...quiet })
  assert.equal((await send(port, {})).status, 200)
})
