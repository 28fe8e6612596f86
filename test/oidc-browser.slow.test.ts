import assert from 'node:assert/strict'
import test from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { startBrowser } from './support/browser.ts'
import { startGateway } from './support/gateway.ts'
import { CLIENT, startOpenIdProvider } from './support/openid-provider.ts'
import { startService } from './support/service.ts'
import { SECRET } from './support/tokens.ts'

const PAGE = `<!doctype html><title>shop</title><h1>shop</h1>
<form method="post" action="/auth/logout"><button>Log out</button></form>`

test('a browser logs in at a provider on another site, stays logged in, and logs out', async (t) => {
  const provider = await startOpenIdProvider(t, systemClock)
  const service = await startService(t, ({ headers }, response) => {
    const who = String(headers['x-user-id'] ?? 'nobody')
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE.replace('<h1>shop', `<h1>${who}`))
  })
  const oidc = { issuer: provider.url, ...CLIENT, secret: SECRET, afterLogout: '/open' }
  const { port } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    policies: { auth: { public: ['/open'], methods: { oidc } } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  // The provider is at 127.0.0.1: another site, with separate cookies.
  const shop = `http://localhost:${port}`
  const page = await (await startBrowser(t)).newPage()
  await page.goto(`${shop}/cart?item=7`)
  assert.equal(page.url(), `${shop}/cart?item=7`)
  assert.equal(await page.textContent('h1'), 'alice')
  await page.reload()
  assert.equal(await page.textContent('h1'), 'alice')
  assert.equal(await page.evaluate('fetch("/api").then(({ status }) => status)'), 200)
  assert.equal(await page.evaluate('document.cookie'), '')
  await page.click('button')
  await page.waitForURL(`${shop}/open`)
  assert.equal(await page.textContent('h1'), 'nobody')
  assert.equal(await page.evaluate('fetch("/api").then(({ status }) => status)'), 401)
  assert.deepEqual(await page.context().cookies(shop), [])
})
