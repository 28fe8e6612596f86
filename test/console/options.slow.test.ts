/** Forms for the options of routes and services, in a real browser against a gateway in this process. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { type AdminAsk, requestAdmin } from '../support/admin.ts'
import { startBrowser } from '../support/browser.ts'
import { send } from '../support/client.ts'
import { temporaryFile } from '../support/command.ts'
import { barriers, openConsole } from '../support/console.ts'
import { startFromFile } from '../support/file-gateway.ts'
import { startService } from '../support/service.ts'
import { shared } from '../support/shared.ts'

const openBrowser = shared(startBrowser)

const TOKEN = 'token-of-the-operators'

async function startShop(t: TestContext, writable: boolean) {
  const instances = await Promise.all([startService(t), startService(t)])
  const [one, other] = instances.map(({ url }) => url)
  const text = `admin: { address: '127.0.0.1:0'${writable ? `, writable: true, token: ${TOKEN}` : ''} }
listeners: [{ address: '127.0.0.1:0' }]
overload: false
services:
  # What is sold.
  shop: { instances: ['${one}', '${other}'], balancer: round-robin, health: false }
routes:
  - id: books # and magazines
    match: { path: /books/* }
    service: shop
`
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { port, adminPort } = await startFromFile(t, file)
  const headers = writable ? { Authorization: `Bearer ${TOKEN}` } : {}
  const ask = (path: string, what?: AdminAsk) => requestAdmin(adminPort, path, { ...what, headers })
  const get = async (path = '/books/1') => (await send(port, { path })).status
  return { file, text, port, instances, origin: `http://127.0.0.1:${adminPort}`, ask, get }
}

test('a limit is set with the form of a route: errors are shown at their field, and an applied change is kept or rolled back', async (t) => {
  const { file, text, origin, ask, get } = await startShop(t, true)
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'routes/books')
  await page.getByLabel('Token').fill(TOKEN)
  await page.getByLabel('Token').press('Enter')
  await page.getByRole('button', { name: 'Edit this route' }).click()
  const field = page.getByLabel('Requests per anonymous client')
  await field.fill('2/fortnight')
  await page.getByRole('button', { name: 'Check and compare' }).click()
  await page.locator('.option-field.wrong .field-problem').waitFor()
  assert.equal(await field.getAttribute('aria-invalid'), 'true')
  assert.deepEqual(await barriers(page), [])
  await field.fill('2/h')
  await page.getByLabel('Total timeout, including retries').fill('90s')
  await page.getByRole('button', { name: 'Check and compare' }).click()
  await page.getByText('routes.books.policies').first().waitFor()
  await page.locator('.come').getByText('90s').waitFor()
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await page.getByText('is in effect and waiting').waitFor()
  assert.deepEqual([await get(), await get(), await get()], [200, 200, 429])
  assert.equal(await readFile(file, 'utf8'), text, 'the file still has its previous contents')
  await page.getByRole('button', { name: 'Roll back now' }).click()
  await page.getByText('is in effect and waiting').waitFor({ state: 'detached' })
  assert.equal(await get(), 200)
  await page.getByText('This change was rolled back').waitFor()
  assert.equal(await field.inputValue(), '2/h', 'what was typed is still there')
  await field.fill('')
  await page.getByLabel('Total timeout, including retries').fill('')
  await page.getByLabel('Maintenance: reply 503').check()
  await page.getByRole('button', { name: 'Check and compare' }).click()
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByText('is in effect and waiting').waitFor({ state: 'detached' })
  assert.equal(await get(), 503)
  await page.getByRole('button', { name: 'Edit this route' }).waitFor()
  const written = await readFile(file, 'utf8')
  assert.equal(written, text.replace('    service: shop\n', '    service: shop\n    policies: { maintenance: {} }\n'))
  assert.equal((await ask('/config/status')).json['awaitsConfirmation'], null)
  assert.deepEqual(
    complaints.filter((complaint) => !/status of 40[01]/.test(complaint)),
    [],
  )
})

test('in read-only mode the form of a service results in a valid patch', async (t) => {
  const { text, origin, ask, instances, get } = await startShop(t, false)
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'services/shop')
  await page.getByRole('button', { name: 'Edit this service' }).click()
  const weight = page.getByLabel(`Weight of 127.0.0.1:${instances[0].port}`)
  await weight.fill('5000')
  await page.getByRole('button', { name: 'Check and compare' }).click()
  await page.getByText('at most 1000').waitFor()
  await weight.fill('3')
  await page.getByLabel('No limit on concurrent requests').check()
  assert.ok(await page.getByLabel('Concurrent requests, across all workers').isDisabled())
  await page.getByLabel('No limit on concurrent requests').uncheck()
  await page.getByLabel('Concurrent requests, across all workers').fill('200')
  await page.getByRole('button', { name: 'Check and compare' }).click()
  await page.getByRole('heading', { name: 'The patch' }).waitFor()
  const patch = await page.locator('pre.code').innerText()
  assert.deepEqual(
    patch.split('\n').filter((line) => /^[-+] /.test(line)),
    [
      `-  shop: { instances: ['${instances[0].url}', '${instances[1].url}'], balancer: round-robin, health: false }`,
      `+  shop: { instances: [{ url: ${instances[0].url}, weight: 3 }, '${instances[1].url}'], balancer: round-robin, health: false, concurrency: 200 }`,
    ],
  )
  assert.equal(await page.getByRole('button', { name: 'Apply' }).count(), 0)
  assert.deepEqual(complaints, [])
  const answer = await ask('/config/text')
  assert.equal(answer.json['text'], text)
  assert.equal(await get(), 200)
})

test('what was typed is kept on other pages, and the browser asks before it is lost', async (t) => {
  const { file, text, origin, ask } = await startShop(t, true)
  const { page, complaints } = await openConsole(t, await openBrowser(), origin, 'routes/books')
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type())
    void dialog.dismiss()
  })
  const reload = async (): Promise<void> => {
    const asked = page.waitForEvent('dialog')
    await page.evaluate('location.reload()')
    await asked
  }
  const menu = page.getByRole('navigation')
  await page.getByLabel('Token').fill(TOKEN)
  await page.getByLabel('Token').press('Enter')
  await page.getByRole('button', { name: 'Edit this route' }).click()
  const field = page.getByLabel('Total timeout, including retries')
  await field.fill('7s')
  await menu.getByRole('link', { name: 'Configuration' }).click()
  await page.getByRole('button', { name: 'Edit the configuration' }).click()
  const editor = page.getByLabel('Text of sallyport.yaml')
  await editor.fill(`${text}# more`)
  await menu.getByRole('link', { name: 'Overview' }).click()
  await reload()
  await menu.getByRole('link', { name: 'Configuration' }).click()
  assert.equal(await editor.inputValue(), `${text}# more`)
  const outdated = page.getByText('The configuration has changed since you opened this text')
  assert.equal(await outdated.count(), 0)
  await writeFile(file, `${text}# by a colleague\n`)
  assert.equal((await ask('/config/reload', { method: 'POST' })).status, 200)
  await outdated.waitFor()
  await page.getByRole('button', { name: 'Discard' }).click()
  await reload()
  await menu.getByRole('link', { name: 'Routes' }).click()
  await page.getByRole('link', { name: 'books' }).click()
  assert.equal(await field.inputValue(), '7s')
  await page.getByRole('button', { name: 'Discard' }).click()
  await page.reload()
  await page.getByRole('button', { name: 'Edit this route' }).click()
  assert.equal(await field.inputValue(), '')
  await field.fill('8s')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Token').waitFor()
  assert.deepEqual(dialogs, ['beforeunload', 'beforeunload'])
  assert.deepEqual(
    complaints.filter((complaint) => !/status of 401/.test(complaint)),
    [],
  )
})

test('only options that have a field can be edited, and values with files or variables are rejected', async (t) => {
  const { ask } = await startShop(t, false)
  const sent = (changes: object, name = 'books') =>
    ask('/config/edit', { method: 'POST', json: { kind: 'route', name, changes } })
  const edit = async (changes: object, name?: string) => (await sent(changes, name)).status
  assert.equal(await edit({}), 200)
  assert.equal(await edit({ 'timeouts.total': '5s' }), 200)
  for (const odd of ['${HOME}', './file', '5s\n', '*alias', '{}', '"5s"']) {
    const { json } = await sent({ 'timeouts.total': odd })
    assert.deepEqual([json['after'], json['plan']], [json['before'], null], odd)
    assert.match(JSON.stringify(json['problems']), /timeouts\.total.*expected a number/)
  }
  assert.equal(await edit({ service: 'other' }), 400)
  assert.equal(await edit({ __proto__: 1, constructor: 1 }), 400)
  assert.equal(await edit({}, 'nothing'), 409)
})
