import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { walkDemo } from '../scripts/image/walk.ts'
import { cleanUp } from './support/cleanup.ts'
import { startCommand } from './support/command.ts'
import { freePorts, startPlatform } from '../examples/platform/platform.ts'
import { prepareTls } from '../examples/platform/tls.ts'

const JWT_SECRET = 'a secret of at least thirty-two characters'
const API_KEY = 'the key of a partner'

test('every line that the demo prints works over TLS, with the authority that it names', async (t) => {
  const platform = await startPlatform({ jwtSecret: JWT_SECRET, ports: freePorts })
  cleanUp(t, () => platform.close())
  const urls = Object.entries(platform.instances).map(
    ([name, instances]) =>
      [`${name.replace('-', '_').toUpperCase()}_URL`, instances.map(({ url }) => url).join(',')] as const,
  )
  const tls = prepareTls()
  cleanUp(t, () => tls.remove())
  const { port, adminPort } = await startCommand(t, tls.config, {
    env: {
      ...Object.fromEntries(urls),
      JWT_SECRET,
      PARTNER_KEY_SHA256: hash('sha256', API_KEY),
      SALLYPORT_ADDRESS: '127.0.0.1:0',
      SALLYPORT_ADMIN_ADDRESS: '127.0.0.1:0',
    },
  })
  const [drained] = platform.instances['inventory-service']
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const demo = { url: `https://127.0.0.1:${port}`, adminUrl, apiKey: API_KEY, ca: tls.ca }
  assert.ok((await walkDemo(demo, { '127.0.0.1:8003': new URL(drained?.url ?? '').host })) > 15)
})

test('nothing is left of the certificates of the demo', () => {
  const demo = prepareTls()
  assert.ok(existsSync(demo.config) && existsSync(demo.ca))
  demo.remove()
  assert.ok(!existsSync(demo.config) && !existsSync(demo.ca))
})
