import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { walkDemo } from '../scripts/image/walk.ts'
import { cleanUp } from './support/cleanup.ts'
import { startCommand } from './support/command.ts'
import { freePorts, startPlatform } from '../examples/platform/platform.ts'
import { prepareConfiguration } from '../examples/platform/demo-configuration.ts'

const JWT_SECRET = 'a secret of at least thirty-two characters'
const API_KEY = 'the key of a partner'

test('every command that the demo prints works over TLS, with the authority that it names', async (t) => {
  const platform = await startPlatform({ jwtSecret: JWT_SECRET, ports: freePorts })
  cleanUp(t, () => platform.close())
  const urls = Object.entries(platform.instances).map(
    ([name, instances]) =>
      [`${name.replace('-', '_').toUpperCase()}_URL`, instances.map(({ url }) => url).join(',')] as const,
  )
  const demoConfiguration = prepareConfiguration(true)
  cleanUp(t, () => demoConfiguration.remove())
  const { config, ca } = demoConfiguration
  assert.ok(ca !== null)
  const { port, adminPort } = await startCommand(t, config, {
    env: {
      ...Object.fromEntries(urls),
      INVENTORY_GRPC_URL: platform.inventoryGrpcUrls.join(','),
      JWT_SECRET,
      PARTNER_KEY_SHA256: hash('sha256', API_KEY),
      SALLYPORT_ADDRESS: '127.0.0.1:0',
      SALLYPORT_ADMIN_ADDRESS: '127.0.0.1:0',
    },
  })
  const [drained] = platform.instances['inventory-service']
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const inventory = new URL(drained?.url ?? '').host
  const demo = { url: `https://127.0.0.1:${port}`, adminUrl, apiKey: API_KEY, inventory, grpc: true, ca }
  assert.ok((await walkDemo(demo)) > 15)
})

test('the certificates of the demo are removed', () => {
  const demo = prepareConfiguration(true)
  const { config, ca } = demo
  assert.ok(ca !== null && existsSync(config) && existsSync(ca))
  demo.remove()
  assert.ok(!existsSync(config) && !existsSync(ca))
})
