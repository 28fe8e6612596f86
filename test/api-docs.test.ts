import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { serviceNames } from '../examples/platform/platform.ts'
import { send } from './support/client.ts'
import { startDemo } from './support/demo.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { documentOf } from './support/openapi.ts'
import { startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

const CHANGED = 'The documentation of a service has changed'

/** Waits until the documents of all services have been read. */
async function read({ log }: TestGateway, services: readonly string[]): Promise<void> {
  await Promise.all(services.map((service) => log.line({ service, message: CHANGED })))
}

async function fetchDocument(port: number) {
  const reply = await send(port, { path: '/openapi.json' })
  assert.equal(reply.status, 200)
  return documentOf(reply.text)
}

test('the document of the example platform lists exactly its public operations', async (t) => {
  const gateway = await startDemo(t)
  await read(gateway, serviceNames)
  const { port } = gateway
  const { paths, tags, components } = await fetchDocument(port)
  assert.deepEqual(
    tags.map(({ name }) => name),
    [...serviceNames, 'gateway'],
  )
  assert.ok(Object.values(paths).flatMap((item) => Object.keys(item)).length >= 40)

  await t.test('internal operations are left out', () => {
    assert.equal(paths['/api/v1/auth/introspect'], undefined)
    assert.equal(paths['/openapi.json'], undefined)
  })

  await t.test('a schema that several services share is listed once', () => {
    const names = Object.keys(components['schemas']!)
    assert.ok(names.includes('Problem') && names.includes('Order'))
    assert.ok(!names.some((name) => name.includes('.')))
  })

  await t.test('each operation lists who may call it', () => {
    assert.deepEqual(paths['/api/v1/auth/login']!['post']!.security, [])
    assert.deepEqual(paths['/api/v1/products']!['get']!.security, [])
    assert.deepEqual(paths['/api/v1/products']!['post']!.security, [{ bearer: [] }, { apiKey: [] }])
    assert.deepEqual(paths['/api/v1/roles']!['get']!.security, [{ bearer: ['admin'] }, { apiKey: ['admin'] }])
  })

  await t.test('every operation is answered by a service', async () => {
    for (const [template, item] of Object.entries(paths))
      for (const method of Object.keys(item)) {
        const path = template.replace(/\{\w+\}/g, 'nobody')
        const { status, text } = await send(port, { method: method.toUpperCase(), path })
        assert.ok(!text.includes('No route matches this request'), `${method} ${path}`)
        assert.notEqual(status, 405, `${method} ${path}`)
      }
  })
})

/** A service with the document of the test. */
async function startDescribed(t: TestContext, describe: () => string, openapi: string | false = '/openapi.json') {
  const service = await startService(t, (request, response) => {
    response.end(request.url === openapi ? describe() : 'hello')
  })
  const gateway = await startGateway(t, {
    endpoints: { metrics: false, docs: false },
    services: { hello: { instances: [service.url], health: false, openapi } },
    routes: [{ id: 'hello', match: { path: '/api/*' }, service: 'hello', rewrite: { strip: '/api' } }],
  })
  return { service, gateway, port: gateway.port }
}

function hello(summary: string): string {
  return JSON.stringify({ openapi: '3.0.3', paths: { '/hello': { get: { summary, responses: {} } } } })
}

test('the ETag of the document changes with it, and the document is compressed on request', async (t) => {
  const { gateway, port } = await startDescribed(t, () => hello('Greets'))
  await read(gateway, ['hello'])
  const first = await send(port, { path: '/openapi.json' })
  assert.equal(first.headers['content-type'], 'application/json')
  assert.equal(first.headers['cache-control'], 'no-cache')
  const again = await send(port, { path: '/openapi.json', headers: { 'If-None-Match': first.headers.etag } })
  assert.equal(again.status, 304)
  assert.equal(again.body.length, 0)
  const zipped = await send(port, { path: '/openapi.json', headers: { 'Accept-Encoding': 'gzip' } })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.ok(zipped.body.length < first.body.length)
  assert.deepEqual(Object.keys((await fetchDocument(port)).paths), ['/api/hello', '/health'])
})

test('a service without a valid document is documented by its routes', async (t) => {
  const { gateway, port } = await startDescribed(t, () => '{"openapi":"3.0.0","paths":')
  await gateway.log.line({ service: 'hello', message: 'The documentation of a service cannot be read' })
  assert.deepEqual(Object.keys((await fetchDocument(port)).paths), ['/api/{path}', '/health'])
  assert.equal((await send(port, { path: '/api/hello' })).text, 'hello')
})

test('with openapi: false the service is not asked for a document', async (t) => {
  const { service, port } = await startDescribed(t, () => hello('Greets'), false)
  assert.deepEqual(Object.keys((await fetchDocument(port)).paths), ['/api/{path}', '/health'])
  assert.deepEqual(service.received, [])
})

test('shutdown does not wait for documents', async (t) => {
  const service = await startRawService(t)
  const config = {
    endpoints: { docs: false as const },
    services: { slow: { instances: [service.url], health: false as const } },
    routes: [{ id: 'slow', match: { path: '/*' }, service: 'slow' }],
  }
  const { gateway, log } = await startGateway(t, config, { clock: new ManualClock() })
  const peer = await service.accept()
  assert.match((await peer.request()).start, /^GET \/openapi\.json /)
  await gateway.close()
  await peer.closed()
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'warn'),
    [],
  )
})

test('the page and its resources are served with a strict Content-Security-Policy', async (t) => {
  const { port } = await startGateway(t, {
    endpoints: { health: false, metrics: false },
    docs: { title: '<Shop> & "more"' },
  })
  const page = await send(port, { path: '/docs' })
  assert.equal(page.status, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(page.text, /<title>&#60;Shop&#62; &#38; &#34;more&#34;/)
  assert.doesNotMatch(page.text, /https?:|<script>|<style|style=| on\w+=/)
  const links = [...page.text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map((match) => match[1]!)
  assert.equal(links.length, 5)
  for (const link of links) {
    const file = await send(port, { path: `/${link}` })
    assert.equal(file.status, 200, link)
    assert.equal(file.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.match(file.headers['content-type']!, /^(?:text\/(?:javascript|css); charset=utf-8|image\/(?:png|svg\+xml))$/)
    assert.ok(file.headers.etag)
    const again = await send(port, { path: `/${link}`, headers: { 'If-None-Match': file.headers.etag } })
    assert.equal(again.status, 304)
  }
  for (const path of ['/docs', `/${links[0]}`]) {
    const { headers } = await send(port, { path })
    assert.match(
      String(headers['content-security-policy']),
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    )
    assert.match(String(headers['content-security-policy']), /connect-src 'self'.*frame-ancestors 'none'/)
    assert.doesNotMatch(String(headers['content-security-policy']), /unsafe|\*/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
  }
})

test('no other files of the package or the disk are served', async (t) => {
  const { port } = await startGateway(t, { endpoints: { health: false, metrics: false } })
  for (const path of [
    '/docs/swagger-ui-bundle.js',
    '/docs/index.html',
    '/docs/..%2f..%2fpackage.json',
    '/docs/%2e%2e/package.json',
    '/docs/__proto__',
    '/docs/a/b',
  ])
    assert.ok([400, 404].includes((await send(port, { path })).status), path)
  const { status, headers } = await send(port, { path: '/docs/' })
  assert.deepEqual([status, headers.location], [308, '../docs'])
  assert.equal((await send(port, { path: '/docs', method: 'HEAD' })).body.length, 0)
})

test('endpoints can turn off the page and the document, and then no service is asked', async (t) => {
  const service = await startService(t)
  const config = {
    services: { all: { instances: [service.url], health: false as const } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'all' }],
  }
  const without = await startGateway(t, { ...config, endpoints: { metrics: false, docs: false, openapi: false } })
  for (const path of ['/docs', '/openapi.json']) await send(without.port, { path })
  assert.deepEqual(
    service.received.map(({ url }) => url),
    ['/docs', '/openapi.json'],
  )
  const { port } = await startGateway(t, { ...config, endpoints: { health: false, metrics: false, docs: false } })
  assert.equal((await send(port, { path: '/openapi.json' })).headers['content-type'], 'application/json')
  assert.equal((await send(port, { path: '/docs' })).headers['content-type'], undefined)
  await assert.rejects(
    startGateway(t, { ...config, endpoints: { openapi: false } }),
    /endpoints\.docs: the page shows the openapi document/,
  )
})

test('the page and the document can have other paths, and link to each other', async (t) => {
  for (const [docs, openapi, link] of [
    ['/internal/api', '/openapi.json', '../openapi.json'],
    ['/internal/api', '/internal/api.json', 'api.json'],
    ['/page', '/v1/openapi.json', 'v1/openapi.json'],
  ] as const) {
    const { port } = await startGateway(t, { endpoints: { docs, openapi } })
    const page = await send(port, { path: docs })
    const base = new URL(docs, `http://127.0.0.1:${port}`)
    assert.equal(/<a href="([^"]+)">/.exec(page.text)?.[1], link)
    assert.equal(new URL(link, base).pathname, openapi)
    assert.equal((await send(port, { path: openapi })).headers['content-type'], 'application/json')
    const script = [...page.text.matchAll(/src="([^"]+)"/g)].at(-1)![1]!
    const file = await send(port, { path: new URL(script, base).pathname })
    assert.ok(file.text.includes(`url: "${link}"`))
    const folder = await send(port, { path: `${docs}/` })
    assert.equal(new URL(folder.headers.location!, `${base.href}/`).pathname, docs)
    for (const path of ['/docs', ...(openapi === '/openapi.json' ? [] : ['/openapi.json'])])
      assert.equal((await send(port, { path })).status, 404)
  }
})
