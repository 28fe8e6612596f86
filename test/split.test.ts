import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'

type Split = NonNullable<NonNullable<GatewayInput['routes']>[number]['split']>

/** A gateway whose only route is split between services that reply with their names. */
async function setUp(t: TestContext, split: Split, names: readonly string[], more: GatewayInput = {}) {
  const services: GatewayInput['services'] = {}
  for (const name of names) {
    const { url } = await startService(t, (_, response) => void response.end(name))
    services[name] = { instances: [url], health: false }
  }
  const routes = [{ id: 'shop', match: { path: '/*' }, split }]
  const { port, log, gateway } = await startGateway(t, { services, routes, ...more })
  const client = await connect(t, port)
  return {
    log,
    gateway,
    services,
    get: async (...lines: string[]): Promise<string> => {
      client.write(`GET /x HTTP/1.1\r\n${['Host: a', ...lines].map((line) => `${line}\r\n`).join('')}\r\n`)
      return (await client.reply()).body.toString()
    },
  }
}

test('requests are split by weight, and the log names the service', async (t) => {
  const { get, log } = await setUp(t, { services: { old: 3, new: 1 } }, ['old', 'new'])
  const answers: string[] = []
  for (let i = 0; i < 40; i++) answers.push(await get())
  const share = answers.filter((name) => name === 'new').length
  assert.ok(Math.abs(share - 10) <= 1, `${share} of 40, of which 10 are its share`)
  assert.deepEqual(
    log.requests.map(({ service }) => service),
    answers,
  )
})

test('a header or a cookie selects a service of weight 0', async (t) => {
  const split = { services: { blue: 1, green: 0 }, header: 'X-Color', cookie: 'color' }
  const { get } = await setUp(t, split, ['blue', 'green'])
  assert.equal(await get(), 'blue')
  assert.equal(await get('X-Color: green'), 'green')
  assert.equal(await get('Cookie: color=green'), 'green')
  assert.equal(await get('X-Color: red'), 'blue')
})

test('with sticky, the same header value leads to the same service in all workers', async (t) => {
  const split = { services: { a: 1, b: 1 }, sticky: { header: 'x-tenant' } } as const
  const { get } = await setUp(t, split, ['a', 'b'], { workers: 1 })
  const found = new Set<string>()
  for (let i = 0; i < 16; i++) {
    const first = await get(`X-Tenant: ${i}`)
    assert.equal(await get(`X-Tenant: ${i}`), first)
    found.add(first)
  }
  assert.equal(found.size, 2)
})

test('a reload changes the weights for the next request', async (t) => {
  const { get, gateway, services } = await setUp(t, { services: { old: 1, new: 0 } }, ['old', 'new'])
  assert.equal(await get(), 'old')
  const routes = [{ id: 'shop', match: { path: '/*' }, split: { services: { old: 0, new: 1 } } }]
  await gateway.reload({ listeners: [{ address: '127.0.0.1:0' }], admin: false, services, routes })
  assert.equal(await get(), 'new')
})

test('if a service of the split is down its share fails, and the others continue', async (t) => {
  const { url } = await startService(t, (_, response) => void response.end('well'))
  const services = {
    well: { instances: [url], health: false as const },
    ill: { instances: ['http://127.0.0.1:1'], health: false as const },
  }
  const routes = [{ id: 'shop', match: { path: '/*' }, split: { services: { well: 1, ill: 1 } } }]
  const { port } = await startGateway(t, { services, routes })
  const client = await connect(t, port)
  const statuses: string[] = []
  for (let i = 0; i < 10; i++) {
    client.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
    statuses.push((await client.reply()).start.split(' ')[1] ?? '')
  }
  assert.equal(statuses.filter((status) => status === '200').length, 5)
  assert.equal(statuses.filter((status) => status === '502' || status === '503').length, 5)
})

test('headers can be changed for one of the services only, in both directions', async (t) => {
  const split: Split = {
    services: { old: 1, new: 1 },
    cookie: 'to',
    headers: {
      new: {
        request: { set: { 'X-Release': '{header.X-Ask}!' }, remove: ['X-Ask'] },
        response: { set: { 'X-By': 'new' } },
      },
    },
  }
  const services: GatewayInput['services'] = {}
  for (const name of ['old', 'new']) {
    const { url } = await startService(t, ({ headers }, response) => {
      response.end(`${name} ${String(headers['x-release'])} ${String(headers['x-ask'])}`)
    })
    services[name] = { instances: [url], health: false }
  }
  const { port } = await startGateway(t, { services, routes: [{ id: 'a', match: { path: '/*' }, split }] })
  const ask = (to: string) => send(port, { headers: { Cookie: `to=${to}`, 'X-Ask': 'a' } })
  const [old, fresh] = [await ask('old'), await ask('new')]
  assert.deepEqual([old.text, old.headers['x-by']], ['old undefined a', undefined])
  assert.deepEqual([fresh.text, fresh.headers['x-by']], ['new a! undefined', 'new'])
})

test('with keep, a client stays with its service, and the cookie is not cached', async (t) => {
  const { port } = await keeping(t, '1h')
  const first = await send(port)
  const [cookie = ''] = first.headers['set-cookie'] ?? []
  assert.match(cookie, /^to=(?:a|b); Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600$/)
  assert.equal(first.headers['cache-control'], 'private')
  for (let i = 0; i < 5; i++) {
    const next = await send(port, { headers: { Cookie: cookie.split(';')[0] } })
    assert.deepEqual([next.text, next.headers['set-cookie']], [first.text, undefined])
  }
  assert.notEqual((await send(port, { headers: { Cookie: 'to=nobody' } })).headers['set-cookie'], undefined)
})

test('a reply that sets the cookies of the split and of a sticky service is marked as private once', async (t) => {
  const { port } = await keeping(t, '1h', { sticky: {} })
  const { headers } = await send(port)
  assert.deepEqual([headers['set-cookie']?.length, headers['cache-control']], [2, 'private'])
})

test('keep without a cookie, and headers for a service outside of the split, are configuration problems', async (t) => {
  const { url } = await startService(t)
  const services = { a: { instances: [url] } }
  const problem = (split: object) =>
    assert.rejects(
      startGateway(t, {
        services,
        routes: [{ id: 'a', match: { path: '/*' }, split: { services: { a: 1 }, ...split } }],
      }),
    )
  await problem({ keep: true })
  await problem({ headers: { b: {} } })
})

/** A gateway whose clients stay with one of two services. */
async function keeping(t: TestContext, keep: NonNullable<Split['keep']>, options: { sticky?: object } = {}) {
  const services: GatewayInput['services'] = {}
  for (const name of ['a', 'b']) {
    const { url } = await startService(t, (_, response) => void response.end(name))
    services[name] = { instances: [url], health: false, ...options }
  }
  const split = { services: { a: 1, b: 1 }, cookie: 'to', keep }
  return startGateway(t, { secrets: 's'.repeat(32), services, routes: [{ id: 'a', match: { path: '/*' }, split }] })
}
