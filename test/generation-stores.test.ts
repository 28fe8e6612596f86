import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import type { GatewayInput, Rate } from '../src/gateway.ts'
import type { Generation } from '../src/front/generation.ts'
import { systemClock } from '../src/core/clock.ts'
import { connectTo, startRedis, until } from './support/redis.ts'
import { startThread, startThreadBy } from './support/thread.ts'

const routes: GatewayInput['routes'] = [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }]

function limited(tiers: Readonly<Record<string, Rate>>, rest: GatewayInput = {}): GatewayInput {
  return { routes, policies: { 'rate-limit': { tiers } }, ...rest }
}

function namesOf({ stores }: Generation): string[] {
  return Array.from(stores.limits.known, ({ limit, store }) => `${limit.name} ${store}`)
}

/** How many connections of gateways a Redis has. */
async function connectionsTo(client: ReturnType<typeof connectTo>): Promise<number> {
  const list = String(await client.client('LIST'))
  return list.split('\n').filter((line) => line.includes('name=sallyport')).length
}

test('limits of the configuration are listed, and counts continue when a limit changes', async (t) => {
  const { prepare, ask } = startThread(t)
  const first = await prepare(limited({ unauthenticated: '2/h', old: '1/h' }))
  assert.deepEqual(namesOf(first), ['authenticated memory', 'unauthenticated memory', 'api_key memory', 'old memory'])
  for (const status of [204, 204, 429]) assert.equal((await ask(first)).status, status)
  const second = await prepare(limited({ unauthenticated: '3/h', fresh: '1/h' }))
  assert.deepEqual(namesOf(second), [
    'authenticated memory',
    'unauthenticated memory',
    'api_key memory',
    'fresh memory',
  ])
  second.takeOver()
  first.close()
  for (const status of [204, 429]) assert.equal((await ask(second)).status, status)
})

test('the connection to a Redis stays open while any generation uses it', async (t) => {
  const [one, other] = [await startRedis(t), await startRedis(t)]
  const [toOne, toOther] = [connectTo(t, one), connectTo(t, other)]
  const { prepare, ask } = startThreadBy(t, systemClock)
  const on = ({ url }: { url: string }): GatewayInput =>
    limited({ unauthenticated: '2/h' }, { stores: { redis: { url } } })
  const first = await prepare(on(one))
  assert.equal((await ask(first)).status, 204)
  const second = await prepare(on(one))
  second.takeOver()
  first.close()
  assert.equal((await ask(second)).status, 204)
  assert.equal((await ask(second)).status, 429)
  assert.equal(await connectionsTo(toOne), 1)
  const third = await prepare(on(other))
  assert.equal(await connectionsTo(toOther), 1, 'it is established before it is needed')
  third.takeOver()
  assert.equal((await ask(third)).status, 204)
  assert.equal((await ask(second)).status, 429, 'requests in flight use the configuration that they started with')
  second.close()
  const isLeft = async () => (await connectionsTo(toOne)) === 0
  for (let left = false; !left;) left = await isLeft()
  assert.equal((await ask(third)).status, 204)
})

test('a discarded configuration closes its connection to Redis', async (t) => {
  const server = await startRedis(t)
  const client = connectTo(t, server)
  const { prepare } = startThreadBy(t, systemClock)
  const never = await prepare({ routes, stores: { redis: { url: server.url } } })
  assert.equal(await connectionsTo(client), 1)
  never.close()
  for (let left = 1; left > 0;) left = await connectionsTo(client)
})

test('a reload does not wait for a known Redis that is down', async (t) => {
  const server = await startRedis(t)
  const { prepare, clock } = startThread(t)
  const input: GatewayInput = { routes, stores: { redis: { url: server.url } } }
  const first = await prepare(input)
  await server.kill()
  await until('the outage to be noticed', () => first.stores.redis!.troubles.length > 0)
  const before = clock.now()
  await prepare(input)
  assert.equal(clock.now(), before)
})

test('keys of another Redis are separate', async (t) => {
  const [one, other] = [await startRedis(t), await startRedis(t)]
  const sha256 = hash('sha256', 'secret')
  const key = {
    sha256,
    id: 'ci',
    prefix: 'sp_',
    owner: 'builds',
    tier: 'api_key',
    roles: [],
    created: 0,
    expires: null,
  }
  await connectTo(t, one).hset('sallyport:api-keys', sha256, JSON.stringify(key))
  const { prepare, ask } = startThreadBy(t, systemClock)
  const on = ({ url }: { url: string }): GatewayInput => ({
    routes,
    policies: { auth: { methods: { 'api-key': { store: 'redis', cache: '1h' } } } },
    stores: { redis: { url, timeout: '1s' } },
  })
  const headers = { 'X-API-Key': 'secret' }
  const first = await prepare(on(one))
  assert.equal((await ask(first, { headers })).status, 204)
  const second = await prepare(on(other))
  second.takeOver()
  assert.equal((await ask(second, { headers })).status, 401)
  first.close()
  const third = await prepare(on(one))
  third.takeOver()
  second.close()
  assert.equal((await ask(third, { headers })).status, 204)
})
