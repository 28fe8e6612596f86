import assert from 'node:assert/strict'
import test from 'node:test'
import { startAdminGateway } from './support/admin.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { startService, type TestService } from './support/service.ts'

const zoned = (...places: readonly (readonly [TestService, string])[]) => ({
  services: { users: { instances: places.map(([{ url }, zone]) => ({ url, zone })), health: false as const } },
  routes: [{ id: 'all', match: { path: '/*' as const }, service: 'users' }],
})

test('requests stay in the zone of the gateway, and use other zones only without an instance in it', async (t) => {
  const [near, far] = [await startService(t), await startService(t)]
  const config = zoned([near, 'eu-1a'], [far, 'eu-1b'])
  const { port, ask } = await startAdminGateway(t, { ...config, zone: 'eu-1a' })
  for (let i = 0; i < 6; i++) assert.equal((await send(port, { path: '/' })).text, String(near.port))
  const { instances } = (await ask('/services/users')).json
  assert.deepEqual(
    (instances as { zone: string }[]).map(({ zone }) => zone),
    ['eu-1a', 'eu-1b'],
  )
  await near.kill()
  for (let i = 0; i < 6; i++) assert.equal((await send(port, { path: '/' })).text, String(far.port))
})

test('the zone can come from the environment, and the configuration overrides it', async (t) => {
  const [near, far] = [await startService(t), await startService(t)]
  process.env['SALLYPORT_ZONE'] = 'eu-1b'
  cleanUp(t, () => delete process.env['SALLYPORT_ZONE'])
  const config = zoned([near, 'eu-1a'], [far, 'eu-1b'])
  const { port } = await startGateway(t, config)
  for (let i = 0; i < 4; i++) assert.equal((await send(port, { path: '/' })).text, String(far.port))
  const other = await startGateway(t, { ...config, zone: 'eu-1a' })
  for (let i = 0; i < 4; i++) assert.equal((await send(other.port, { path: '/' })).text, String(near.port))
})
