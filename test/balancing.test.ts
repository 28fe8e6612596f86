import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import test from 'node:test'
import { send } from './support/client.ts'
import { startDeafService } from './support/deaf-service.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startService, type TestService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

/** How many requests each service answered. */
const counts = (services: TestService[]): number[] => services.map(({ received }) => received.length)

test('round-robin alternates between instances', async (t) => {
  const services = [await startService(t), await startService(t)]
  const config = proxyTo(
    services.map(({ url }) => url),
    { service: { balancer: 'round-robin' } },
  )
  const { port } = await startGateway(t, config)
  const answers: string[] = []
  for (let i = 0; i < 10; i++) answers.push((await send(port)).text)
  assert.deepEqual(counts(services), [5, 5])
  assert.notEqual(answers[0], answers[1])
})

test('round-robin follows the weights', async (t) => {
  const services = [await startService(t), await startService(t), await startService(t)]
  const [five, two, one] = services.map(({ url }) => url)
  const { port } = await startGateway(t, {
    services: {
      backend: {
        instances: [{ url: five!, weight: 5 }, { url: two!, weight: 2 }, one!],
        balancer: 'round-robin',
        health: false,
      },
    },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  for (let i = 0; i < 16; i++) await send(port)
  assert.deepEqual(counts(services), [10, 4, 2])
})

test('instances given as one comma-separated string share the requests', async (t) => {
  const services = [await startService(t), await startService(t)]
  const { port } = await startGateway(t, proxyTo(services.map(({ url }) => url).join(', ')))
  for (let i = 0; i < 6; i++) await send(port)
  assert.deepEqual(counts(services), [3, 3])
})

test('by default, sequential requests go to one instance after the other', async (t) => {
  const services = [await startService(t), await startService(t), await startService(t)]
  const { port } = await startGateway(t, proxyTo(services.map(({ url }) => url)))
  const answers: string[] = []
  for (let i = 0; i < 6; i++) answers.push((await send(port)).text)
  const ports = services.map((service) => String(service.port))
  assert.deepEqual(answers, [...ports, ...ports])
})

test('by default, a busy instance gets no requests until the others are as busy', async (t) => {
  const held = Promise.withResolvers<ServerResponse>()
  const slow = await startService(t, (_, response) => held.resolve(response))
  const quick = await startService(t)
  const { port } = await startGateway(t, proxyTo([slow.url, quick.url]))
  const first = send(port)
  const response = await held.promise
  for (let i = 0; i < 10; i++) assert.equal((await send(port)).text, String(quick.port))
  response.end('at last')
  assert.equal((await first).text, 'at last')
  assert.deepEqual(counts([slow, quick]), [1, 10])
})

test('a request that waits for a connection counts towards the load of its instance', async (t) => {
  const deaf = await startDeafService(t)
  const quick = await startService(t)
  const clock = new ManualClock()
  const { port, gateway } = await startGateway(t, proxyTo([deaf.url, quick.url]), { clock })
  const waits = send(port)
  await turnUntil('it to connect', () => gateway.pools['backend']![`127.0.0.1:${deaf.port}`]!.connecting === 1)
  for (let i = 0; i < 10; i++) assert.equal((await send(port)).text, String(quick.port))
  clock.advance(2_300)
  assert.equal((await waits).text, String(quick.port))
})

test('hash sends the same header value to the same instance, and to another one when that is down', async (t) => {
  const services = [await startService(t), await startService(t), await startService(t)]
  const instances = services.map(({ url }) => url)
  const config = proxyTo(instances, { service: { balancer: { hash: { by: { header: 'X-Tenant' } } } } })
  const { port } = await startGateway(t, config)
  const ask = async (tenant: string): Promise<string> => (await send(port, { headers: { 'X-Tenant': tenant } })).text
  const first = new Map<string, string>()
  for (let i = 0; i < 30; i++) first.set(`tenant-${i}`, await ask(`tenant-${i}`))
  for (const [tenant, instance] of first) assert.equal(await ask(tenant), instance)
  assert.equal(new Set(first.values()).size, 3)
  await services[0]!.kill()
  for (const [tenant, instance] of first) {
    const now = await ask(tenant)
    assert.ok(instance === String(services[0]!.port) ? now !== instance : now === instance)
  }
})

test('latency avoids an instance that was slow', async (t) => {
  const clock = new ManualClock()
  const held: ServerResponse[] = []
  let arrived = (): void => {}
  const slow = await startService(t, (_, response) => {
    held.push(response)
    arrived()
  })
  const quick = await startService(t)
  const config = proxyTo([slow.url, quick.url], { service: { balancer: 'latency' } })
  let draw = 0
  const { port } = await startGateway(t, config, { clock, random: () => (draw++ * 0.37) % 1 })
  while (counts([slow, quick]).some((count) => count === 0)) {
    const waits = new Promise<void>((resolve) => (arrived = resolve))
    const reply = send(port)
    await Promise.race([waits, reply])
    if (held.length > 0) clock.advance(1_000)
    held.pop()?.end('slow')
    await reply
  }
  const before = counts([slow])
  for (let i = 0; i < 20; i++) assert.equal((await send(port)).text, String(quick.port))
  assert.deepEqual(counts([slow]), before)
})

test('latency avoids an instance whose clients give up waiting', async (t) => {
  const clock = new ManualClock()
  let arrived = (): void => {}
  const hanging = await startService(t, () => arrived())
  const quick = await startService(t)
  const config = proxyTo([hanging.url, quick.url], { service: { balancer: 'latency' } })
  let draw = 0
  const { port, log } = await startGateway(t, config, { clock, random: () => (draw++ * 0.37) % 1 })
  while (counts([hanging, quick]).some((count) => count === 0)) {
    const client = await connect(t, port)
    const hangs = new Promise<'hangs'>((resolve) => (arrived = () => resolve('hangs')))
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    if ((await Promise.race([hangs, client.reply()])) !== 'hangs') continue
    clock.advance(5_000)
    client.reset()
    await log.line({ status_code: 499 })
  }
  for (let i = 0; i < 20; i++) assert.equal((await send(port)).text, String(quick.port))
})

test('latency does not count the time of a slow upload against an instance', async (t) => {
  const clock = new ManualClock()
  let arrived = (): void => {}
  const services = await Promise.all(
    Array.from({ length: 2 }, () =>
      startService(t, (incoming, response) => {
        arrived()
        incoming.resume().on('end', () => response.end())
      }),
    ),
  )
  const config = proxyTo(
    services.map(({ url }) => url),
    { service: { balancer: 'latency' } },
  )
  let draw = 0
  const { port } = await startGateway(t, config, { clock, random: () => (draw++ * 0.37) % 1 })
  while (counts(services).some((count) => count === 0)) await send(port)
  const client = await connect(t, port)
  const begins = new Promise<void>((resolve) => (arrived = resolve))
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(99_999)}`)
  await begins
  clock.advance(1_000)
  client.write('x')
  await client.reply()
  const before = counts(services)
  for (let i = 0; i < 20; i++) await send(port)
  for (const [i, count] of counts(services).entries()) assert.ok(count > before[i]!)
})

test('latency avoids an instance that fails fast', async (t) => {
  const failing = await startService(t, (_, response) => void response.writeHead(503).end())
  const good = await startService(t)
  const config = proxyTo([failing.url, good.url], { service: { balancer: 'latency' } })
  let draw = 0
  const { port } = await startGateway(t, config, { clock: new ManualClock(), random: () => (draw++ * 0.37) % 1 })
  while (counts([failing, good]).some((count) => count === 0)) await send(port)
  for (let i = 0; i < 20; i++) assert.equal((await send(port)).status, 200)
})

test('an instance of weight 0 gets no requests, even if the others are unhealthy', async (t) => {
  const [used, spare] = [await startService(t, undefined, { health: () => 500 }), await startService(t)]
  const config = proxyTo([], {
    service: { instances: [used.url, { url: spare.url, weight: 0 }], health: { interval: '1h', unhealthyAfter: 1 } },
  })
  const { port } = await startGateway(t, config)
  assert.equal((await send(port)).status, 503)
  assert.match((await send(port, { path: '/health' })).text, /"backend":"unhealthy"/)
  assert.deepEqual(counts([spare]), [0])
})

const health = { path: '/health', interval: '10s', timeout: '5s', unhealthyAfter: 2, healthyAfter: 1 } as const

test('health checks take an instance out and bring it back', async (t) => {
  const clock = new ManualClock()
  let status = 200
  const steady = await startService(t)
  const moody = await startService(t, undefined, { health: () => status })
  const config = proxyTo([steady.url, moody.url], { service: { health } })
  const { port, log } = await startGateway(t, config, { clock })
  const ask = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) assert.equal((await send(port)).status, 200)
  }
  await ask(4)
  assert.deepEqual(counts([steady, moody]), [2, 2])

  status = 503
  const turns = advanceUntil(clock, log.line({ message: 'instance is unhealthy' }))
  const line = await turns
  assert.deepEqual([line['service'], line['instance'], line['level']], ['backend', moody.address, 'warn'])
  assert.match(String(line['reason']), /503/)
  await ask(4)
  assert.deepEqual(counts([steady, moody]), [6, 2])

  status = 200
  const known = log.lines.length
  await advanceUntil(clock, log.line({ message: 'instance is healthy', instance: moody.address }, known))
  await ask(4)
  assert.deepEqual(counts([steady, moody]), [8, 4])
})

/** Advances through health checks, one interval after another, until the condition holds. */
async function advanceUntil<T>(clock: ManualClock, happened: Promise<T>): Promise<T> {
  const progress = { over: false }
  const done = happened.finally(() => (progress.over = true))
  while (!progress.over) {
    clock.advance(1_000)
    // In a second a check is answered, which takes a few turns of the event loop.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  }
  return done
}

test('without a healthy instance the reply is 503 "Service unavailable", without trying any', async (t) => {
  const services = [
    await startService(t, undefined, { health: () => 500 }),
    await startService(t, undefined, { health: () => 404 }),
  ]
  const { port } = await startGateway(
    t,
    proxyTo(
      services.map(({ url }) => url),
      { service: { health } },
    ),
  )
  const reply = await send(port)
  assert.equal(reply.status, 503)
  assert.equal(reply.headers['content-type'], 'application/problem+json')
  const problem = JSON.parse(reply.text) as { detail: string; title: string }
  assert.deepEqual([problem.title, problem.detail], ['Service unavailable', 'Service unavailable'])
  assert.deepEqual(counts(services), [0, 0])
})

test('an instance that is down at the start gets no requests until it is up', async (t) => {
  const clock = new ManualClock()
  const up = await startService(t)
  const down = await startService(t)
  await down.kill()
  const { port, log } = await startGateway(t, proxyTo([up.url, down.url], { service: { health } }), { clock })
  for (let i = 0; i < 4; i++) assert.equal((await send(port)).text, String(up.port))
  const back = await startService(t, undefined, { port: down.port })
  await advanceUntil(clock, log.line({ message: 'instance is healthy', instance: back.address }))
  for (let i = 0; i < 4; i++) await send(port)
  assert.equal(back.received.length, 2)
})

test('health checks of one service do not affect the others', async (t) => {
  const well = await startService(t)
  const ill = await startService(t, undefined, { health: () => 500 })
  const { port } = await startGateway(t, {
    services: { well: { instances: [well.url] }, ill: { instances: [ill.url] } },
    routes: [
      { id: 'well', match: { path: '/well' }, service: 'well' },
      { id: 'ill', match: { path: '/ill' }, service: 'ill' },
    ],
  })
  assert.equal((await send(port, { path: '/well' })).status, 200)
  assert.equal((await send(port, { path: '/ill' })).status, 503)
})

test('a request in flight on an instance that becomes unhealthy is answered', async (t) => {
  const clock = new ManualClock()
  let status = 200
  const held = Promise.withResolvers<ServerResponse>()
  const service = await startService(t, (_, response) => held.resolve(response), { health: () => status })
  const config = proxyTo(service.url, { service: { health, timeouts: { response: '1h' } } })
  const { port, log } = await startGateway(t, config, { clock })
  const pending = send(port)
  const response = await held.promise
  status = 500
  await advanceUntil(clock, log.line({ message: 'instance is unhealthy' }))
  response.end('late')
  await once(response, 'finish')
  assert.equal((await pending).text, 'late')
  assert.equal((await send(port)).status, 503)
})
