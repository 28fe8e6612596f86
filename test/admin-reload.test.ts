import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startAdmin } from '../src/admin/server.ts'
import { NO_CODE } from '../src/config/loaded-code.ts'
import type { GatewayInput } from '../src/config/gateway-input.ts'
import type { GatewayConfig } from '../src/config/schema.ts'
import { policies } from '../src/policies/index.ts'
import { originOf } from '../src/runtime/origin.ts'
import type { Policy } from '../src/policies/policy.ts'
import { requestAdmin } from './support/admin.ts'
import { cleanUp } from './support/cleanup.ts'
import { startScope } from './support/process-scope.ts'

/** A configuration with an admin listener on a free port and without health checks. */
function administered(input: GatewayInput): GatewayInput {
  return { ...input, admin: { address: '127.0.0.1:0', ...input.admin } }
}

/** A process with an admin API and successive configurations. */
async function startProcess(t: TestContext, input: GatewayInput) {
  const { clock, scope, ...started } = startScope(t, administered(input))
  const prepare = (next: GatewayInput) => started.prepare(administered(next))
  const requests: GatewayConfig[] = []
  const chainOf = async (of: GatewayConfig): Promise<readonly Policy[]> => {
    requests.push(of)
    return policies
  }
  const { config } = scope
  if (config.admin === false) throw new Error('the configuration has an admin listener')
  const admin = await startAdmin(config.admin, {
    ...scope.operated,
    policies: chainOf,
    readiness: () => 'ready',
    addresses: () => [],
    reloads: {
      get applied() {
        const read = { config: scope.config, revision: 'r', text: null, code: [], modules: NO_CODE, warnings: [] }
        return { ...read, generation: 1, since: 0, origin: originOf('started'), rewritten: null }
      },
      earlier: [],
      lastReload: null,
      lastSuccessful: true,
      instancesProblem: null,
    },
    source: null,
  })
  cleanUp(t, () => admin.close())
  return {
    prepare,
    clock,
    asked: requests,
    ask: (path: string, what = {}) => requestAdmin(admin.address.port, path, what),
    reload: async (next: GatewayInput): Promise<void> => (await prepare(next)).commit(),
  }
}

const unchecked = (...instances: string[]) => ({ instances, health: false as const })

test('the admin API shows the applied configuration, never a prepared one', async (t) => {
  const { prepare, ask, reload } = await startProcess(t, { services: { users: unchecked('http://127.0.0.1:1') } })
  const servicesOf = async (): Promise<string[]> => Object.keys((await ask('/config')).json['services'] as object)
  assert.deepEqual(await servicesOf(), ['users'])
  const prepared = await prepare({ services: { orders: unchecked('http://127.0.0.1:2') } })
  assert.deepEqual(await servicesOf(), ['users'])
  prepared.abandon()
  assert.deepEqual(await servicesOf(), ['users'])
  await reload({ services: { payments: unchecked('http://127.0.0.1:3') } })
  assert.deepEqual(await servicesOf(), ['payments'])
})

test('the list of routes follows the applied configuration, and is computed once for each', async (t) => {
  const reply = { status: 200 }
  const { ask, reload, asked } = await startProcess(t, { routes: [{ id: 'a', match: { path: '/a' }, reply }] })
  const routesOf = async () =>
    ((await ask('/routes')).json['routes'] as { id: string; policies: string[] }[]).map((route) => [
      route.id,
      route.policies,
    ])
  assert.deepEqual(await routesOf(), [['a', []]])
  await routesOf()
  assert.equal(asked.length, 1)
  await reload({
    policies: { 'correlation-id': {} },
    routes: [
      { id: 'b', match: { path: '/b' }, reply, policies: { cors: {} } },
      { id: 'c', match: { path: '/c' }, reply },
    ],
  })
  assert.deepEqual(await routesOf(), [
    ['b', ['correlation-id', 'cors']],
    ['c', ['correlation-id']],
  ])
  assert.equal(asked.length, 2)
})

test('instances added by a reload can be drained, removed ones cannot, and drained ones stay drained', async (t) => {
  const { ask, reload } = await startProcess(t, {
    services: { users: unchecked('http://127.0.0.1:1', 'http://127.0.0.1:2') },
  })
  const drain = async (port: number): Promise<number> =>
    (await ask(`/services/users/instances/127.0.0.1:${port}/drain`, { method: 'PUT' })).status
  assert.equal(await drain(2), 200)
  assert.equal(await drain(3), 404)
  await reload({ services: { users: unchecked('http://127.0.0.1:2', 'http://127.0.0.1:3', 'http://127.0.0.1:4') } })
  assert.equal(await drain(1), 404)
  assert.equal(await drain(3), 200)
  const { json } = await ask('/services/users')
  assert.deepEqual(
    (json['instances'] as { address: string; drained: boolean; usable: boolean }[]).map((each) => [
      each.address,
      each.drained,
      each.usable,
    ]),
    [
      ['127.0.0.1:2', true, false],
      ['127.0.0.1:3', true, false],
      ['127.0.0.1:4', false, true],
    ],
  )
  assert.equal(await drain(4), 409)
})

test('a new token applies from the next request on, and is not shown', async (t) => {
  const [before, after] = ['the-token-before-0123', 'the-token-after-456789']
  const { ask, reload } = await startProcess(t, { admin: { token: before } })
  const statusWith = async (token: string): Promise<number> =>
    (await ask('/status', { headers: { Authorization: `Bearer ${token}` } })).status
  assert.deepEqual([await statusWith(before), await statusWith(after)], [200, 401])
  await reload({ admin: { token: after } })
  assert.deepEqual([await statusWith(before), await statusWith(after)], [401, 200])
  const { text } = await ask('/config', { headers: { Authorization: `Bearer ${after}` } })
  assert.ok(!text.includes(after) && !text.includes(before))
  await reload({})
  assert.equal(await statusWith(before), 200)
})

test('the document declares the token only while one is configured', async (t) => {
  const { ask, reload } = await startProcess(t, {})
  const securityOf = async (path: string): Promise<unknown> =>
    (await ask(path, { headers: { Authorization: 'Bearer 0123456789abcdef' } })).json['security']
  assert.deepEqual([await securityOf('/openapi.json'), await securityOf('/docs/json')], [undefined, undefined])
  await reload({ admin: { token: '0123456789abcdef' } })
  const secured = [{ token: [] }, { session: [] }]
  assert.deepEqual([await securityOf('/openapi.json'), await securityOf('/docs/json')], [secured, secured])
  await reload({})
  assert.equal(await securityOf('/openapi.json'), undefined)
})
