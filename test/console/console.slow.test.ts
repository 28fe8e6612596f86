/** The console in a real browser, against a gateway in this process; where workers matter, against one with two of them. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { type AdminAsk, requestAdmin } from '../support/admin.ts'
import { startBrowser } from '../support/browser.ts'
import { send } from '../support/client.ts'
import { startCommand, temporaryFile } from '../support/command.ts'
import { barriers, jumps, look, openConsole, openRequests, overhang } from '../support/console.ts'
import { startFromFile } from '../support/file-gateway.ts'
import { startRedis, until } from '../support/redis.ts'
import { startService } from '../support/service.ts'
import { shared } from '../support/shared.ts'
import { authority, writeLeaf } from '../support/tls.ts'

const TOKEN = 'token-of-the-operators'

/** Text that a page must display literally. */
const HOSTILE = `<img src=x onerror="document.title='out'"><script>document.title='out'`

const openBrowser = shared(startBrowser)

interface ShopOptions {
  readonly writable?: boolean
  readonly more?: string
  readonly withRedis?: boolean
  /** As a process of its own, with two workers. */
  readonly withWorkers?: boolean
}

/** A gateway with a service with two instances, one without a reachable instance, routes with policies, and a certificate. */
async function startShop(
  t: TestContext,
  { writable = false, more = '', withRedis = false, withWorkers = false }: ShopOptions = {},
) {
  const redis = withRedis ? `{ url: '${(await startRedis(t)).url}', timeout: 10s }` : 'null'
  const store = withRedis ? 'redis' : 'memory'
  const instances = await Promise.all([
    startService(t),
    startService(t, (request, response) => {
      response.setHeader('Cache-Control', 'max-age=60')
      response.setHeader('Cache-Groups', '"novels"')
      response.end(String(response.socket?.localPort) + request.url)
    }),
  ])
  const { cert, key } = writeLeaf(t, authority.issue())
  const admin = writable ? `{ address: '127.0.0.1:0', writable: true, token: ${TOKEN} }` : `{ address: '127.0.0.1:0' }`
  const text = `
workers: 2
admin: ${admin}
endpoints: { docs: false, openapi: false }
overload: false
stores: { redis: ${redis} }
listeners:
  - { address: '127.0.0.1:0' }
  - { address: '127.0.0.1:0', tls: { certificates: [{ cert: ${JSON.stringify(cert)}, key: ${JSON.stringify(key)} }] } }
services:
  shop: { instances: [${instances.map(({ url }) => `'${url}'`).join(', ')}], balancer: round-robin }
  gone: { instances: ['http://127.0.0.1:1'], health: { interval: 60s } }
policies:
  correlation-id: {}
  rate-limit: { tiers: { unauthenticated: 1000/h }, store: ${store} }
routes:
  - { id: books, match: { path: /books/* }, service: shop, policies: { cache: { ttl: 60s, store: ${store} }, correlation-id: { header: X-Request-ID } } }
  - { id: orders, match: { path: /orders/*, method: [GET, POST] }, service: shop, policies: { rate-limit: false } }
  - { id: gone, match: { path: /gone/* }, service: gone }
${more}`
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { port, adminPort } = await (withWorkers ? startCommand(t, file) : startFromFile(t, file))
  const origin = `http://127.0.0.1:${adminPort}`
  const headers = writable ? { Authorization: `Bearer ${TOKEN}` } : {}
  const ask = (path: string, what?: AdminAsk) => requestAdmin(adminPort, path, { ...what, headers })
  return { file, port, origin, ask, instances }
}

/** A test of a gateway without Redis, and of one whose cache and limits are in Redis. */
function inBoth(
  name: string,
  run: (t: TestContext, start: (options?: ShopOptions) => ReturnType<typeof startShop>) => Promise<void>,
): void {
  for (const withRedis of [false, true])
    test(`${name}, ${withRedis ? 'with' : 'without'} Redis`, (t) =>
      run(t, (options = {}) => startShop(t, { ...options, withRedis })))
}

/** The text of an element once one matches. */
async function shows(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor()
}

/**
 * The pages of the console, and what each shows of that gateway; in two halves, since a browser takes its time for
 * each.
 */
const halves: readonly (readonly (readonly [path: string, shown: string | RegExp])[])[] = [
  [
    ['', 'gone is unavailable'],
    ['routes', '/books/*'],
    ['routes/books', 'global, changed by this route'],
    ['services', 'shop'],
    ['explain?url=/books/1', 'It would go to shop'],
    ['services/gone', 'unhealthy'],
    ['nothing-of-that', 'This page does not exist'],
  ],
  [
    ['requests', '/nowhere'],
    ['requests/the-lost-one', 'no route matches'],
    ['requests/the-found-one', ', instance 127.0.0.1:'],
    ['clients?client=127.0.0.1', 'unauthenticated'],
    ['cache', 'Served from the cache'],
    ['certificates', 'when its file is replaced'],
    ['configuration', 'Running'],
  ],
]

for (const [withRedis, looks] of [
  [
    true,
    [
      { width: 1280, theme: 'light' },
      { width: 390, theme: 'dark' },
    ],
  ],
  [
    false,
    [
      { width: 1280, theme: 'dark' },
      { width: 390, theme: 'light' },
    ],
  ],
] as const)
  for (const [i, pages] of halves.entries())
    test(`each page is complete and accessible, wide and narrow, ${withRedis ? 'with' : 'without'} Redis, part ${i + 1}`, async (t) => {
      const { port, origin } = await startShop(t, { withRedis, withWorkers: withRedis })
      const browser = await openBrowser()
      for (const path of ['/books/1', '/books/1', '/orders/2', '/gone/3']) await send(port, { path })
      await send(port, { path: '/nowhere', headers: { 'X-Correlation-ID': 'the-lost-one' } })
      await send(port, { path: '/orders/2', headers: { 'X-Correlation-ID': 'the-found-one' } })
      const { page, complaints } = await openConsole(t, browser, origin, pages[0]![0])
      for (const [path, shown] of pages) {
        await page.goto(`${origin}/console/${path}`)
        await shows(page, shown)
        await shows(page, 'Live')
        if (path === '')
          await page.getByRole('heading', { name: 'Replicas' }).waitFor({ state: withRedis ? 'visible' : 'detached' })
        assert.ok((await jumps(page)) < 0.1, `${path} jumped`)
        for (const each of looks) {
          await look(page, each)
          const where = `${path}, at ${each.width} px and ${each.theme}`
          assert.deepEqual(await barriers(page), [], where)
          assert.equal(await overhang(page), 0, where)
        }
        assert.match(await page.title(), /· Sallyport$/)
      }
      assert.deepEqual(complaints, [])
    })

inBoth('data sent by clients is shown as text', async (t, start) => {
  const { port, origin } = await start()
  const browser = await openBrowser()
  const { page, complaints } = await openRequests(t, browser, origin)
  await shows(page, 'No requests yet')
  const path = `/books/${encodeURIComponent(HOSTILE)}`
  const id = HOSTILE.replaceAll(/[^!-~]/g, '_')
  const reply = await send(port, {
    path: `${path}?${encodeURIComponent(HOSTILE)}=1`,
    headers: { 'User-Agent': HOSTILE, 'X-Request-ID': id },
  })
  await page.locator('.requests tbody tr').first().waitFor()
  await page.locator('.requests tbody .path a').first().click()
  await shows(page, 'One request')
  await shows(page, 'Arrived')
  assert.equal(reply.status, 200)
  await shows(page, HOSTILE)
  assert.equal(await page.locator('dt', { hasText: 'User agent' }).locator('xpath=../dd').innerText(), HOSTILE)
  assert.equal(await page.locator('main img, main script').count(), 0)
  for (const place of [
    `routes/${encodeURIComponent(HOSTILE)}`,
    `services/${encodeURIComponent(HOSTILE)}`,
    `clients?client=${encodeURIComponent(`user:${HOSTILE}`)}`,
  ]) {
    await page.goto(`${origin}/console/${place}`)
    await page.locator('main h1').waitFor()
    assert.equal(await page.locator('main img, main script').count(), 0, place)
  }
  const long = 'x'.repeat(3000)
  await send(port, { path: '/orders/9', headers: { 'User-Agent': long, 'X-Correlation-ID': 'with-a-long-agent' } })
  await page.goto(`${origin}/console/requests/with-a-long-agent`)
  await shows(page, 'x'.repeat(1024))
  assert.equal(await page.getByText('x'.repeat(1025)).count(), 0)
  assert.notEqual(await page.title(), 'out')
  // No service has that name.
  assert.deepEqual(
    complaints.filter((text) => !text.includes('status of 404')),
    [],
  )
})

inBoth('headers and body of an explained request are sent in the body, never in the URL', async (t, start) => {
  const { origin } = await start()
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'explain')
  await page.getByLabel('URL or path').fill('/books/7')
  await page.getByText('Headers, body').click()
  await page.getByLabel('Headers, one per line').fill('X-Request-ID: a-secret-1')
  await page.getByLabel('Body').fill('a-secret-2')
  for (const id of ['a-secret-1', 'a-secret-3']) {
    await page.getByLabel('Headers, one per line').fill(`X-Request-ID: ${id}`)
    await page.getByRole('button', { name: 'Explain' }).click()
    await shows(page, id)
  }
  assert.equal(page.url(), `${origin}/console/explain?method=GET&url=%2Fbooks%2F7`)
  assert.equal(await page.getByLabel('Body').inputValue(), 'a-secret-2')
  assert.deepEqual(complaints, [])
})

inBoth('requests are shown as they end, and can be filtered', async (t, start) => {
  const { port, origin } = await start()
  const browser = await openBrowser()
  const { page } = await openRequests(t, browser, origin, '?status=404')
  await shows(page, 'No requests match')
  await send(port, { path: '/books/1' })
  await send(port, { path: '/nowhere' })
  await shows(page, '/nowhere')
  assert.equal(await page.locator('.requests tbody tr').count(), 1)
  await page.getByRole('button', { name: 'Clear' }).click()
  await shows(page, '/books/1')
  await page.getByLabel('Route').fill('books')
  await send(port, { path: '/books/2' })
  await shows(page, '/books/2')
  assert.equal(await page.getByLabel('Route').inputValue(), 'books', 'what is half typed stays')
  await page.getByLabel('Route').press('Enter')
  await page.getByText('/nowhere').waitFor({ state: 'detached' })
  assert.equal(new URL(page.url()).search, '?route=books')
  await page.getByLabel('Slower than, ms').fill('soon')
  await page.getByLabel('Slower than, ms').press('Enter')
  await shows(page, 'slower: expected a number')
  await page.getByRole('button', { name: 'Clear' }).click()
  await shows(page, '/nowhere')
})

test('a request without a correlation id is shown, but has no page to open', async (t) => {
  const { port, origin } = await startShop(t, {
    more: '  - { id: bare, match: { path: /bare/* }, service: shop, policies: { correlation-id: false } }\n',
  })
  const { page } = await openRequests(t, await openBrowser(), origin)
  await send(port, { path: '/bare/1' })
  await send(port, { path: '/books/1' })
  await shows(page, '/books/1')
  const targets = page.locator('.requests tbody .path')
  assert.deepEqual(await targets.allInnerTexts(), ['GET /books/1', 'GET /bare/1'])
  assert.equal(await targets.getByRole('link', { name: '/books/1' }).count(), 1)
  assert.equal(await targets.getByRole('link', { name: '/bare/1' }).count(), 0)
})

inBoth('a recorded request can be explained', async (t, start) => {
  const { port, origin, instances } = await start()
  const browser = await openBrowser()
  const { page } = await openRequests(t, browser, origin)
  await shows(page, 'No requests yet')
  await send(port, { method: 'PUT', path: '/orders/1' })
  await page.locator('.requests tbody .path a').first().click()
  await page.locator('.story-explain').click()
  await shows(page, 'The gateway would reply 405')
  await shows(page, /method is not GET/)
  assert.deepEqual(
    instances.map(({ received }) => received.length),
    [0, 0],
  )
})

inBoth('live rates are shown, and when each route was last used', async (t, start) => {
  const { port, origin } = await start()
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin, 'routes')
  const row = page.locator('tr', { hasText: 'orders' })
  await row.getByText('never').waitFor()
  await shows(page, 'Live')
  await send(port, { path: '/orders/1' })
  await row.getByText(/^<?\d+(\.\d)?\/s$/).waitFor()
  await row.getByText(/just now|ago$/).waitFor()
})

test('a route may have a name that every object has', async (t) => {
  const { port, origin } = await startShop(t, {
    more: '  - { id: constructor, match: { path: /made/* }, service: shop }\n',
  })
  const { page, complaints } = await openConsole(t, await openBrowser(), origin, 'routes')
  await shows(page, 'Live')
  // There is a second in which only the first of them got a request.
  for (const path of ['/orders/', '/made/']) {
    const row = page.locator('tr', { hasText: `${path}*` })
    await send(port, { path: `${path}1` })
    await row.getByText(/^<?\d+(\.\d)?\/s$/).waitFor()
  }
  assert.deepEqual(complaints, [])
})

inBoth('a drained instance gets no requests until it is undrained', async (t, start) => {
  const { port, origin, instances } = await start()
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin, 'services/shop')
  const [first, second] = instances
  await page.getByRole('button', { name: `Drain ${first.address}`, exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Drain', exact: true }).click()
  await page.getByRole('button', { name: `Undrain ${first.address}`, exact: true }).waitFor()
  assert.equal(await page.locator(':focus').getAttribute('aria-label'), `Undrain ${first.address}`)
  for (let i = 0; i < 4; i++) await send(port, { path: `/orders/${i}` })
  assert.deepEqual([first.received.length, second.received.length], [0, 4])
  await page.getByRole('table').getByText('drained').first().waitFor()
  await page.getByRole('button', { name: `Undrain ${first.address}`, exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Undrain', exact: true }).click()
  await page.getByRole('button', { name: `Drain ${first.address}`, exact: true }).waitFor()
  for (let i = 0; i < 4; i++) await send(port, { path: `/orders/${i}` })
  assert.ok(first.received.length > 0)
  await page.getByRole('cell', { name: 'undrained' }).waitFor()
})

inBoth('stored replies can be purged by their group', async (t, start) => {
  const { port, origin } = await start()
  const { page } = await openConsole(t, await openBrowser(), origin, 'cache')
  await page.getByLabel('What').selectOption('Cache group')
  await page.getByLabel('Host').fill('http://127.0.0.1/')
  await page.getByLabel('Group', { exact: true }).fill('novels')
  await page.getByRole('button', { name: 'Purge' }).click()
  await shows(page, 'Enter the host as clients name it')
  await page.getByLabel('Host').fill(`127.0.0.1:${port}`)
  for (const left of ['2 stored replies purged.', 'Nothing matching was stored.']) {
    // Of four URLs in turn, two are answered by the instance that has groups.
    if (left.startsWith('2')) for (let i = 0; i < 4; i++) await send(port, { path: `/books/${i}` })
    await page.getByRole('button', { name: 'Purge' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click()
    await shows(page, left)
  }
  assert.deepEqual(await barriers(page), [])
  await look(page, { width: 375 })
  assert.equal(await overhang(page), 0)
})

test('a long figure fits into its tile on a narrow screen', async (t) => {
  const { port, origin } = await startShop(t)
  await send(port, { path: '/books/1' })
  const { page } = await openConsole(t, await openBrowser(), origin, 'routes/books', { width: 375 })
  await shows(page, 'just now')
  await page.clock.setFixedTime(Date.now() + 86_000_000)
  await shows(page, /23 h 5\d min ago/)
  assert.equal(await overhang(page), 0)
})

inBoth('stored replies can be purged, and limits reset', async (t, start) => {
  const { port, origin, ask, instances } = await start({ withWorkers: true })
  const browser = await openBrowser()
  const requests = (): number => instances.reduce((sum, instance) => sum + instance.received.length, 0)
  for (let i = 0; i < 12; i++) await send(port, { path: '/books/1' })
  const stored = requests()
  const { page } = await openConsole(t, browser, origin, 'cache')
  await page.getByLabel('URL', { exact: true }).fill(`http://127.0.0.1:${port}/books/`)
  await page.getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click()
  await shows(page, /stored repl(?:y|ies) purged/)
  for (let i = 0; i < 12; i++) await send(port, { path: '/books/1' })
  assert.ok(requests() > stored)
  await page.goto(`${origin}/console/clients`)
  await page.getByLabel('Client').fill('127.0.0.1')
  await page.getByRole('button', { name: 'Look up' }).click()
  await shows(page, '24 of 1,000')
  await page.getByRole('button', { name: 'Reset its limits' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
  await shows(page, '0 of 1,000')
  const limits = (await ask('/limits/127.0.0.1?all=true')).json['limits'] as { quotas: { used: number }[] }[]
  assert.deepEqual(
    limits.map(({ quotas }) => quotas.map(({ used }) => used)),
    [[0]],
  )
})

inBoth('a change is compared, applied, and then rolled back or kept', async (t, start) => {
  const { file, port, origin } = await start({
    writable: true,
    more: '  - { id: hello, match: { path: /hello }, reply: { body: one } }',
  })
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'configuration')
  const answer = async (): Promise<string> => (await send(port, { path: '/hello' })).text
  await page.getByLabel('Token').fill('not-the-token-of-them')
  await page.getByRole('button', { name: 'Open the console' }).click()
  await shows(page, 'The token is wrong.')
  await page.getByLabel('Token').fill(TOKEN)
  await page.getByRole('button', { name: 'Open the console' }).click()
  const before = await readFile(file, 'utf8')
  const edit = async (text: string): Promise<void> => {
    await page.getByLabel('Text of sallyport.yaml').fill(text)
    await page.getByRole('button', { name: 'Check and compare' }).click()
  }
  await page.getByRole('button', { name: 'Edit the configuration' }).click()
  await edit(before.replace('service: gone', 'service: nobody'))
  await page.locator('.problems').getByText('nobody').waitFor()
  await edit(before.replace('body: one', 'body: two'))
  await shows(page, '+ two')
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await shows(page, 'A change by the admin token is in effect and waiting for confirmation')
  assert.equal(await answer(), 'two')
  assert.equal(await readFile(file, 'utf8'), before)
  const back = page.getByRole('button', { name: 'Go back to the previous one' })
  assert.equal(await back.count(), 0, 'one way to undo a change that is pending')
  await page.getByRole('button', { name: 'Roll back now' }).click()
  // Nothing is pending once the rollback has started.
  await page.getByText('waiting for confirmation').waitFor({ state: 'detached' })
  await until('the rollback', async () => (await answer()) === 'one')
  await shows(page, 'This change was rolled back')
  await edit(before.replace('body: one', 'body: three'))
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByText('waiting for confirmation').waitFor({ state: 'detached' })
  assert.equal(await answer(), 'three')
  assert.match(await readFile(file, 'utf8'), /body: three/)
  await back.click()
  await page.getByRole('dialog').getByText('− three').waitFor()
  await page.getByRole('dialog').getByText('+ one').waitFor()
  assert.deepEqual(await barriers(page), [])
  await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click()
  await until('the configuration before', async () => (await answer()) === 'one')
  // It is written when it is in effect.
  await until('the file before', async () => (await readFile(file, 'utf8')) === before)
  assert.deepEqual(
    complaints.filter((text) => !/status of 4(?:01|22)/.test(text)),
    [],
  )
})

inBoth(
  'in read-only mode an edit results in a patch, and the error of a rejected file has its place',
  async (t, start) => {
    const { file, port, origin } = await start({
      more: '  - { id: hello, match: { path: /hello }, reply: { body: one } }',
    })
    const browser = await openBrowser()
    const { page } = await openConsole(t, browser, origin, 'configuration')
    await page.getByRole('button', { name: 'Edit the configuration' }).click()
    const editor = page.getByLabel('Text of sallyport.yaml')
    await editor.fill((await editor.inputValue()).replace('body: one', 'body: two'))
    await shows(page, '+++ b/sallyport.yaml')
    assert.match(await page.locator('pre.code').innerText(), /^\+ {2}- \{ id: hello.*body: two/m)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('/hello }', '/hello/there }'))
    await page.getByRole('button', { name: 'Compare with the running configuration' }).click()
    await page.locator('.change').getByText('/hello/there').waitFor()
    await page.getByRole('button', { name: 'Apply the file' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
    await page
      .getByRole('table')
      .getByText(/ago|just now/)
      .first()
      .waitFor()
    assert.equal((await send(port, { path: '/hello/there' })).text, 'one')
    await writeFile(file, text.replace('service: gone', 'service: nobody'))
    await page.getByRole('button', { name: 'Compare with the running configuration' }).click()
    await page.locator('.problems .place').first().waitFor()
    assert.match(await page.locator('.problems .place').first().innerText(), /sallyport\.yaml:\d+:\d+$/)
  },
)

test('a thousand routes are shown', async (t) => {
  const routes = Array.from(
    { length: 1000 },
    (_, i) => `  - { id: route-${i}, match: { path: /many/${i} }, service: shop }`,
  )
  const { origin } = await startShop(t, { more: routes.join('\n') })
  const browser = await openBrowser()
  const { page, complaints } = await openConsole(t, browser, origin, 'routes')
  await shows(page, '200 of 1,003 routes.')
  assert.equal(await page.locator('tbody tr').count(), 200)
  await page.getByRole('button', { name: 'Show all' }).click()
  await shows(page, '1,003 routes')
  assert.equal(await page.locator('tbody tr').count(), 1003)
  const isRendered = (): Promise<boolean> =>
    page.evaluate(`document.querySelector('[href$="/route-900"]').checkVisibility({ contentVisibilityAuto: true })`)
  assert.equal(await isRendered(), false)
  assert.ok(await page.evaluate("find('route-900')"))
  await until('the row that was searched for', isRendered)
  await page.getByLabel('Filter routes').fill('route-77')
  await shows(page, '11 routes')
  assert.equal(await page.locator('tbody tr').count(), 11)
  await page.goto(`${origin}/console/`)
  await page.locator('.more > a').first().waitFor()
  assert.deepEqual(await barriers(page), [])
  assert.deepEqual(complaints, [])
})

test('keyboard shortcuts reach every page, and the chosen theme persists', async (t) => {
  const { origin } = await startShop(t)
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin)
  await shows(page, 'Live')
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('orders')
  await shows(page, '1 route')
  assert.equal(await page.locator('tbody tr').count(), 1)
  await page.keyboard.press('Tab')
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('This list').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
  const light = await ground()
  await page.getByRole('button', { name: /^Theme: System/ }).click()
  await page.getByRole('button', { name: /^Theme: Light/ }).click()
  const dark = await ground()
  assert.notEqual(dark, light)
  await page.reload()
  await shows(page, 'Live')
  assert.equal(await ground(), dark)
})

test('a page in a background tab closes its event stream', async (t) => {
  const { origin } = await startShop(t)
  const browser = await openBrowser()
  const { page } = await openConsole(t, browser, origin)
  await shows(page, 'Live')
  const see = (hidden: boolean): Promise<unknown> =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
    )
  const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/events'))
  await see(true)
  await ended
  const again = page.waitForRequest((request) => request.url().endsWith('/events'))
  await see(false)
  await again
})
