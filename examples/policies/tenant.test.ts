import assert from 'node:assert/strict'
import test from 'node:test'
import { Headers, Reply } from '../../src/gateway.ts'
import { applyPolicy, fakeExchange, startTestGateway } from '../../src/testing.ts'
import tenant from './tenant.ts'

const options = { tenants: ['acme', 'globex'] }

test('the service receives the tenant of the host, whatever the client sends', async () => {
  const exchange = fakeExchange({ host: 'acme.example.com', headers: Headers.of([['x-tenant', 'globex']]) })
  const handle = applyPolicy(tenant, options, ({ headers }) => Reply.json(200, headers.getAll('X-Tenant')))
  const reply = await handle(exchange)
  assert.deepEqual([...exchange.headers], [['X-Tenant', 'acme']])
  assert.equal(reply.headers.get('Vary'), 'Host')
})

test('an unknown host is refused', () => {
  const handle = applyPolicy(tenant, options, () => Reply.json(200, {}))
  assert.throws(() => void handle(fakeExchange({ host: 'initech.example.com' })), { code: 'tenant-unknown' })
})

test('the policy runs in a gateway', async () => {
  await using gateway = await startTestGateway({
    ownPolicies: [{ policy: tenant, before: 'auth' }],
    policies: { tenant: { tenants: ['127'] } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { body: 'hello' } }],
  })
  const reply = await fetch(gateway.url)
  assert.equal(await reply.text(), 'hello')
  assert.equal(reply.headers.get('vary'), 'Host')
})
