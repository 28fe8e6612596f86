/** Login to the console with an OpenID provider, in a real browser against a gateway in this process. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { systemClock } from '../../src/core/clock.ts'
import { requestAdmin } from '../support/admin.ts'
import { startBrowser } from '../support/browser.ts'
import { temporaryFile } from '../support/command.ts'
import { barriers, openConsole, overhang } from '../support/console.ts'
import { startFromFile } from '../support/file-gateway.ts'
import { CLIENT, startOpenIdProvider } from '../support/openid-provider.ts'
import { quickDigestOf } from '../support/password.ts'
import { shared } from '../support/shared.ts'

const openBrowser = shared(startBrowser)

const TOKEN = 'token-of-the-operators'
const PASSWORD = 'a password of theirs'

async function startShop(t: TestContext, { withUsers = false } = {}) {
  const provider = await startOpenIdProvider(t, systemClock)
  provider.user = { sub: '7', preferred_username: 'otto', groups: ['ops'] }
  const users = withUsers ? `[{ name: ada, password: '${quickDigestOf(PASSWORD)}', role: admin }]` : '[]'
  const text = `
admin:
  address: '127.0.0.1:0'
  token: ${TOKEN}
  users: ${users}
  oidc:
    issuer: ${provider.url}
    clientId: ${CLIENT.clientId}
    clientSecret: ${CLIENT.clientSecret}
    roles: { claim: groups, map: { ops: operator, dev: viewer } }
listeners: [{ address: '127.0.0.1:0' }]
overload: false
services:
  shop: { instances: ['http://127.0.0.1:1'], health: false }
routes:
  - { id: books, match: { path: /books/* }, service: shop }
`
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { adminPort } = await startFromFile(t, file)
  const reload = () =>
    requestAdmin(adminPort, '/config/reload', { method: 'POST', headers: { Authorization: `Bearer ${TOKEN}` } })
  // The provider is at 127.0.0.1: another site, with separate cookies.
  return { provider, file, reload, origin: `http://localhost:${adminPort}` }
}

test('an operator logs in at a provider on another site, returns to the page, and logs out of both', async (t) => {
  const { provider, file, reload, origin } = await startShop(t)
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'services/shop?x=1')
  const host = new URL(provider.url).host
  const button = page.getByRole('button', { name: `Log in with ${host}` })
  await button.waitFor()
  assert.equal(await page.getByLabel('Password', { exact: true }).count(), 0)
  assert.deepEqual(await barriers(page), [])
  await button.click()
  await page.getByText('Live').first().waitFor()
  assert.equal(page.url(), `${origin}/console/services/shop?x=1`)
  assert.match(await page.getByRole('banner').first().innerText(), /otto\s+operator/)
  assert.ok(await page.getByRole('button', { name: 'Drain 127.0.0.1:1' }).isEnabled())
  assert.equal(await page.evaluate('document.cookie'), '')
  await writeFile(file, (await readFile(file, 'utf8')).replace('ops: operator', 'ops: viewer'))
  assert.equal((await reload()).status, 200)
  await button.click()
  await page.getByText('viewer', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await button.waitFor()
  assert.equal(page.url(), `${origin}/console/`)
  assert.equal(provider.count('/logout'), 1)
  assert.equal(await page.evaluate(`fetch('/status').then(({ status }) => status)`), 401)
  assert.deepEqual(
    complaints.filter((text) => !/status of 401/.test(text) && !text.startsWith(`${provider.url}/`)),
    [],
  )
})

test('the session cookie is sent by the console’s own pages only, not by other sites', async (t) => {
  const { provider, origin } = await startShop(t)
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin)
  await page.getByRole('button', { name: /^Log in with / }).click()
  await page.getByRole('banner').getByText('otto').waitFor()
  // A page of the provider's site cannot use the session cookie.
  const elsewhere = await page.context().newPage()
  await elsewhere.goto(`${provider.url}/keys`)
  const opened = page.context().waitForEvent('response', (response) => response.url() === `${origin}/status`)
  // A navigation that begins within evaluate() may take its result with it.
  await elsewhere.evaluate(`setTimeout(() => (location.href = ${JSON.stringify(`${origin}/status`)}))`)
  // Without it the page is sent to the console.
  assert.equal((await opened).status(), 303)
  await page.reload()
  await page.getByRole('banner').getByText('otto').waitFor()
})

test('a user without a role is told so, and can log in as somebody else', async (t) => {
  const { provider, origin } = await startShop(t, { withUsers: true })
  provider.user = { sub: '9', preferred_username: '<img src=x onerror=alert(1)>', groups: ['cooks'] }
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin, '', { width: 390 })
  const button = page.getByRole('button', { name: /^Log in with / })
  await page.getByLabel('Password', { exact: true }).waitFor()
  assert.deepEqual(await barriers(page), [])
  assert.equal(await overhang(page), 0)
  await button.click()
  await page.getByRole('heading', { name: 'You are <img src=x onerror=alert(1)> and have no role here' }).waitFor()
  await page.getByText('It reports: cooks.').waitFor()
  assert.deepEqual(await barriers(page), [])
  assert.equal(await overhang(page), 0)
  provider.user = { sub: '7', preferred_username: 'vera', groups: ['dev'] }
  await page.getByRole('link', { name: /^Log out at / }).click()
  await button.click()
  // There is no room for the name at this width.
  await page.getByRole('banner').getByText('vera').waitFor({ state: 'attached' })
  assert.equal(provider.count('/logout'), 1)
})

test('an unreachable provider is reported on the page, and passwords still work', async (t) => {
  const { provider, origin } = await startShop(t, { withUsers: true })
  provider.isBroken = true
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin)
  await page.getByRole('button', { name: /^Log in with / }).click()
  await page.getByText(/The OpenID provider http:.* cannot be reached/).waitFor()
  await page.getByLabel('Name', { exact: true }).fill('ada')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
  await page.getByRole('banner').getByText('ada').waitFor()
})
