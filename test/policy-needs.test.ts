import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigError, createGateway, definePolicy, type GatewayInput, Reply, Shared, z } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'

class Table {
  readonly names: string[] = []
  closed = false

  close(): void {
    this.closed = true
  }
}

const made: Table[] = []
const tables = new Shared<Table>()

/**
 * A policy that needs what built-in ones need: it calls a service, shares a table between routes, and limits the body.
 */
const directory = definePolicy({
  name: 'directory',
  summary: 'Looks callers up.',
  options: z.strictObject({ ask: z.string(), largest: z.number() }),
  services: [['ask']],
  bodyLimit: ({ largest }) => ({ bytes: largest, enforced: false }),
  create(_, { holder }, route) {
    const table = tables.get(holder, 'only', () => {
      made.push(new Table())
      return made.at(-1)!
    })
    return (next) => (exchange) => {
      table.names.push(route.id)
      return exchange.path === '/names' ? Reply.json(200, table.names) : next(exchange)
    }
  },
})

// Separate, as the type of a configuration does not know policies of tests.
const policies = (ask: string) => ({ 'correlation-id': {}, directory: { ask, largest: 20 } })

const config = (ask: string): GatewayInput => ({
  admin: false,
  listeners: [{ address: '127.0.0.1:0' }],
  limits: { body: '10b' },
  services: { people: { instances: ['http://127.0.0.1:1'], health: false } },
  policies: policies(ask),
  routes: [
    { id: 'a', match: { path: '/a' }, reply: {} },
    { id: 'names', match: { path: '/names' }, reply: {} },
  ],
})

test('an unknown service in the options of a custom policy is a configuration problem', async () => {
  await assert.rejects(createGateway({ ...config('poeple'), ownPolicies: [directory] }), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.deepEqual(
      error.problems.map(({ path, message }) => `${path}: ${message}`),
      ['policies.directory.ask: unknown service "poeple"; did you mean "people"?'],
    )
    return true
  })
})

test('routes share the state of a custom policy, which is closed with the gateway', async (t) => {
  const before = made.length
  const { gateway, port } = await startGateway(t, config('people'), { policies: [directory] })
  await send(port, { path: '/a' })
  assert.equal((await send(port, { path: '/names' })).text, '["a","names"]')
  // One for the gateway itself, others at most for simulated runs.
  const table = made.slice(before).find(({ names }) => names.length > 0)
  assert.equal(table?.closed, false)
  await gateway.close()
  assert.equal(table?.closed, true)
})

test('a body limit of a custom policy can exceed the general one', async (t) => {
  const { port } = await startGateway(t, config('people'), { policies: [directory] })
  assert.equal((await send(port, { method: 'POST', path: '/a', body: 'x'.repeat(20) })).status, 200)
  assert.equal((await send(port, { method: 'POST', path: '/a', body: 'x'.repeat(21) })).status, 413)
})
