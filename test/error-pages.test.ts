import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import test from 'node:test'
import { loadConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problems.ts'
import { send } from './support/client.ts'
import { temporaryFile } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const PAGE = '<style>p { color: red }</style><title>{title}</title><p>{status} {correlation.id}</p>'

test('browsers get the page of a status, and other clients the problem document', async (t) => {
  const { port } = await startGateway(t, {
    policies: {
      'correlation-id': {},
      'error-pages': { '404': { body: PAGE }, '4xx': { body: 'other', type: 'text/plain' } },
    },
    routes: [{ id: 'a', match: { path: '/a', method: 'GET' }, reply: {} }],
  })
  const ask = (accept: string | undefined, path = '/none', method = 'GET') =>
    send(port, {
      method,
      path,
      headers: { 'X-Correlation-ID': 'id-1', ...(accept !== undefined && { Accept: accept }) },
    })
  const page = await ask(BROWSER)
  assert.equal(page.status, 404)
  assert.equal(page.text, '<style>p { color: red }</style><title>Not found</title><p>404 id-1</p>')
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(page.headers['cache-control'], 'no-store')
  assert.equal(page.headers.vary, 'Accept')
  for (const accept of [
    undefined,
    '*/*',
    'application/json',
    'application/problem+json',
    'application/json, text/plain, */*',
  ]) {
    const problem = await ask(accept)
    assert.equal(problem.headers['content-type'], 'application/problem+json', String(accept))
    assert.equal(problem.headers.vary, 'Accept')
  }
  const head = await ask(BROWSER, '/none', 'HEAD')
  assert.deepEqual([head.text, head.headers['content-length']], ['', String(page.body.length)])
  const other = await ask('text/*', '/a', 'POST')
  assert.deepEqual([other.status, other.text, other.headers.allow], [405, 'other', 'GET, HEAD'])
})

test('custom JSON replaces problem documents, except for clients that ask for those', async (t) => {
  const { port } = await startGateway(t, {
    policies: {
      'error-pages': { '4xx': { body: '{"error":"{title}","id":"{correlation.id}"}', type: 'application/json' } },
    },
    routes: [],
  })
  const ask = (accept: string) => send(port, { headers: { Accept: accept, 'X-Correlation-ID': 'a"<b' } })
  for (const accept of ['application/json', '*/*']) {
    const { error, id } = JSON.parse((await ask(accept)).text) as { error: string; id: string }
    assert.equal(error, 'Not found')
    assert.ok(id.length > 0)
  }
  assert.match((await ask('application/problem+json')).text, /urn:sallyport:error:not-found/)
})

test('a page for services replaces the bodies of their errors, without headers that described the body', async (t) => {
  const service = await startService(t, (request, response) => {
    const status = Number(request.url?.slice(1))
    response.writeHead(status, {
      ETag: '"1"',
      'Content-Encoding': 'x',
      Trailer: 'X-Sum',
      'Cache-Control': 'max-age=5',
      'Retry-After': '7',
    })
    response.end('of the service')
  })
  const { port } = await startGateway(
    t,
    proxyTo(service.url, {
      service: { retry: false },
      policies: { 'error-pages': { '503': { body: 'sorry', services: true }, '4xx': { body: 'never' } } },
    }),
  )
  const ask = (path: string) => send(port, { path, headers: { Accept: BROWSER } })
  const sorry = await ask('/503')
  assert.equal(sorry.text, 'sorry')
  assert.equal(sorry.headers.etag, undefined)
  assert.equal(sorry.headers['content-encoding'], undefined)
  assert.equal(sorry.headers.trailer, undefined)
  assert.equal(sorry.headers['cache-control'], 'max-age=5')
  assert.equal(sorry.headers['retry-after'], '7')
  assert.equal((await ask('/404')).text, 'of the service')
  assert.equal((await ask('/200')).text, 'of the service')
})

test('pages of a route are added to those for all routes, and changed files are read again', async (t) => {
  const general = await temporaryFile(t, 'general.html', 'general {status}')
  const own = join(dirname(general), 'own.html')
  await writeFile(own, 'own')
  const yaml = `
listeners: [{ address: '127.0.0.1:0' }]
reload: { watch: true }
policies: { error-pages: { 4xx: { file: '${general}' } } }
routes:
  - { id: gone, match: { path: /gone }, service: s, policies: { error-pages: { 403: { file: '${own}' } }, ip-access: { deny: [127.0.0.0/8] } } }
services: { s: { instances: ['http://127.0.0.1:1'], health: false } }
`
  const { log, port } = await startFromText(t, yaml)
  const ask = async (path: string): Promise<string> => (await send(port, { path, headers: { Accept: BROWSER } })).text
  assert.deepEqual([await ask('/none'), await ask('/gone')], ['general 404', 'own'])
  await writeFile(own, 'changed')
  await log.line({ message: 'Configuration applied' })
  assert.deepEqual([await ask('/none'), await ask('/gone')], ['general 404', 'changed'])
})

test('mistakes in pages are configuration problems', async (t) => {
  const page = await temporaryFile(t, 'page.html', '<script>f("{correlation.id}")</script>')
  const config = join(dirname(page), 'sallyport.yaml')
  const problemsOf = async (pages: string): Promise<string> => {
    await writeFile(
      config,
      `policies: { error-pages: ${pages} }\nroutes: [{ id: a, match: { path: /a }, reply: {} }]\n`,
    )
    const error: unknown = await loadConfig(config, {}).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  assert.match(await problemsOf(`{ 404: { file: ${basename(page)} } }`), /has \{correlation\.id\} in <script>/)
  assert.match(await problemsOf('{ 404: { file: none.html } }'), /"none\.html" cannot be read: there is no such file/)
  assert.match(await problemsOf('{ 200: { body: a } }'), /expected a status from 400 to 599/)
  assert.match(await problemsOf('{ 404: {} }'), /expected \{ file \} or \{ body, type \}/)
  assert.match(await problemsOf('{ 404: { body: a, type: image/png } }'), /expected the media type of plain text/)
})
