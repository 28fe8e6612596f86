import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { connect } from './support/peer.ts'
import { startService, type TestService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

/** What the failing one does with its requests. */
type Illness = Parameters<typeof startService>[1]

const RESET: Illness = (request) => void request.socket.resetAndDestroy()
const reply =
  (status: number): Illness =>
  (_, response) =>
    void response.writeHead(status).end()

/** Two healthy instances and a third that is not, in rotation. */
async function startServices(t: TestContext, illness: Illness): Promise<TestService[]> {
  return [await startService(t), await startService(t), await startService(t, illness)]
}

const urlsOf = (services: readonly TestService[]) => services.map(({ url }) => url)
const inTurn = { balancer: 'round-robin' } as const

/** The replies to that many POSTs one after another. */
async function statuses(port: number, count: number): Promise<Map<number, number>> {
  const counted = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    const { status } = await send(port, { method: 'POST', body: String(i) })
    counted.set(status, (counted.get(status) ?? 0) + 1)
  }
  return counted
}

for (const [what, illness, status] of [
  ['resets connections', RESET, 502],
  ['replies 503', reply(503), 503],
  [
    'truncates its replies',
    (_, response) => {
      response.writeHead(200, { 'Content-Length': 100_000 }).write('x'.repeat(20_000))
      setImmediate(() => response.socket?.resetAndDestroy())
    },
    null,
  ],
] as const satisfies [string, Illness, number | null][])
  test(`an instance that ${what} fails a few requests and is then ejected`, async (t) => {
    const services = await startServices(t, illness)
    const { port, log } = await startGateway(t, proxyTo(urlsOf(services), { service: inTurn }))
    let failed = 0
    for (let i = 0; i < 60; i++) {
      const answered = await send(port, { method: 'POST', body: '1' }).catch(() => null)
      if (answered === null || answered.status >= 500) failed++
      if (answered !== null && answered.status !== 200) assert.equal(answered.status, status)
    }
    assert.ok(failed >= 5 && failed <= 8, `${failed} failed`)
    assert.equal(services[2]!.received.length, failed)
    const line = await log.line({ message: 'instance is ejected' })
    assert.deepEqual([line['service'], line['instance'], line['level']], ['backend', services[2]!.address, 'warn'])
  })

test('a few consecutive 500s do not eject an instance, but half of twenty do', async (t) => {
  const services = await startServices(t, reply(500))
  const { port } = await startGateway(t, proxyTo(urlsOf(services), { service: inTurn }))
  assert.deepEqual(
    await statuses(port, 57),
    new Map([
      [200, 38],
      [500, 19],
    ]),
  )
  assert.deepEqual(
    await statuses(port, 60),
    new Map([
      [200, 59],
      [500, 1],
    ]),
  )
})

test('if all instances fail none is ejected', async (t) => {
  const services = [await startService(t, reply(503)), await startService(t, reply(503)), await startService(t, RESET)]
  const { port } = await startGateway(t, proxyTo(urlsOf(services), { service: inTurn }))
  assert.deepEqual(
    await statuses(port, 60),
    new Map([
      [503, 40],
      [502, 20],
    ]),
  )
  assert.equal((await scrape(port)).sum('sallyport_instance_ejected'), 0)
})

test('passive: false turns ejection off', async (t) => {
  const services = await startServices(t, reply(503))
  const { port } = await startGateway(t, proxyTo(urlsOf(services), { service: { ...inTurn, passive: false } }))
  assert.deepEqual(
    await statuses(port, 60),
    new Map([
      [200, 40],
      [503, 20],
    ]),
  )
})

test('an ejected instance returns after its time, is ejected again at the first failure, and all of that is visible', async (t) => {
  let sick = true
  const services = await startServices(t, (_, response) => void response.writeHead(sick ? 503 : 200).end())
  const clock = new ManualClock()
  const { port, ask } = await startAdminGateway(t, proxyTo(urlsOf(services), { service: inTurn }), { clock })
  const bad = services[2]!
  const known = async () => {
    const { json } = await ask('/services/backend')
    return json as unknown as { status: string; instances: { address: string; usable: boolean; ejected: unknown }[] }
  }
  await statuses(port, 30)
  assert.equal(bad.received.length, 5)
  clock.advance(1_000)
  const health = JSON.parse((await send(port, { path: '/health' })).text) as { services: unknown }
  assert.deepEqual(health.services, { backend: 'degraded' })
  const { status, instances } = await known()
  const found = instances.find(({ address }) => address === bad.address)!
  assert.deepEqual([status, found.usable], ['degraded', false])
  assert.deepEqual(found.ejected, {
    kind: 'row',
    reason: '5 failures in a row, the last one: status 503',
    since: '2024-01-15T10:30:00.000Z',
    // A twentieth less than 30 s, at random.
    until: '2024-01-15T10:30:28.500Z',
    times: 1,
  })
  const labels = { service: 'backend', instance: bad.address }
  let metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_instance_ejected', labels), 1)
  assert.equal(metrics.sum('sallyport_instance_healthy', labels), 0)
  assert.equal(metrics.sum('sallyport_ejections_total', { service: 'backend', reason: 'row' }), 1)

  clock.advance(20_000)
  await statuses(port, 40)
  clock.advance(8_000)
  await statuses(port, 12)
  assert.equal(bad.received.length, 6)
  clock.advance(28_500)
  await statuses(port, 12)
  assert.equal(bad.received.length, 6, 'the second wait is twice as long')
  sick = false
  clock.advance(29_000)
  assert.deepEqual(await statuses(port, 12), new Map([[200, 12]]))
  assert.equal(bad.received.length, 10)
  assert.equal((await known()).status, 'healthy')
  metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_instance_ejected'), 0)
  assert.equal(metrics.sum('sallyport_ejections_total'), 2)
})

test('clients bound to an ejected instance move to another one', async (t) => {
  let sick = false
  const services = [
    await startService(t),
    await startService(t, (_, response) => void response.writeHead(sick ? 503 : 200).end('sick')),
  ]
  const secrets = ['0123456789abcdef0123456789abcdef']
  const { port } = await startGateway(t, {
    ...proxyTo(urlsOf(services), { service: { ...inTurn, sticky: {} } }),
    secrets,
  })
  const cookies: string[] = []
  for (let i = 0; i < 2; i++) {
    const { headers, text } = await send(port, { method: 'POST' })
    if (text === 'sick') cookies.push(String(headers['set-cookie']?.[0]).split(';')[0]!)
  }
  const cookie = cookies[0]!
  const bound = () => send(port, { method: 'POST', headers: { Cookie: cookie } })
  for (let i = 0; i < 20; i++) await send(port, { method: 'POST' })
  assert.equal((await bound()).text, 'sick')
  sick = true
  let failed = 0
  for (let i = 0; i < 20; i++) if ((await bound()).status === 503) failed++
  assert.ok(failed >= 5 && failed < 12, `${failed} failed`)
  const { status, headers } = await bound()
  assert.equal(status, 200)
  assert.match(String(headers['set-cookie']), /^sallyport-backend=/)
})

test('clients that disconnect do not cause an ejection', async (t) => {
  let held = 0
  const services = [await startService(t), await startService(t, () => void held++)]
  const { gateway, port } = await startGateway(
    t,
    proxyTo(urlsOf(services), { service: { ...inTurn, passive: { volume: 1 } } }),
  )
  const peers = []
  for (let i = 0; i < 24; i++) {
    const peer = await connect(t, port)
    peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    peers.push(peer)
  }
  await turnUntil('the requests to arrive', () => held === 12)
  for (const peer of peers) peer.reset()
  await turnUntil('the connections to close', () => gateway.connections === 0)
  assert.equal((await scrape(port)).sum('sallyport_ejections_total'), 0)
})

test('an instance that hangs gets no more requests after about a second, and returns with its first reply', async (t) => {
  let hangs = false
  const held: (() => void)[] = []
  const services = await startServices(t, (_, response) => {
    const answer = (): void => void response.end()
    if (hangs) held.push(answer)
    else answer()
  })
  const clock = new ManualClock()
  const { port, log } = await startGateway(t, proxyTo(urlsOf(services), { service: inTurn }), { clock })
  for (let i = 0; i < 60; i++) await send(port)
  hangs = true
  const waiting = Array.from({ length: 30 }, () => send(port, { method: 'POST' }))
  await turnUntil('ten requests to hang', () => held.length === 10)
  clock.advance(250)
  // The others continue to reply; one request of three waits too.
  waiting.push(...Array.from({ length: 6 }, () => send(port, { method: 'POST' })))
  await turnUntil('two more requests to hang', () => held.length === 12)
  await turnUntil('the other instances to get their requests', () => (services[0]?.received.length ?? 0) >= 32)
  await send(port, { path: '/metrics' })
  clock.advance(1_250)
  const line = await log.line({ message: 'instance is ejected' })
  assert.match(
    String(line['reason']),
    /^12 requests wait for a reply, and nothing came for 1\.0 s while others replied$/,
  )
  for (let i = 0; i < 30; i++) assert.equal((await send(port)).status, 200)
  assert.equal(held.length, 12)
  hangs = false
  for (const answer of held) answer()
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 200)
  clock.advance(250)
  await log.line({ message: 'instance is back after an ejection', reason: 'it has replied' })
  const before = services[2]!.received.length
  for (let i = 0; i < 9; i++) await send(port)
  assert.equal(services[2]!.received.length, before + 3)
})

test('GETs waiting for an instance that hangs are retried on others once it is ejected', async (t) => {
  let hangs = false
  const services = await startServices(t, (_, response) => {
    if (!hangs) response.end()
  })
  const clock = new ManualClock()
  const { port, log } = await startGateway(t, proxyTo(urlsOf(services), { service: inTurn }), { clock })
  for (let i = 0; i < 60; i++) await send(port)
  hangs = true
  const waiting = Array.from({ length: 30 }, () => send(port))
  await turnUntil('ten requests to hang', () => services[2]!.received.length === 30)
  clock.advance(250)
  for (let i = 0; i < 2; i++) waiting.push(send(port))
  await turnUntil(
    'the other instances to get their requests',
    () => services[0]!.received.length + services[1]!.received.length >= 62,
  )
  await send(port, { path: '/metrics' })
  clock.advance(1_250)
  await log.line({ message: 'instance is ejected' })
  clock.advance(200)
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 200)
  const metrics = await scrape(port)
  assert.equal(
    metrics.sum('sallyport_retries_total', { service: 'backend', reason: 'stalled' }),
    services[2]!.received.length - 20,
  )
  assert.equal(metrics.sum('sallyport_instance_errors_total'), 0)
})

test('event streams and uploads in progress do not make an instance seem to hang', async (t) => {
  const services = await startServices(t, (request, response) => {
    if (request.url === '/events') response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n')
    else request.resume().on('end', () => void response.end())
  })
  const clock = new ManualClock()
  const { port, log } = await startGateway(t, proxyTo(urlsOf(services), { service: inTurn }), { clock })
  const peers = []
  for (let i = 0; i < 36; i++) {
    const peer = await connect(t, port)
    if (i % 2 === 0) peer.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n')
    else peer.write(`PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(70_000)}`)
    peers.push(peer)
  }
  await turnUntil('all requests to arrive', () => services.every(({ received }) => received.length >= 10))
  for (let i = 0; i < 20; i++) {
    for (let j = 0; j < 3; j++) await send(port, { headers: { 'X-Turn': String(j) } })
    clock.advance(250)
  }
  assert.equal(log.lines.filter(({ message }) => message === 'instance is ejected').length, 0)
  for (const peer of peers) peer.reset()
})
