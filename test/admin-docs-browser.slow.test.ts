/** The pages of the admin listener, in a browser. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { startAdminGateway } from './support/admin.ts'
import { startBrowser } from './support/browser.ts'
import { barriers, overhang } from './support/console.ts'
import { proxyTo } from './support/gateway.ts'

test('browsers get an HTML page at /, with links to the GET endpoints that are something to open', async (t) => {
  const { adminPort } = await startAdminGateway(t, {})
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  const refused: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && refused.push(message.text())))
  await page.goto(`http://127.0.0.1:${adminPort}/`)
  assert.match(await page.locator('h1').innerText(), /^Sallyport \d/)
  assert.equal(await page.evaluate('getComputedStyle(document.body).maxWidth'), '960px')
  const linked = await page.locator('table a').allInnerTexts()
  assert.ok(linked.includes('GET /metrics'))
  for (const endpoint of ['GET /events', 'GET /login/oidc/callback', 'GET /services/{name}', 'POST /login'])
    assert.ok(!linked.includes(endpoint), endpoint)
  await page.getByRole('link', { name: 'GET /status' }).click()
  assert.match(await page.locator('body').innerText(), /"readiness":"ready"/)
  assert.deepEqual(refused, [])
})

test('the page at / fits a narrow window, and is readable in dark mode', async (t) => {
  const { adminPort } = await startAdminGateway(t, {})
  const browser = await startBrowser(t)
  const page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' })
  await page.goto(`http://127.0.0.1:${adminPort}/`)
  assert.equal(await overhang(page), 0)
  assert.deepEqual(await barriers(page), [])
})

test('the documentation page shows the API and can send requests, under its Content-Security-Policy', async (t) => {
  const { adminPort, ask } = await startAdminGateway(t, proxyTo('http://127.0.0.1:1'))
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  const refused: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && refused.push(message.text())))
  await page.goto(`http://127.0.0.1:${adminPort}/docs`)
  await page.getByText('Sallyport admin API').waitFor()
  const drain = page.locator('.opblock-put', { hasText: 'Drain an instance' })
  await drain.locator('.opblock-summary-control').click()
  await drain.getByRole('button', { name: 'Try it out' }).click()
  await drain.locator('tr[data-param-name="name"] input').fill('backend')
  await drain.locator('tr[data-param-name="instance"] input').fill('127.0.0.1:1')
  await drain.getByRole('button', { name: 'Execute' }).click()
  await drain.getByText('is the last usable instance of backend').first().waitFor()
  const level = page.locator('.opblock-put', { hasText: 'Set the log level' })
  await level.locator('.opblock-summary-control').click()
  await level.getByRole('button', { name: 'Try it out' }).click()
  await level.locator('textarea').fill('{"level":"error"}')
  await level.getByRole('button', { name: 'Execute' }).click()
  await level.locator('.live-responses-table').waitFor()
  assert.deepEqual((await ask('/log-level')).json, { level: 'error' })
  // The only error is the answer 409.
  assert.deepEqual(
    refused.filter((text) => !text.includes('409')),
    [],
  )
})
