import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { startBrowser } from './support/browser.ts'
import { startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'

/** A request of a page. */
interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly credentials?: 'include' | 'omit'
}

/** What a page could read of the reply; null if the browser blocked it. */
interface Read {
  readonly status: number
  readonly text: string
  readonly correlationId: string | null
  readonly other: string | null
}

/** Pages of two origins, one of them allowed, and the gateway on a third in front of a service. */
async function setUp(t: TestContext) {
  const pages = await Promise.all(
    [1, 2].map(() =>
      startService(t, (_, response) => {
        response.setHeader('Content-Type', 'text/html')
        response.end('<!doctype html><title>page</title>')
      }),
    ),
  )
  const [own, other] = pages.map(({ url }) => url)
  const service = await startService(t, (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', 'https://nobody.test')
    response.setHeader('X-Other', 'hidden')
    if (request.url === '/login') response.setHeader('Set-Cookie', 'session=7; HttpOnly; Path=/')
    response.end(`${request.method} ${request.headers.cookie ?? ''}`)
  })
  const gone = await startService(t)
  const { port } = await startGateway(t, {
    services: {
      backend: { instances: [service.url], health: false },
      gone: { instances: [gone.url], health: false },
    },
    policies: {
      'correlation-id': {},
      cors: {
        origins: [own!],
        credentials: true,
        headers: ['Content-Type', 'X-Own'],
        exposedHeaders: ['X-Correlation-ID'],
      },
    },
    routes: [
      { id: 'all', match: { path: '/*', method: ['GET', 'POST'] }, service: 'backend' },
      { id: 'items', match: { path: '/items/{id}', method: ['PUT', 'PATCH'] }, service: 'backend' },
      { id: 'down', match: { path: '/down' }, service: 'gone' },
      {
        id: 'anyone',
        match: { path: '/anyone' },
        service: 'backend',
        policies: { cors: { origins: ['*'], credentials: false } },
      },
      { id: 'closed', match: { path: '/closed', method: 'PUT' }, service: 'backend', policies: { cors: false } },
    ],
  })
  // Only now, since the gateway could otherwise get its port.
  await gone.kill()
  const browser = await startBrowser(t)
  const open = async (url: string): Promise<Page> => {
    const page = await browser.newPage()
    await page.goto(url)
    return page
  }
  const gateway = `http://127.0.0.1:${port}`
  return { gateway, service, welcome: await open(own!), stranger: await open(other!) }
}

function ask(page: Page, url: string, options: Ask = {}): Promise<Read | null> {
  return page.evaluate(
    async ([target, init]) => {
      try {
        const response = await fetch(target, init)
        const { status, headers } = response
        const correlationId = headers.get('X-Correlation-ID')
        return { status, text: await response.text(), correlationId, other: headers.get('X-Other') }
      } catch {
        return null
      }
    },
    [url, options] as const,
  )
}

test('a browser lets pages use the API as the cors policy says', async (t) => {
  const { gateway, service, welcome, stranger } = await setUp(t)
  const methods = (): string[] => service.received.map(({ method, url }) => `${method} ${url}`)

  await t.test('a simple request can be read, with the exposed headers only', async () => {
    const read = await ask(welcome, `${gateway}/`)
    assert.equal(read?.status, 200)
    assert.equal(read.text, 'GET ')
    assert.match(read.correlationId ?? '', /^[\da-f-]{36}$/)
    assert.equal(read.other, null)
  })

  await t.test('a request with a preflight succeeds, also on a route for that method only', async () => {
    const json = { method: 'PUT', headers: { 'Content-Type': 'application/json', 'X-Own': '1' }, body: '{}' }
    assert.equal((await ask(welcome, `${gateway}/items/7`, json))?.text, 'PUT ')
    assert.ok(!methods().some((line) => line.startsWith('OPTIONS')))
  })

  await t.test('a disallowed method or header fails at the preflight', async () => {
    assert.equal(await ask(welcome, `${gateway}/items/7`, { method: 'PATCH' }), null)
    assert.equal(await ask(welcome, `${gateway}/`, { headers: { 'X-Strange': '1' } }), null)
    assert.ok(!methods().includes('PATCH /items/7'))
  })

  await t.test('cookies are kept and sent if credentials are allowed', async () => {
    await ask(welcome, `${gateway}/login`, { method: 'POST', credentials: 'include' })
    assert.equal((await ask(welcome, `${gateway}/`, { credentials: 'include' }))?.text, 'GET session=7')
    assert.equal((await ask(welcome, `${gateway}/`, { credentials: 'omit' }))?.text, 'GET ')
  })

  await t.test('errors of the gateway can be read', async () => {
    for (const [path, options, status] of [
      ['/down', {}, 503],
      ['/items/7', { method: 'DELETE' }, 405],
      ['/%zz', {}, 400],
    ] as const) {
      const read = await ask(welcome, gateway + path, options)
      assert.equal(read?.status, status, path)
      const problem = JSON.parse(read.text) as { status: number; instance: string }
      assert.equal(problem.status, status)
      assert.equal(problem.instance, read.correlationId)
    }
  })

  await t.test(
    'a page of a disallowed origin cannot read anything, and requests with a preflight do not reach the service',
    async () => {
      const before = service.received.length
      assert.equal(await ask(stranger, `${gateway}/`), null)
      assert.equal(service.received.length, before + 1)
      assert.equal(await ask(stranger, `${gateway}/items/7`, { method: 'PUT' }), null)
      assert.equal(await ask(stranger, `${gateway}/down`), null)
      assert.equal(service.received.length, before + 1)
    },
  )

  await t.test('a route for all origins is open to that page, but without credentials', async () => {
    assert.equal((await ask(stranger, `${gateway}/anyone`))?.text, 'GET ')
    assert.equal(await ask(stranger, `${gateway}/anyone`, { credentials: 'include' }), null)
  })

  await t.test('a route without the policy is closed to all pages', async () => {
    assert.equal(await ask(welcome, `${gateway}/closed`, { method: 'PUT' }), null)
    assert.ok(!methods().includes('PUT /closed'))
  })
})
