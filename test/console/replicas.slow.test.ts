/** Gateways that share a Redis, in the console of one of them. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { requestAdmin } from '../support/admin.ts'
import { startBrowser } from '../support/browser.ts'
import { startCommand, temporaryFile } from '../support/command.ts'
import { barriers, openConsole, overhang } from '../support/console.ts'
import { startRedis } from '../support/redis.ts'

async function startReplica(t: TestContext, redis: string, body: string) {
  const text = `
workers: 2
admin: { address: '127.0.0.1:0', publicUrl: 'http://{host}.gateways.example.com:9000' }
stores: { redis: { url: '${redis}', timeout: 10s } }
listeners: [{ address: '127.0.0.1:0' }]
services: { shop: { instances: ['http://127.0.0.1:1', 'http://127.0.0.1:2'], health: false } }
routes:
  - { id: hello, match: { path: /hello }, reply: { body: ${body} } }
  - { id: books, match: { path: /books/* }, service: shop, policies: { cache: {} } }
  - { id: mine, match: { path: /mine }, reply: {}, policies: { auth: { methods: { api-key: { store: redis } } } } }
`
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { command, adminPort } = await startCommand(t, file)
  return { file, command, adminPort, origin: `http://127.0.0.1:${adminPort}` }
}

test('replicas are listed with their revisions, and one that differs is marked until it no longer does', async (t) => {
  const { url } = await startRedis(t)
  const [first, second] = [await startReplica(t, url, 'one'), await startReplica(t, url, 'two')]
  const browser = await startBrowser(t)
  const { page, complaints } = await openConsole(t, browser, first.origin, '', { width: 390 })
  const rows = page.getByRole('region', { name: 'Replicas' }).locator('tbody tr')
  await rows.nth(1).waitFor()
  assert.match(await rows.nth(0).innerText(), /this one/)
  await rows.nth(1).getByText('differs').waitFor()
  await page.getByText('1 replica runs a different configuration.').waitFor()
  assert.match(
    String(await rows.nth(1).getByRole('link').getAttribute('href')),
    /^http:\/\/[^/]+\.gateways\.example\.com:9000\/console\/$/,
  )
  assert.deepEqual(await barriers(page), [])
  assert.equal(await overhang(page), 0)
  await writeFile(second.file, (await readFile(second.file, 'utf8')).replace('body: two', 'body: one'))
  const headers = { 'X-Requested-With': 'test' }
  assert.equal((await requestAdmin(second.adminPort, '/config/reload', { method: 'POST', headers })).status, 200)
  await page.getByText('differs').waitFor({ state: 'detached' })
  assert.deepEqual(complaints, [])
})

test('a change that another gateway may have missed says so', async (t) => {
  const { url } = await startRedis(t)
  const [first, second] = [await startReplica(t, url, 'one'), await startReplica(t, url, 'one')]
  const { page, complaints } = await openConsole(t, await startBrowser(t), first.origin, 'services/shop')
  const missed = page.getByText('has not answered within 1.5 s')
  const turn = async (action: string): Promise<void> => {
    await page.getByRole('button', { name: `${action} 127.0.0.1:1` }).click()
    await page.getByRole('dialog').getByRole('button', { name: action }).click()
  }
  await turn('Drain')
  await page.getByText('drained by an operator').waitFor()
  assert.equal(await missed.count(), 0)
  second.command.child.kill('SIGSTOP')
  await turn('Undrain')
  await page.getByText('127.0.0.1:1 is undrained here. 1 other gateway has not answered within 1.5 s.').waitFor()
  await page.goto(`${first.origin}/console/cache`)
  await page.getByLabel('URL', { exact: true }).fill('http://api.example.com/books')
  await page.getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click()
  await missed.waitFor()
  assert.deepEqual(await barriers(page), [])
  await requestAdmin(first.adminPort, '/keys', { method: 'POST', json: { id: 'partner' } })
  await page.goto(`${first.origin}/console/clients`)
  await page.getByRole('button', { name: 'Revoke partner' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.locator('.note.warning', { hasText: 'is revoked. 1 other gateway has not answered' }).waitFor()
  assert.deepEqual(await barriers(page), [])
  second.command.child.kill('SIGCONT')
  assert.deepEqual(complaints, [])
})
