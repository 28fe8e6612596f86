import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../src/core/clock.ts'
import type { GatewayInput } from '../src/gateway.ts'
import { startAdminGateway } from './support/admin.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startCommand, temporaryFile } from './support/command.ts'
import { type DnsServer, startDns } from './support/dns-server.ts'
import { startDnsmasq } from './support/dnsmasq.ts'
import { startGateway } from './support/gateway.ts'
import { Load } from './support/load.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { replaceLeaf, writeLeaf } from './support/tls.ts'
import { authority, startTlsService } from './support/tls-service.ts'

const KILL_WORKER = new URL('support/kill-worker.ts', import.meta.url).href
const EXCHANGED = 'Discovered instances are in use'
const FAILS = 'Discovery failed; the last result is kept'
const NAME = 'users.internal'

/** Instances on the same port of several addresses of this machine, each of which answers with its address. */
async function startInstances(t: TestContext, ...hosts: readonly string[]) {
  const servers: Server[] = []
  let port = 0
  for (const host of hosts) {
    const answer: RequestListener = (_, response) => void response.end(host)
    const server = createServer(answer)
    server.listen(port, host)
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
    servers.push(server)
    cleanUp(t, () => {
      server.closeAllConnections()
      server.close()
    })
  }
  return { port, servers }
}

/** All routes lead to one service that is discovered by that name. */
function discovering(
  dns: Pick<DnsServer, 'address'>,
  options: Record<string, unknown>,
  service: Record<string, unknown> = {},
): GatewayInput {
  const discover = {
    dns: { name: NAME, server: dns.address, minInterval: '50ms', maxInterval: '50ms', ...options },
  } as const
  return {
    services: { users: { discover, health: false, ...service } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'users' }],
  }
}

/** The system clock, without long waits. */
const quick: Clock = { ...systemClock, after: (ms, task) => systemClock.after(ms < 1000 ? ms : ms / 50, task) }

/** The instances that answer so many requests. */
async function answers(port: number, requests: number): Promise<string[]> {
  const seen: string[] = []
  for (let i = 0; i < requests; i++) seen.push((await send(port, { path: '/' })).text)
  return seen.toSorted()
}

/** The services in /health. */
async function statuses(port: number): Promise<unknown> {
  const { services } = JSON.parse((await send(port, { path: '/health' })).text) as { services: unknown }
  return services
}

test('each address of a name is an instance', async (t) => {
  const dns = await startDns(t)
  const { port: at } = await startInstances(t, '127.0.0.1', '127.0.0.2', '127.0.0.3')
  dns.set(NAME, 'A', { records: ['127.0.0.1', '127.0.0.2', '127.0.0.3'] })
  const { port } = await startGateway(t, discovering(dns, { port: at }))
  assert.deepEqual(
    await answers(port, 6),
    ['127.0.0.1', '127.0.0.2', '127.0.0.3'].flatMap((each) => [each, each]),
  )
})

for (const workers of [false, true])
  test(`changing the addresses of a name under load loses no request, ${workers ? 'with two workers' : 'in one thread'}`, async (t) => {
    const dns = await startDns(t)
    const { port: at, servers } = await startInstances(t, '127.0.0.1', '127.0.0.2')
    dns.set(NAME, 'A', { records: ['127.0.0.1'] })
    const config = { ...discovering(dns, { port: at }, { health: {} }), workers: 2, log: { access: false } }
    const { port, log } = await startGateway(t, config, { workers })
    const load = new Load(t, port, { secure: false, keeping: 4, connecting: 2 })
    await load.more(50)
    dns.set(NAME, 'A', { records: ['127.0.0.2'] })
    await log.line({ message: EXCHANGED })
    await load.more(50)
    servers[0]!.closeAllConnections()
    servers[0]!.close()
    await load.more(50)
    await load.stop()
    assert.deepEqual(load.failures, [])
    assert.deepEqual(await answers(port, 2), ['127.0.0.2', '127.0.0.2'])
    const metrics = await scrape(port)
    assert.equal(metrics.sum('sallyport_discovery_instances', { service: 'users' }), 1)
  })

test('until a name is resolved for the first time requests are 503, and the status and health show why', async (t) => {
  const dns = await startDns(t)
  const { port: at } = await startInstances(t, '127.0.0.1')
  const { port, ask, log } = await startAdminGateway(t, discovering(dns, { port: at }), { clock: quick })
  const refused = await send(port, { path: '/' })
  assert.equal(refused.status, 503)
  assert.equal(refused.headers['content-type'], 'application/problem+json')
  assert.deepEqual(await statuses(port), { users: 'unhealthy' })
  const { discovery, instances } = (await ask('/services/users')).json
  assert.deepEqual(discovery, {
    kind: 'dns',
    subject: `${NAME}, port ${at}`,
    instances: 0,
    lastSuccessAt: null,
    problem: `the name ${NAME} does not exist`,
  })
  assert.deepEqual(instances, [])
  assert.equal((await scrape(port)).sum('sallyport_discovery_last_success_timestamp_seconds'), 0)
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  await log.line({ message: EXCHANGED })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  assert.deepEqual(await statuses(port), { users: 'healthy' })
  assert.notEqual((await scrape(port)).sum('sallyport_discovery_last_success_timestamp_seconds'), 0)
})

for (const [what, reply] of [
  ['no longer exists', { code: 'NXDOMAIN' }],
  ['cannot be looked up', { code: 'SERVFAIL' }],
] as const)
  test(`known instances stay when a name ${what}, and that is logged once`, async (t) => {
    const dns = await startDns(t)
    const { port: at } = await startInstances(t, '127.0.0.1')
    dns.set(NAME, 'A', { records: ['127.0.0.1'] })
    const { port, ask, log } = await startAdminGateway(t, discovering(dns, { port: at, type: 'A' }))
    dns.set(NAME, 'A', reply)
    await log.line({ message: FAILS, level: 'warn' })
    const before = dns.asked.length
    await dns.until(NAME, 'A', before + 3)
    assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
    assert.equal(log.lines.filter(({ message }) => message === FAILS).length, 1)
    const { discovery } = (await ask('/services/users')).json
    assert.match(
      (discovery as { problem: string }).problem,
      what === 'no longer exists' ? /does not exist/ : /SERVFAIL/,
    )
    dns.set(NAME, 'A', { records: ['127.0.0.1'] })
    await log.line({ message: 'Discovery works again' })
    assert.equal((await scrape(port)).sum('sallyport_discovery_instances', { service: 'users' }), 1)
  })

test('a failed update of instances is retried, the old ones stay in use meanwhile, and the status shows why', async (t) => {
  const drainTimeout = 12_345
  let [armed, failures] = [false, 0]
  const clock: Clock = {
    ...quick,
    after(ms, task) {
      if (!armed || ms !== drainTimeout) return quick.after(ms, task)
      failures++
      throw new Error('there is no room for a timer')
    },
  }
  const dns = await startDns(t)
  const { port: at } = await startInstances(t, '127.0.0.1', '127.0.0.2')
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  const config = { ...discovering(dns, { port: at, type: 'A' }), drainTimeout: `${drainTimeout}ms` } as const
  const { port, ask, log } = await startAdminGateway(t, config, { clock })
  const problem = async (): Promise<unknown> => (await ask('/status')).json['instances']
  armed = true
  dns.set(NAME, 'A', { records: ['127.0.0.2'] })
  await log.line({ message: 'Discovered instances cannot be used' })
  assert.deepEqual(await problem(), { problem: 'there is no room for a timer' })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  armed = false
  await log.line({ message: EXCHANGED })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.2')
  assert.deepEqual(await problem(), { problem: null })
  assert.ok(failures > 0)
})

test('an answer without addresses is only accepted the third time in a row', async (t) => {
  const dns = await startDns(t)
  const { port: at } = await startInstances(t, '127.0.0.1')
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  const { port, log } = await startGateway(t, discovering(dns, { port: at, type: 'A' }))
  const before = dns.asked.length
  dns.set(NAME, 'A', {})
  await log.line({ message: EXCHANGED })
  assert.ok(dns.asked.length >= before + 3)
  assert.equal((await send(port, { path: '/' })).status, 503)
})

test('SRV records give ports and weights, only the lowest priority is used, and large answers arrive over TCP', async (t) => {
  const dns = await startDns(t)
  const one = await startInstances(t, '127.0.0.1')
  const two = await startInstances(t, '127.0.0.2')
  const service = '_http._tcp.users.internal'
  const others = Array.from({ length: 60 }, (_, i) => `20 1 ${i + 1} spare-${i}.users.internal`)
  const records = [`10 3 ${one.port} a.users.internal`, `10 1 ${two.port} b.users.internal`, ...others]
  dns.set(service, 'SRV', { records })
  dns.set('a.users.internal', 'A', { records: ['127.0.0.1'] })
  dns.set('b.users.internal', 'A', { records: ['127.0.0.2'] })
  const config = discovering(dns, { name: service, type: 'SRV' }, { balancer: 'round-robin' })
  const { port, ask } = await startAdminGateway(t, config)
  assert.deepEqual(await answers(port, 4), ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.2'])
  const { instances } = (await ask('/services/users')).json
  assert.deepEqual(
    (instances as { address: string; weight: number }[]).map(({ address, weight }) => [address, weight]),
    [
      [`127.0.0.1:${one.port}`, 3],
      [`127.0.0.2:${two.port}`, 1],
    ],
  )
  assert.ok(dns.asked.some((each) => each.type === 'SRV' && each.over === 'tcp'))
  assert.ok(!dns.asked.some((each) => each.name.startsWith('spare-')))
})

test('a request in flight on a removed instance finishes, and no new one goes there', async (t) => {
  const dns = await startDns(t)
  const { port: at, servers } = await startInstances(t, '127.0.0.1', '127.0.0.2')
  const { promise: asked, resolve: arrived } = Promise.withResolvers<() => void>()
  servers[0]!.removeAllListeners('request')
  servers[0]!.on('request', ((_, response) => arrived(() => void response.end('late'))) satisfies RequestListener)
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  const { port, log } = await startGateway(t, discovering(dns, { port: at }))
  const slow = send(port, { path: '/' })
  const finish = await asked
  dns.set(NAME, 'A', { records: ['127.0.0.2'] })
  await log.line({ message: EXCHANGED })
  assert.deepEqual(await answers(port, 3), ['127.0.0.2', '127.0.0.2', '127.0.0.2'])
  finish()
  assert.equal((await slow).text, 'late')
})

test('a reload keeps discovered instances, even if the query changes and is not answered', async (t) => {
  const dns = await startDns(t)
  const { port: at } = await startInstances(t, '127.0.0.1')
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  const config = discovering(dns, { port: at, type: 'A' })
  const listeners = [{ address: '127.0.0.1:0' }]
  const { gateway, port } = await startGateway(t, { ...config, listeners }, { clock: quick })
  const more = { listeners, admin: false as const, endpoints: { docs: false as const, openapi: false as const } }
  dns.set(NAME, 'A', { code: 'SERVFAIL' })
  const route = { id: 'own', match: { path: '/own' }, reply: { status: 200, body: 'own' } }
  await gateway.reload({ ...config, ...more, routes: [...config.routes!, route] })
  assert.equal((await send(port, { path: '/own' })).text, 'own')
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  await gateway.reload({ ...discovering(dns, { port: at, type: 'A', maxInterval: '60s' }), ...more })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  const named = { users: { instances: [`http://127.0.0.1:${at}`], health: false as const } }
  await gateway.reload({ ...config, ...more, services: named })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  assert.doesNotMatch((await send(port, { path: '/metrics' })).text, /^sallyport_discovery_instances\{/m)
})

test('a service that is changed from instances to discover keeps them until the first answer', async (t) => {
  const dns = await startDns(t)
  const { port: at } = await startInstances(t, '127.0.0.1', '127.0.0.2')
  dns.set(NAME, 'A', { code: 'SERVFAIL' })
  const { services, ...config } = discovering(dns, { port: at, type: 'A' })
  const listed = { users: { instances: [`http://127.0.0.1:${at}`], health: false as const } }
  const listeners = [{ address: '127.0.0.1:0' }]
  const { gateway, port, log } = await startGateway(
    t,
    { ...config, listeners, services: listed, endpoints: { docs: false, openapi: false } },
    { clock: quick },
  )
  const more = { listeners, admin: false as const, endpoints: { docs: false as const, openapi: false as const } }
  await gateway.reload({ ...config, ...more, services })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  dns.set(NAME, 'A', { records: ['127.0.0.2'] })
  await log.line({ message: EXCHANGED })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.2')
})

test('dnsmasq works: addresses of both families, truncated answers, SRV, and names that do not exist', async (t) => {
  const { port: at } = await startInstances(t, '127.0.0.1')
  const many = Array.from({ length: 100 }, (_, i) => `--host-record=many.internal,127.0.1.${i + 1}`)
  const address = await startDnsmasq(
    t,
    '--local-ttl=1',
    '--host-record=users.internal,127.0.0.1,::1',
    `--srv-host=_http._tcp.users.internal,users.internal,${at},1,5`,
    ...many,
  )
  const service = <Dns extends object>(dns: Dns) => ({
    discover: { dns: { server: address, ...dns } },
    health: false as const,
  })
  const { port, ask } = await startAdminGateway(t, {
    services: {
      both: service({ name: 'users.internal', port: at }),
      four: service({ name: 'users.internal', port: at, type: 'A' as const }),
      srv: service({ name: '_http._tcp.users.internal', type: 'SRV' as const }),
      many: service({ name: 'many.internal', port: at }),
      none: service({ name: 'none.internal', port: at }),
    },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'four' }],
  })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  const addresses = async (name: string): Promise<string[]> => {
    const { instances } = (await ask(`/services/${name}`)).json
    return (instances as { address: string }[]).map((each) => each.address)
  }
  assert.deepEqual(await addresses('both'), [`127.0.0.1:${at}`, `[::1]:${at}`])
  assert.deepEqual(await addresses('srv'), [`127.0.0.1:${at}`, `[::1]:${at}`])
  assert.equal((await addresses('many')).length, 100)
  const { discovery } = (await ask('/services/none')).json
  assert.equal((discovery as { problem: string }).problem, 'the name none.internal does not exist')
})

test('certificates of instances are verified against the discovered name, or tls.serverName', async (t) => {
  const dns = await startDns(t)
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  const { port: at } = await startTlsService(t, authority.issue({ names: [NAME] }))
  const discover = { dns: { name: NAME, port: at, type: 'A' as const, server: dns.address }, scheme: 'https' as const }
  const services = {
    right: { discover, tls: { ca: authority.cert }, health: false as const },
    wrong: { discover, tls: { ca: authority.cert, serverName: 'orders.internal' }, health: false as const },
  }
  const routes = ['right', 'wrong'].map((service) => ({ id: service, match: { path: `/${service}` }, service }))
  const { port } = await startGateway(t, { services, routes })
  assert.equal((await send(port, { path: '/right' })).status, 200)
  assert.equal((await send(port, { path: '/wrong' })).status, 502)
})

test('a rotated client certificate stays in use when instances change', async (t) => {
  const dns = await startDns(t)
  const answer = (_: string, socket: TLSSocket): void => {
    const name = String(socket.getPeerCertificate().subject.CN)
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\nConnection: close\r\n\r\n${name}`)
  }
  const options = { ...authority.issue({ names: [NAME] }), ca: authority.cert, requestCert: true, answer }
  const { port: at } = await startTlsService(t, options)
  dns.set(NAME, 'A', { records: ['127.0.0.1', '127.0.0.9'] })
  const clientOf = (commonName: string) => authority.issueClient({ subject: { commonName } })
  const files = writeLeaf(t, clientOf('first'))
  const { discover } = discovering(dns, { port: at, type: 'A' }).services!['users']!
  const tls = { ca: authority.cert, ...files }
  const { port, log } = await startGateway(t, {
    services: { users: { discover: { ...discover, scheme: 'https' as const }, tls, health: false as const } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'users' }],
  })
  replaceLeaf(files, clientOf('second'))
  await log.line({ message: 'TLS files of a service were replaced: new connections use the new ones' })
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  await log.line({ message: EXCHANGED })
  assert.equal((await send(port, { path: '/' })).text, 'second')
})

test('a replacement worker gets the discovered instances', async (t) => {
  const dns = await startDns(t)
  const { port: at } = await startInstances(t, '127.0.0.1', '127.0.0.2')
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  const { routes, services } = discovering(dns, { port: at, type: 'A' })
  const more = { workers: 1, admin: false, endpoints: { docs: false, openapi: false } }
  const listeners = [{ address: '127.0.0.1:0' }]
  const file = await temporaryFile(t, 'sallyport.yaml', JSON.stringify({ ...more, listeners, routes, services }))
  const { command, port } = await startCommand(t, file, { preload: KILL_WORKER })
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.1')
  dns.set(NAME, 'A', { records: ['127.0.0.2'] })
  await command.line(EXCHANGED)
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  assert.equal((await send(port, { path: '/' })).text, '127.0.0.2')
})

test('shutdown does not wait for a first answer', async (t) => {
  const dns = await startDns(t)
  dns.set(NAME, 'A', { records: ['127.0.0.1'] })
  const config = discovering(dns, { port: 1, type: 'A' })
  const listeners = [{ address: '127.0.0.1:0' }]
  const { gateway } = await startGateway(t, { ...config, listeners }, { clock: new ManualClock() })
  dns.set('orders.internal', 'A', { silent: true })
  const other = discovering(dns, { name: 'orders.internal', port: 1, type: 'A' })
  const reloading = assert.rejects(gateway.reload({ ...other, listeners, admin: false }), /the gateway is stopping/)
  await dns.until('orders.internal', 'A', 1)
  await Promise.all([gateway.close(), reloading])
})
