import assert from 'node:assert/strict'
import test from 'node:test'
import type { Page } from 'playwright-core'
import { serviceNames } from '../examples/platform/platform.ts'
import { startBrowser } from './support/browser.ts'
import { send } from './support/client.ts'
import { overhang } from './support/console.ts'
import { startDemo } from './support/demo.ts'
import { documentOf } from './support/openapi.ts'

/** Sends the operation with that id from the page, and resolves with the status that it shows. */
async function tryOut(page: Page, id: string): Promise<string> {
  const operation = page.locator(`[id^="operations-"][id$="-${id}"]`)
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  return operation.locator('.live-responses-table tr.response .response-col_status').innerText()
}

test('a browser shows the documentation and can send requests from it', async (t) => {
  const { port, log } = await startDemo(t)
  await Promise.all(
    serviceNames.map((service) => log.line({ service, message: 'The documentation of a service has changed' })),
  )
  const document = documentOf((await send(port, { path: '/openapi.json' })).text)
  const origin = `http://127.0.0.1:${port}`
  const page = await (await startBrowser(t)).newPage()
  const complaints: string[] = []
  const asked: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(`${origin}/docs`)
  await page.locator('.opblock').first().waitFor()

  await t.test('every operation is listed, grouped by service', async () => {
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item))
    assert.equal(await page.locator('.opblock').count(), operations.length)
    const tags = await page.locator('.opblock-tag').all()
    assert.deepEqual(await Promise.all(tags.map((tag) => tag.getAttribute('data-tag'))), [...serviceNames, 'gateway'])
  })

  await t.test('the page has a title, a language, and a main part', async () => {
    assert.equal(await page.title(), `${document.info.title} – documentation`)
    assert.equal(await page.locator('html').getAttribute('lang'), 'en')
    assert.equal(await page.locator('main h1.title').count(), 1)
  })

  await t.test('a public operation is answered by its service, through the gateway', async () => {
    assert.equal(await tryOut(page, 'listProducts'), '200')
  })

  await t.test('an operation that requires a token is 401 without it, and succeeds with it', async () => {
    assert.equal(await tryOut(page, 'getMe'), '401')
    const body = JSON.stringify({ email: 'alice@example.com', password: 'wonderland' })
    const headers = { 'Content-Type': 'application/json' }
    const login = await send(port, { method: 'POST', path: '/api/v1/auth/login', headers, body })
    const { token } = JSON.parse(login.text) as { token: string }
    await page.locator('.auth-wrapper').getByRole('button', { name: 'Authorize' }).first().click()
    const form = page.locator('.auth-container', { hasText: 'bearer' })
    await form.locator('input').fill(token)
    await form.getByRole('button', { name: 'Apply credentials' }).click()
    await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).first().click()
    const operation = page.locator('[id$="-getMe"]')
    await operation.getByRole('button', { name: 'Execute' }).click()
    const status = operation.locator('.live-responses-table tr.response .response-col_status', { hasText: '200' })
    await status.waitFor()
    assert.match(await operation.locator('.live-responses-table').innerText(), /alice@example\.com/)
  })

  await t.test('the page sends no requests to other hosts, and the only errors in the console are the 401s', () => {
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:')),
      [],
    )
    assert.deepEqual(
      complaints.filter((text) => !text.includes('status of 401')),
      [],
    )
  })

  await t.test('tokens do not outlive the page', async () => {
    // The URL leads to the operation that was opened last.
    await page.goto('about:blank')
    await page.goto(`${origin}/docs`)
    await page.locator('.opblock').first().waitFor()
    assert.equal(await tryOut(page, 'getMe'), '401')
  })

  await t.test('an open operation fits on a narrow screen', async () => {
    await page.setViewportSize({ width: 375, height: 900 })
    await page.locator('.opblock.is-open .responses-inner .response-col_description').first().waitFor()
    assert.equal(await overhang(page), 0)
  })
})
