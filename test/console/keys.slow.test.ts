/** API keys in the console, in a real browser against a gateway in this process, and what requests with them get. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { dirname } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { stringify } from 'yaml'
import { requestAdmin } from '../support/admin.ts'
import { startBrowser } from '../support/browser.ts'
import { send } from '../support/client.ts'
import { temporaryFile } from '../support/command.ts'
import { barriers, openConsole, overhang } from '../support/console.ts'
import { startFromFile } from '../support/file-gateway.ts'
import { connectTo, startRedis } from '../support/redis.ts'
import { quickDigestOf } from '../support/password.ts'
import { shared } from '../support/shared.ts'

const openBrowser = shared(startBrowser)

const PASSWORD = 'a password of theirs'
/** Text that a page must display literally. */
const HOSTILE = `<img src=x onerror="document.title='out'"><script>document.title='out'`

/** A gateway that requires an API key; keys in Redis are cached for an hour. */
async function startGate(t: TestContext, inRedis: boolean, more: object = {}) {
  const redis = inRedis ? await startRedis(t) : null
  const keys = [{ id: 'old', sha256: hash('sha256', 'old-key') }]
  const text = stringify({
    admin: { address: '127.0.0.1:0', ...more },
    endpoints: { docs: false, openapi: false },
    overload: false,
    listeners: [{ address: '127.0.0.1:0' }],
    ...(redis !== null && { stores: { redis: { url: redis.url, timeout: '5s' } } }),
    policies: {
      auth: {
        methods: { 'api-key': redis === null ? { keys } : { store: 'redis', cache: '1h' } },
        failures: false,
      },
    },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 200 } }],
  })
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { log, port, adminPort } = await startFromFile(t, file)
  /** The reply to a request with a key. */
  const status = async (secret: string) => (await send(port, { headers: { 'X-API-Key': secret } })).status
  const applyPatch = async (patch: string): Promise<void> => {
    execFileSync('git', ['apply', '--unidiff-zero'], { cwd: dirname(file), input: patch, stdio: 'pipe' })
    assert.equal((await requestAdmin(adminPort, '/config/reload', { method: 'POST' })).status, 200)
  }
  return { log, redis, origin: `http://127.0.0.1:${adminPort}`, adminPort, status, applyPatch }
}

/** The key that the dialog shows, once it does. */
async function shownKey(page: Page): Promise<string> {
  return page.getByLabel('The new key', { exact: true }).innerText()
}

async function copied(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

for (const [width, theme] of [
  [1280, 'light'],
  [390, 'dark'],
] as const)
  test(`a key is created, rotated and revoked, at ${width} px and ${theme}`, async (t) => {
    const { origin, status, log } = await startGate(t, true)
    const browser = await openBrowser()
    const { page, complaints } = await openConsole(t, browser, origin, 'clients', { width, theme })
    await page.getByText('There are no API keys').waitFor()
    const whole = async (): Promise<void> => {
      assert.deepEqual(await barriers(page), [])
      assert.equal(await overhang(page), 0)
    }
    await whole()

    await page.getByRole('button', { name: 'Create a key' }).click()
    await page.getByLabel('ID', { exact: true }).fill('partner')
    await page.getByLabel('Owner').fill('alice')
    await page.getByLabel('Roles').fill('reader, writer')
    await page.getByLabel('Expires').fill('yesterday')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('expires: expected a time such as "90d"').waitFor()
    await whole()
    await page.getByLabel('Expires').fill('90d')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    const first = await shownKey(page)
    await whole()
    // Pressing Escape does not lose it.
    await page.keyboard.press('Escape')
    assert.equal(await shownKey(page), first)
    await copied(page)
    assert.ok(!(await page.content()).includes(first))
    assert.equal(await status(first), 200)

    const begin = (secret: string): string => secret.slice(0, 11)
    await page.getByRole('button', { name: `Rotate partner (${begin(first)}…)` }).click()
    await page.getByLabel('The old key keeps working').selectOption('1h')
    await page.getByRole('button', { name: 'Rotate', exact: true }).click()
    const second = await shownKey(page)
    await copied(page)
    await page.getByText('replaced', { exact: true }).waitFor()
    assert.deepEqual([await status(first), await status(second)], [200, 200])
    await whole()

    await page.getByRole('button', { name: `Revoke partner (${begin(first)}…)` }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByText(`partner (${begin(first)}…) is revoked.`).waitFor()
    assert.deepEqual([await status(first), await status(second)], [401, 200])
    await page.getByRole('button', { name: `Rotate partner (${begin(second)}…)` }).click()
    await page.getByLabel('The old key keeps working').selectOption('0s')
    await page.getByRole('button', { name: 'Rotate', exact: true }).click()
    const third = await shownKey(page)
    await copied(page)
    assert.deepEqual([await status(second), await status(third)], [401, 200])
    for (const secret of [first, second, third]) assert.ok(!JSON.stringify(log.lines).includes(secret.slice(12)))
    assert.deepEqual(
      complaints.filter((text) => !text.includes('status of 400')),
      [],
    )
  })

test('keys of the configuration are changed by a patch that works when applied', async (t) => {
  const { origin, status, applyPatch } = await startGate(t, false)
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'clients')
  const patch = () => page.getByRole('dialog').locator('pre').innerText()
  await page.getByRole('button', { name: 'Create a key' }).click()
  await page.getByLabel('ID', { exact: true }).fill('new')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  const first = await shownKey(page)
  assert.deepEqual(await barriers(page), [])
  assert.equal(await status(first), 401)
  assert.ok(!(await patch()).includes(first.slice(12)))
  await applyPatch(await patch())
  await copied(page)
  assert.equal(await status(first), 200)
  await page.getByRole('button', { name: /^Rotate new / }).click()
  await page.getByRole('button', { name: 'Rotate', exact: true }).click()
  const second = await shownKey(page)
  await applyPatch(await patch())
  await copied(page)
  assert.deepEqual([await status(first), await status(second)], [200, 200])
  await page.getByRole('button', { name: `Revoke new (${first.slice(0, 11)}…)` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('Nothing is changed yet.').waitFor()
  await applyPatch(await patch())
  await page.getByRole('button', { name: 'Close' }).click()
  assert.deepEqual([await status(first), await status(second)], [401, 200])
  assert.deepEqual(complaints, [])
})

test('where configurations may be sent, a key of the configuration is applied by a button, and kept', async (t) => {
  const users = [{ name: 'ada', password: quickDigestOf(PASSWORD), role: 'admin' }]
  const { origin, status } = await startGate(t, false, { users, writable: true })
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin, 'clients')
  await page.getByLabel('Name', { exact: true }).fill('ada')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('button', { name: 'Create a key' }).click()
  await page.getByLabel('ID', { exact: true }).fill('new')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  const secret = await shownKey(page)
  await page.getByText('It does not work yet.').waitFor()
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('dialog', { name: 'Apply the change?' }).getByRole('button', { name: 'Apply' }).click()
  await page.getByText('The change is in effect.').waitFor()
  assert.equal(await page.getByText('It does not work yet.').count(), 0)
  assert.deepEqual(await barriers(page), [])
  assert.equal(await status(secret), 200)
  await copied(page)
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByText('is in effect and waiting').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^Revoke new / }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('Nothing is changed yet.').waitFor()
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('dialog', { name: 'Apply the change?' }).getByRole('button', { name: 'Apply' }).click()
  await page.getByText('The change is in effect.').waitFor()
  assert.equal(await page.getByText('Nothing is changed yet.').count(), 0)
  assert.equal(await status(secret), 401)
})

test('data that others have written to Redis is shown as text, and an outage of Redis is shown', async (t) => {
  const { origin, redis } = await startGate(t, true)
  const sha256 = hash('sha256', 'x')
  const key = {
    id: HOSTILE,
    sha256,
    prefix: HOSTILE,
    owner: HOSTILE,
    tier: HOSTILE,
    roles: [HOSTILE],
    created: 1,
    expires: 2,
  }
  await connectTo(t, redis!).hset('sallyport:api-keys', sha256, JSON.stringify(key))
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'clients', { width: 390 })
  await page.getByText(HOSTILE).first().waitFor()
  await page.getByText('expired').first().waitFor()
  await page.getByRole('button', { name: /^Revoke / }).click()
  await page.getByRole('dialog').waitFor()
  assert.equal(await page.locator('main img, main script').count(), 0)
  assert.equal(await overhang(page), 0)
  assert.notEqual(await page.title(), 'out')
  await redis!.kill()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page
    .getByRole('dialog')
    .getByText(/The Redis of stores\.redis cannot be used/)
    .waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('The keys in Redis cannot be listed.').waitFor()
  assert.deepEqual(await barriers(page), [])
  assert.deepEqual(
    complaints.filter((text) => !text.includes('status of 503')),
    [],
  )
})

for (const role of ['viewer', 'operator'])
  test(`role ${role} can see the keys of the configuration but not change them`, async (t) => {
    const users = [{ name: 'vera', password: quickDigestOf(PASSWORD), role }]
    const { origin, status } = await startGate(t, false, { users })
    const browser = await openBrowser()
    const { page } = await openConsole(t, browser, origin, 'clients')
    await page.getByLabel('Name', { exact: true }).fill('vera')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.locator('.barred').first().waitFor()
    for (const name of ['Create a key', 'Rotate old', 'Revoke old'])
      assert.ok(await page.getByRole('button', { name }).isDisabled(), name)
    for (const [path, method] of [
      ['/keys', 'POST'],
      ['/keys/old/rotate', 'POST'],
      ['/keys/old', 'DELETE'],
    ] as const) {
      const forced = `fetch("${path}", { method: "${method}", headers: { 'Content-Type': 'application/json' }, body: "{}" }).then(({ status }) => status)`
      assert.equal(await page.evaluate(forced), 403, path)
    }
    assert.equal(await status('old-key'), 200)
    await page.getByRole('link', { name: 'old', exact: true }).click()
    await page.waitForURL(/client=key%3Aold/)
    assert.equal(await page.getByLabel('Client', { exact: true }).inputValue(), 'key:old')
  })
