import assert from 'node:assert/strict'
import test from 'node:test'
import { createGateway, definePolicy, type GatewayInput, z } from '../src/gateway.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'

const replying = (body: string): GatewayInput => ({
  workers: 2,
  listeners: [{ address: '127.0.0.1:0' }],
  admin: false,
  log: { access: false, level: 'error' },
  routes: [{ id: 'own', match: { path: '/*' }, reply: { status: 200, body } }],
})

test('a gateway created by a program can use workers, and be reloaded', async (t) => {
  const gateway = await createGateway(replying('one'), { workers: true })
  cleanUp(t, () => gateway.close())
  await gateway.ready
  const { port } = gateway.addresses[0]!
  assert.match((await send(port, { path: '/metrics' })).text, /^sallyport_workers 2$/m)
  assert.equal((await send(port)).text, 'one')
  await gateway.reload(replying('two'))
  for (let i = 0; i < 8; i++) assert.equal((await send(port)).text, 'two')
  assert.equal(gateway.connections, 0)
  await gateway.close()
  await assert.rejects(send(port), { code: 'ECONNREFUSED' })
})

test('policy objects cannot be used with workers', async () => {
  const policy = definePolicy({
    name: 'own',
    summary: 'Does nothing.',
    options: z.object({}),
    create: () => (next) => next,
  })
  await assert.rejects(
    createGateway({ ...replying('one'), ownPolicies: [policy] }, { workers: true }),
    /^Error: Policy objects cannot be passed to worker threads: list their files in ownPolicies$/,
  )
})
