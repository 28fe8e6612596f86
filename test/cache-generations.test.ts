import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../src/core/clock.ts'
import { definePolicy, editReplies, type GatewayInput } from '../src/gateway.ts'
import type { Generation } from '../src/front/generation.ts'
import { startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'
import { startThread, startThreadBy } from './support/thread.ts'

type Route = NonNullable<GatewayInput['routes']>[number]

/** Adds a header to the replies of the service. */
const marks = definePolicy({
  name: 'marks',
  summary: 'Marks replies.',
  options: z.strictObject({ mark: z.string() }),
  create:
    ({ mark }) =>
    (next) => {
      const marked = editReplies(next, ({ headers }) => headers.set('Mark', mark))
      return (exchange) => marked(exchange)
    },
})

/** Services with cacheable replies that name the service. */
async function startServices(t: TestContext) {
  const answers = (name: string) =>
    startService(t, (_, response) => response.setHeader('Cache-Control', 'max-age=600').end(name))
  const [one, other] = [await answers('one'), await answers('other')]
  const services: NonNullable<GatewayInput['services']> = {
    one: { instances: [one.url], health: false },
    other: { instances: [other.url], health: false },
  }
  return { one, other, services }
}

const KB = 1024
/** The approximate size of an entry of those services; if eight fit, one is stored. */
const ENOUGH = 32 * KB

/** Configurations with one or several cached routes. */
function configOf(services: GatewayInput['services'], cache: object, ...routes: Partial<Route>[]): GatewayInput {
  const all = routes.length === 0 ? [{}] : routes
  return {
    services,
    policies: { cache: { memory: `${ENOUGH}b`, ...cache } },
    routes: all.map((route, i) => Object.assign({ id: `r${i}`, match: { path: `/${i}` }, service: 'one' }, route)),
  }
}

function startCaches(t: TestContext) {
  const { prepare, ask, gauge, clock } = startThread(t)
  let current: Generation | null = null
  return {
    clock,
    prepare,
    /** Switches to the next configuration, and ends the previous one. */
    follow: async (input: GatewayInput, policies?: Parameters<typeof prepare>[1]): Promise<void> => {
      const next = await prepare(input, policies)
      next.takeOver()
      current?.close()
      current = next
    },
    status: async (target: string, generation = current!): Promise<string> =>
      (await ask(generation, { target })).headers['Cache-Status']!.replace(/^sallyport; /, '').replace(/; .*/, ''),
    ask: (target: string) => ask(current!, { target }),
    bytes: () => gauge('sallyport_cache_bytes').map(([, value]) => value),
  }
}

test('stored replies survive changes to other parts of the configuration', async (t) => {
  const { one, services } = await startServices(t)
  const { follow, status } = startCaches(t)
  await follow(configOf(services, {}))
  assert.equal(await status('/0'), 'fwd=uri-miss')
  for (const next of [
    configOf(services, {}),
    configOf(services, {}, {}, { service: 'other' }),
    configOf(services, { ttl: '10s', wait: '1s', staleIfError: '1h', clientDirectives: false }),
    {
      ...configOf(services, {}),
      policies: { cache: { memory: `${ENOUGH}b` as const }, 'rate-limit': {}, cors: { origins: ['*'] } },
    },
    configOf(services, {}, { match: { path: ['/0', '/1'] }, timeouts: { response: '1s' } }),
    configOf({ ...services, one: { instances: [one.url], health: false, balancer: 'least-requests' } }, {}),
  ]) {
    await follow(next)
    assert.equal(await status('/0'), 'hit', JSON.stringify(next))
  }
  assert.equal(one.received.length, 1)
})

const own = { policies: { marks: { mark: 'a' } } as Route['policies'] }

for (const [name, before, after] of [
  ['forwards to another service', {}, { service: 'other' }],
  ['shares replies', { policies: { cache: { share: 'everyone' } } }, {}],
  ['ignores cookies', { policies: { cache: { setCookie: true } } }, {}],
  ['treats queries differently', {}, { policies: { cache: { query: { sort: true } } } }],
  ['varies by other headers', {}, { policies: { cache: { targets: [] } } }],
  ['rewrites paths', {}, { rewrite: { prefix: '/0', with: '/zero' } }],
  ['rewrites requests', {}, { policies: { 'request-headers': { set: { 'X-Tenant': 'a' } } } }],
  ['transforms requests', {}, { policies: { transform: { request: { headers: { set: { 'X-A': 'b' } } } } } }],
  ['has a policy after the cache', {}, own],
  ['has another policy after the cache', own, { policies: { marks: { mark: 'b' } } }],
] as const satisfies [string, Partial<Route>, Partial<Route>][])
  test(`a stored reply is not used while its route ${name}, and is again afterwards`, async (t) => {
    const { services } = await startServices(t)
    const { follow, status } = startCaches(t)
    await follow(configOf(services, {}, before), [marks])
    assert.equal(await status('/0'), 'fwd=uri-miss')
    await follow(configOf(services, {}, after), [marks])
    assert.equal(await status('/0'), 'fwd=uri-miss')
    await follow(configOf(services, {}, before), [marks])
    assert.equal(await status('/0'), 'hit')
  })

test('a stored reply is not used once its service is called with another Host', async (t) => {
  const { services } = await startServices(t)
  const { follow, status } = startCaches(t)
  await follow(configOf(services, {}))
  assert.equal(await status('/0'), 'fwd=uri-miss')
  await follow(configOf({ ...services, one: { ...services['one']!, host: 'other.example.com' } }, {}))
  assert.equal(await status('/0'), 'fwd=uri-miss')
})

test('a stored reply is only used with the same version of a custom policy', async (t) => {
  const { services } = await startServices(t)
  const { follow, status } = startCaches(t)
  const versions = ['1', '2'].map((version) => [{ ...marks, version }])
  await follow(configOf(services, {}, own), versions[0])
  assert.equal(await status('/0'), 'fwd=uri-miss')
  await follow(configOf(services, {}, own), versions[1])
  assert.equal(await status('/0'), 'fwd=uri-miss')
  await follow(configOf(services, {}, own), versions[1])
  assert.equal(await status('/0'), 'hit')
})

test('a change of memory applies to stored replies when the configuration takes over', async (t) => {
  const { services } = await startServices(t)
  const { follow, status, prepare, bytes } = startCaches(t)
  await follow(configOf(services, {}, { match: { path: '/*' } }))
  for (let i = 0; i < 20; i++) await status(`/${i}`)
  const [held] = bytes()
  assert.equal(await status('/19'), 'hit')
  const abandoned = await prepare(configOf(services, { memory: '8kb' }, { match: { path: '/*' } }))
  abandoned.close()
  assert.deepEqual(bytes(), [held])
  await follow(configOf(services, { memory: `${2 * ENOUGH}b` }, { match: { path: '/*' } }))
  assert.deepEqual(bytes(), [held])
  for (let i = 0; i < 20; i++) assert.equal(await status(`/${i}`), 'hit')
  for (let i = 20; i < 200; i++) await status(`/${i}`)
  assert.ok(bytes()[0]! > ENOUGH && bytes()[0]! <= 2 * ENOUGH)
  await follow(configOf(services, { memory: `${ENOUGH / 2}b` }, { match: { path: '/*' } }))
  // Entries are moved in batches.
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
  assert.ok(bytes()[0]! <= ENOUGH / 2)
  assert.equal(await status('/199'), 'hit')
  assert.equal(await status('/0'), 'fwd=uri-miss')
})

test('routes keep their stored replies when the memory of any of them changes', async (t) => {
  const { services } = await startServices(t)
  const { follow, status, bytes } = startCaches(t)
  const sized = (memory: number) => ({ policies: { cache: { memory: `${memory}b` as const } } })
  await follow(configOf(services, {}, {}, sized(2 * ENOUGH)))
  for (const path of ['/0', '/1']) assert.equal(await status(path), 'fwd=uri-miss')
  // The size for all becomes that of the other cache plus what is new.
  await follow(configOf(services, { memory: `${2 * ENOUGH}b` }, {}, sized(3 * ENOUGH)))
  for (const path of ['/0', '/1']) assert.equal(await status(path), 'hit')
  await follow(configOf(services, { memory: `${4 * ENOUGH}b` }, {}, sized(5 * ENOUGH)))
  for (const path of ['/0', '/1']) assert.equal(await status(path), 'hit')
  // A route that starts or stops sharing takes its own entries with it.
  await follow(configOf(services, { memory: `${4 * ENOUGH}b` }, {}, {}))
  for (const path of ['/0', '/1']) assert.equal(await status(path), 'hit')
  await follow(configOf(services, { memory: `${4 * ENOUGH}b` }, sized(ENOUGH), {}))
  for (const path of ['/0', '/1']) assert.equal(await status(path), 'hit')
  assert.equal(bytes().length, 1)
})

test('an unsafe request to the previous configuration invalidates replies stored by the current one', async (t) => {
  const { services } = await startServices(t)
  const { prepare, ask } = startThread(t)
  const first = await prepare(configOf(services, {}))
  first.takeOver()
  const second = await prepare(configOf(services, { memory: `${2 * ENOUGH}b` }))
  second.takeOver()
  assert.match((await ask(second, { target: '/0' })).headers['Cache-Status']!, /stored/)
  await ask(first, { target: '/0', method: 'DELETE' })
  assert.match((await ask(second, { target: '/0' })).headers['Cache-Status']!, /uri-miss/)
})

test('stored replies in Redis are also found only by the rules they were stored under', async (t) => {
  const { one, services } = await startServices(t)
  const { url } = await startRedis(t)
  const { prepare, ask } = startThreadBy(t, systemClock)
  const stores = { redis: { url, timeout: '5s' } } as const
  const inRedis = (input: GatewayInput): GatewayInput => ({ ...input, stores })
  const statusOf = async (generation: Generation) => (await ask(generation, { target: '/0' })).headers['Cache-Status']!
  const first = await prepare(inRedis(configOf(services, { share: 'everyone' })))
  await statusOf(first)
  await until('the reply to be stored', async () => (await statusOf(first)).includes('hit'))
  const second = await prepare(inRedis(configOf(services, { share: 'public', memory: `${2 * ENOUGH}b` })))
  second.takeOver()
  assert.match(await statusOf(second), /uri-miss/)
  const third = await prepare(inRedis(configOf(services, { share: 'everyone', memory: `${2 * ENOUGH}b` })))
  third.takeOver()
  first.close()
  second.close()
  assert.match(await statusOf(third), /hit/)
  const another = startThreadBy(t, systemClock)
  const elsewhere = await another.prepare(inRedis(configOf(services, { share: 'everyone' })))
  assert.match((await another.ask(elsewhere, { target: '/0' })).headers['Cache-Status']!, /hit/)
  assert.equal(one.received.length, 2)
})
