/** Login to the console, in a real browser against a gateway in this process. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { requestAdmin } from '../support/admin.ts'
import { startBrowser } from '../support/browser.ts'
import { temporaryFile } from '../support/command.ts'
import { barriers, look, openConsole, overhang } from '../support/console.ts'
import { startFromFile } from '../support/file-gateway.ts'
import { startService } from '../support/service.ts'
import { quickDigestOf } from '../support/password.ts'
import { shared } from '../support/shared.ts'

const openBrowser = shared(startBrowser)

const TOKEN = 'token-of-the-operators'
const PASSWORD = 'a password of theirs'
const digest = quickDigestOf(PASSWORD)

async function startShop(t: TestContext) {
  const instances = await Promise.all([startService(t), startService(t)])
  const text = `
admin:
  address: '127.0.0.1:0'
  token: ${TOKEN}
  users:
    - { name: vera, password: '${digest}', role: viewer }
    - { name: otto, password: '${digest}', role: operator }
listeners: [{ address: '127.0.0.1:0' }]
overload: false
services:
  shop: { instances: [${instances.map(({ url }) => `'${url}'`).join(', ')}] }
routes:
  - { id: books, match: { path: /books/* }, service: shop, policies: { cache: { ttl: 60s } } }
`
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { adminPort } = await startFromFile(t, file)
  const headers = { Authorization: `Bearer ${TOKEN}` }
  const isDrained = async (): Promise<boolean> => {
    const { instances: shown } = (await requestAdmin(adminPort, '/services/shop', { headers })).json as {
      instances: { drained: boolean }[]
    }
    return shown.some(({ drained }) => drained)
  }
  const reload = () => requestAdmin(adminPort, '/config/reload', { method: 'POST', headers })
  return { file, origin: `http://127.0.0.1:${adminPort}`, isDrained, reload }
}

async function logIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

test('a viewer logs in, can see everything and change nothing, and logs out', async (t) => {
  const { origin, isDrained } = await startShop(t)
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'services/shop')
  await logIn(page, 'vera', 'not-her-password')
  await page.getByText('The name or the password is wrong.').waitFor()
  assert.deepEqual(await barriers(page), [])
  await logIn(page, 'vera')
  await page.getByText('Live').first().waitFor()
  const header = page.getByRole('banner').first()
  assert.match(await header.innerText(), /vera\s+viewer/)
  const drain = page.getByRole('button', { name: /^Drain / }).first()
  await page.locator('.barred').first().waitFor()
  assert.ok(await drain.isDisabled())
  assert.equal(
    await drain.getAttribute('aria-description'),
    'This needs the role operator; you are logged in as viewer.',
  )
  assert.deepEqual(await barriers(page), [])
  await look(page, { width: 390 })
  assert.deepEqual(await barriers(page), [])
  assert.equal(await overhang(page), 0)
  // A request sent anyway is rejected by the gateway.
  const forced = `fetch("/cache/purge", { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"prefix":"http://a/"}' }).then(({ status }) => status)`
  assert.equal(await page.evaluate(forced), 403)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Password', { exact: true }).waitFor()
  assert.ok(page.url().endsWith('/console/services/shop'))
  assert.equal(await page.evaluate(`fetch('/status').then(({ status }) => status)`), 401)
  assert.equal(await isDrained(), false)
  assert.deepEqual(
    complaints.filter((text) => !/status of 40[13]/.test(text)),
    [],
  )
})

test('an operator can drain, and the page survives the end of a session and a new login', async (t) => {
  const { file, origin, isDrained, reload } = await startShop(t)
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin, 'services/shop', { width: 390 })
  await page.getByLabel('Password', { exact: true }).waitFor()
  assert.equal(await page.getByText('Your session has ended.').count(), 0)
  await logIn(page, 'otto')
  await page
    .getByRole('button', { name: /^Drain / })
    .first()
    .click()
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
  await page.getByRole('button', { name: /^Undrain / }).waitFor()
  assert.equal(await isDrained(), true)
  assert.equal(await overhang(page), 0)
  await page.getByRole('link', { name: 'Cache' }).click()
  await page.getByLabel('URL', { exact: true }).fill('http://half.written/')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace('role: operator }', 'role: admin }'))
  assert.equal((await reload()).status, 200)
  await page.getByText('Your session has ended.').waitFor()
  assert.deepEqual(await barriers(page), [])
  await logIn(page, 'otto')
  await page.getByLabel('Password', { exact: true }).waitFor({ state: 'detached' })
  assert.equal(await page.getByLabel('URL', { exact: true }).inputValue(), 'http://half.written/')
})

test('a browser can also log in with the token, and returns to the page that it opened', async (t) => {
  const { origin } = await startShop(t)
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin, 'services/shop')
  await page.goto(`${origin}/docs/`)
  await page.getByRole('button', { name: 'Use the token instead' }).click()
  for (const token of ['not-the-token-of-theirs', TOKEN]) {
    if (token === TOKEN) await page.getByText('The token is wrong.').waitFor()
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: 'Open the console' }).click()
  }
  await page.locator('.opblock').first().waitFor()
  assert.equal(new URL(page.url()).pathname, '/docs/')
  for (const odd of ['//example.com/', 'https://example.com/', 'javascript:alert(1)', '\\\\example.com', '/console/']) {
    await page.goto(`${origin}/console/?return=${encodeURIComponent(odd)}`)
    await page.getByText('Admin token').waitFor()
    assert.equal(new URL(page.url()).pathname, '/console/', odd)
  }
  await page.goto(`${origin}/console/services/shop`)
  await page.getByText('Admin token').waitFor()
  assert.ok(
    await page
      .getByRole('button', { name: /^Drain / })
      .first()
      .isEnabled(),
  )
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Password', { exact: true }).waitFor()
})
