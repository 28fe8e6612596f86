import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import type { Generation } from '../src/front/generation.ts'
import { definePolicy, type GatewayInput, Reply, Shared } from '../src/gateway.ts'
import { startKeyServer } from './support/key-server.ts'
import { startService, type TestService } from './support/service.ts'
import { startThread } from './support/thread.ts'
import { jwkOf, pairs, tokenOf } from './support/tokens.ts'

const routes: GatewayInput['routes'] = [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }]

/** A configuration with that method, and its further options in `auth`. */
function authBy(methods: object, more: GatewayInput = {}): GatewayInput {
  return { routes, policies: { auth: { methods } as NonNullable<GatewayInput['policies']>['auth'] }, ...more }
}

function bearer(token: string) {
  return { headers: { Authorization: `Bearer ${token}` } }
}

const signed = (sub: string): string =>
  tokenOf({ header: { kid: 'first' }, claims: { sub }, key: pairs.rsa.privateKey, algorithm: 'RS256' })

test('fetched keys are kept as long as a generation uses the same set, and fetched again afterwards', async (t) => {
  const server = await startKeyServer(t, [jwkOf(pairs.rsa.publicKey, { kid: 'first' })])
  const { prepare, ask } = startThread(t)
  const jwks = `${server.url}/keys`
  const first = await prepare(authBy({ jwt: { jwks } }))
  first.takeOver()
  assert.equal((await ask(first, bearer(signed('alice')))).status, 204)
  server.broken = { status: 503, text: '' }
  let last = first
  for (const next of [
    authBy({ jwt: { jwks } }),
    // A method with another token source has not verified any token yet, but keeps the keys.
    authBy({ jwt: { jwks, cookie: 'token', cacheSize: 5 } }),
    authBy({ jwt: { jwks, cookie: 'token', cacheSize: 5 }, 'api-key': { keys: [] } }),
    { ...authBy({ jwt: { jwks } }), trustedProxies: ['10.0.0.1'] },
  ]) {
    const generation = await prepare(next)
    generation.takeOver()
    last.close()
    last = generation
    for (const who of ['alice', 'bob']) assert.equal((await ask(last, bearer(signed(who)))).status, 204, who)
  }
  assert.equal(server.requests, 1)
  last.close()
  server.broken = null
  const later = await prepare(authBy({ jwt: { jwks } }))
  assert.equal((await ask(later, bearer(signed('alice')))).status, 204)
  assert.equal(server.requests, 2)
})

/** A service that attributes every token to alice. */
function startUsers(t: TestContext): Promise<TestService> {
  return startService(t, (_, response) => void response.end(JSON.stringify({ active: true, sub: 'alice' })))
}

test('introspected tokens stay cached, and new ones are sent to the current address of the service', async (t) => {
  const [old, fresh] = [await startUsers(t), await startUsers(t)]
  const { prepare, ask } = startThread(t)
  const asking = ({ url }: TestService): GatewayInput =>
    authBy(
      { introspection: { service: 'users', path: '/introspect', cache: '1h' } },
      { services: { users: { instances: [url], health: false } } },
    )
  const first = await prepare(asking(old))
  first.takeOver()
  assert.equal((await ask(first, bearer('one'))).status, 204)
  const second = await prepare(asking(fresh))
  second.takeOver()
  assert.equal((await ask(second, bearer('one'))).status, 204)
  assert.equal((await ask(second, bearer('two'))).status, 204)
  assert.deepEqual([old.received.length, fresh.received.length], [1, 1])
  first.close()
  assert.equal((await ask(second, bearer('three'))).status, 204)
  assert.deepEqual([old.received.length, fresh.received.length], [1, 2])
  const never = await prepare(asking(old))
  never.close()
  assert.equal((await ask(second, bearer('four'))).status, 204)
  assert.deepEqual([old.received.length, fresh.received.length], [1, 3])
})

test('a prepared configuration introspects with its own services, and exchanges in progress with the previous ones', async (t) => {
  const [old, fresh] = [await startUsers(t), await startUsers(t)]
  const { prepare, ask } = startThread(t)
  const asking = (name: string, { url }: TestService): GatewayInput =>
    authBy(
      { introspection: { service: name, path: '/introspect' } },
      { services: { [name]: { instances: [url], health: false } } },
    )
  const first = await prepare(asking('users', old))
  first.takeOver()
  const second = await prepare(asking('people', fresh))
  assert.equal((await ask(second, bearer('one'))).status, 204)
  second.takeOver()
  assert.equal((await ask(first, bearer('one'))).status, 204)
  assert.deepEqual([old.received.length, fresh.received.length], [1, 1])
})

/** A custom policy that counts requests in a table, and replies with the count. */
function createCounting() {
  const output: string[] = []
  class Table {
    count = 0
    step = 1

    close(): void {
      output.push(`closed at ${this.count}`)
    }
  }
  const tables = new Shared<Table>()
  const policy = definePolicy({
    name: 'counting',
    summary: 'Counts requests.',
    options: z.strictObject({ table: z.string(), step: z.number() }),
    create({ table: name, step }, { holder }, route) {
      if (route.id === '') return (next) => next
      const table = tables.get(holder, name, () => (output.push(`made ${name}`), new Table()))
      holder.onTakeOver(() => (table.step = step))
      return () => () => Reply.json(200, (table.count += table.step))
    },
  })
  return { policy, said: output }
}

test('the state that a custom policy keeps is shared across reloads, and closed with the last generation that uses it', async (t) => {
  const { policy, said } = createCounting()
  const { prepare, ask } = startThread(t)
  const configOf = (table: string, step: number): GatewayInput => ({
    routes,
    policies: { counting: { table, step } },
  })
  const textOf = async (generation: Generation): Promise<string> => (await ask(generation)).text
  const first = await prepare(configOf('a', 1), [policy])
  first.takeOver()
  assert.equal(await textOf(first), '1')
  const never = await prepare(configOf('a', 100), [policy])
  never.close()
  assert.equal(await textOf(first), '2', 'an abandoned change has no effect')
  const second = await prepare(configOf('a', 10), [policy])
  second.takeOver()
  first.close()
  assert.equal(await textOf(second), '12')
  const third = await prepare(configOf('b', 1), [policy])
  third.takeOver()
  assert.deepEqual(said, ['made a', 'made b'])
  second.close()
  assert.deepEqual(said, ['made a', 'made b', 'closed at 12'])
})
