import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { startGateway } from './support/gateway.ts'
import { connect, type Peer } from './support/peer.ts'
import { problemOf } from './support/problem.ts'
import { startService } from './support/service.ts'

type Routes = NonNullable<GatewayInput['routes']>

/** A gateway with those routes in front of a service that answers with the request line it got, and a client. */
async function setUp(t: TestContext, routes: Routes, more: GatewayInput = {}) {
  const echo = await startService(
    t,
    ({ method, url, headers }, response) => void response.end(`${method} ${url} ${headers.host}`),
  )
  const services = { echo: { instances: [echo.url], health: false as const } }
  const { port, log } = await startGateway(t, { services, routes, ...more })
  const client = await connect(t, port)
  return {
    echo,
    log,
    client,
    get: (target: string, host = 'example.com', method = 'GET', ...lines: string[]) =>
      ask(client, target, host, method, lines),
  }
}

async function ask(client: Peer, target: string, host: string, method: string, lines: string[]) {
  const fields = [`Host: ${host}`, ...lines].map((line) => `${line}\r\n`).join('')
  client.write(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`)
  const reply = await client.reply(method)
  return { ...reply, status: Number(reply.start.split(' ')[1]), text: reply.body.toString() }
}

const fixed = (id: string, match: Routes[number]['match']): Routes[number] => ({ id, match, reply: { body: id } })

test('the routing table of the specification leads to its services', async (t) => {
  const table = {
    'user-service': ['users', 'auth', 'roles'],
    'order-service': ['orders', 'order-items'],
    'inventory-service': ['inventory', 'products'],
    'payment-service': ['payments', 'transactions'],
    'notification-service': ['notifications', 'email'],
  }
  const services: GatewayInput['services'] = {}
  const routes: Routes = []
  for (const [name, parts] of Object.entries(table)) {
    const { url } = await startService(t, (request, response) => void response.end(`${name} ${request.url}`))
    services[name] = { instances: [url] }
    routes.push({ id: name, match: { path: parts.map((part) => `/api/v1/${part}/*`) }, service: name })
  }
  const { get } = await setUp(t, routes, { services })
  for (const [name, parts] of Object.entries(table))
    for (const part of parts)
      for (const path of [`/api/v1/${part}`, `/api/v1/${part}/`, `/api/v1/${part}/7/x?y=z`])
        assert.equal((await get(path)).text, `${name} ${path}`)
  assert.equal((await get('/api/v1/users2')).status, 404)
  assert.equal((await get('/api/v1')).status, 404)
})

test('the most specific route wins, whatever the order', async (t) => {
  const { get } = await setUp(t, [
    fixed('all', { path: '/*' }),
    fixed('rest', { path: '/a/*' }),
    fixed('parameter', { path: '/a/{id}' }),
    fixed('exact', { path: '/a/b' }),
    fixed('post', { path: '/a/b', method: 'POST' }),
    fixed('beta', { path: '/a/b', headers: { 'X-Beta': '1' } }),
    fixed('debug', { path: '/a/b', query: { debug: true } }),
    fixed('host', { path: '/a/b', host: 'api.example.com' }),
    fixed('wild', { path: '/a/b', host: '*.example.com' }),
  ])
  assert.equal((await get('/x')).text, 'all')
  assert.equal((await get('/a')).text, 'rest')
  assert.equal((await get('/a/b/c')).text, 'rest')
  assert.equal((await get('/a/c')).text, 'parameter')
  assert.equal((await get('/a/b')).text, 'exact')
  assert.equal((await get('/a/b', 'example.com', 'POST')).text, 'post')
  assert.equal((await get('/a/b', 'example.com', 'GET', 'X-Beta: 1')).text, 'beta')
  assert.equal((await get('/a/b', 'example.com', 'GET', 'X-Beta: 2')).text, 'exact')
  assert.equal((await get('/a/b?debug')).text, 'debug')
  assert.equal((await get('/a/b', 'api.example.com:8000')).text, 'host')
  assert.equal((await get('/a/b', 'API.Example.Com')).text, 'host')
  assert.equal((await get('/a/b', 'x.y.example.com')).text, 'wild')
  assert.equal((await get('/a/c', 'api.example.com')).text, 'parameter')
})

test('without a matching route the reply is a 404 problem document, and the connection stays open', async (t) => {
  const { get } = await setUp(t, [fixed('a', { path: '/a' })])
  for (let i = 0; i < 2; i++) {
    const reply = await get('/nowhere')
    assert.equal(problemOf(reply).title, 'Not found')
    assert.equal(reply.status, 404)
    assert.equal(reply.fields.get('Connection'), undefined)
  }
  assert.equal((await get('/a', 'example.com', 'HEAD')).status, 200)
})

test('if only the method does not match, the reply is 405 with the allowed methods', async (t) => {
  const { get } = await setUp(t, [
    fixed('read', { path: '/a', method: ['GET', 'HEAD'] }),
    fixed('write', { path: '/a', method: 'put' }),
    fixed('other', { path: '/a', host: 'other.org', method: 'DELETE' }),
  ])
  const reply = await get('/a', 'example.com', 'DELETE')
  assert.equal(reply.status, 405)
  assert.equal(reply.fields.get('Allow'), 'GET, HEAD, PUT')
  assert.equal(problemOf(reply).title, 'Method not allowed')
  assert.equal((await get('/a', 'example.com', 'PUT')).text, 'write')
  assert.equal((await get('/a', 'other.org', 'DELETE')).text, 'other')
  assert.equal((await get('/b', 'example.com', 'DELETE')).status, 404)
})

test('the normal form of a path is matched and logged, and its original spelling is forwarded', async (t) => {
  const { get, log } = await setUp(t, [
    { id: 'users', match: { path: '/users/*' }, service: 'echo' },
    fixed('admin', { path: '/admin/*' }),
  ])
  for (const [target, forwarded, logged] of [
    ['/users/./a/../b', '/users/b', '/users/b'],
    ['/users//a///b', '/users//a///b', '/users/a/b'],
    ['/users/%7Eme', '/users/%7Eme', '/users/~me'],
    ['/users/%e4%b8%ad', '/users/%e4%b8%ad', '/users/%E4%B8%AD'],
    ['/users/ab?x=%2e%2e/&y=//', '/users/ab?x=%2e%2e/&y=//', '/users/ab?x=%2e%2e/&y=//'],
    ['/users/%2e%2e/users/c', '/users/c', '/users/c'],
    ['/users/a|b', '/users/a%7Cb', '/users/a%7Cb'],
    ['/users/a;v=1', '/users/a;v=1', '/users/a;v=1'],
  ] as const) {
    assert.equal((await get(target)).text, `GET ${forwarded} example.com`)
    assert.equal(log.requests.at(-1)!['url'], `http://example.com${logged}`)
  }
  for (const target of ['/users/../admin/x', '/users/%2e%2e/admin/x', '/admin//x'])
    assert.equal((await get(target)).text, 'admin')
})

test('a path that a service might read differently is 400', async (t) => {
  const { get, echo } = await setUp(t, [{ id: 'all', match: { path: '/*' }, service: 'echo' }])
  for (const target of [
    '/../etc',
    '/a/..;/b',
    '/a%2f../b',
    '/a%5cb',
    '/a\\b',
    '/a%00',
    '/%zz',
    '/%c0%ae',
    '/a%0d%0aX:1',
  ]) {
    const reply = await get(target)
    assert.equal(reply.status, 400, target)
    problemOf(reply)
  }
  assert.equal(echo.received.length, 0)
})

test('a prefix is stripped or replaced when forwarding', async (t) => {
  const { get } = await setUp(t, [
    { id: 'strip', match: { path: '/strip/*' }, service: 'echo', rewrite: { strip: '/strip' } },
    { id: 'swap', match: { path: '/old/*' }, service: 'echo', rewrite: { prefix: '/old', with: '/new/v2' } },
    { id: 'root', match: { path: '/any/*' }, service: 'echo', rewrite: { prefix: '/', with: '/base' } },
  ])
  for (const [target, forwarded] of [
    ['/strip', '/'],
    ['/strip/', '/'],
    ['/strip/a?b=c', '/a?b=c'],
    ['/strip//evil.org/a', '/evil.org/a'],
    ['/old', '/new/v2'],
    ['/old/a/', '/new/v2/a/'],
    ['/any/x', '/base/any/x'],
  ] as const)
    assert.equal((await get(target)).text, `GET ${forwarded} example.com`)
})

test('fixed replies and redirects need no service', async (t) => {
  const { get } = await setUp(t, [
    { id: 'text', match: { path: '/text' }, reply: { status: 418, headers: { 'X-A': '1' }, body: 'größer' } },
    { id: 'none', match: { path: '/none' }, reply: { status: 204 } },
    { id: 'moved', match: { path: '/moved' }, redirect: { to: 'https://example.com/new' } },
    { id: 'gone', match: { path: '/gone' }, redirect: { to: '/elsewhere', status: 301 } },
  ])
  const text = await get('/text')
  assert.deepEqual([text.status, text.text, text.fields.get('X-A')], [418, 'größer', '1'])
  const none = await get('/none')
  assert.deepEqual([none.status, none.fields.get('Content-Length')], [204, undefined])
  const moved = await get('/moved')
  assert.deepEqual([moved.status, moved.fields.get('Location')], [307, 'https://example.com/new'])
  const removed = await get('/gone')
  assert.deepEqual([removed.status, removed.fields.get('Location')], [301, '/elsewhere'])
})

test('a redirect can use parameters, the rest of the path, and the query', async (t) => {
  const { get } = await setUp(t, [
    { id: 'user', match: { path: '/u/{id}' }, redirect: { to: '/users/{id}', status: 308 } },
    { id: 'old', match: { path: ['/old/*', '/older/*'] }, redirect: { to: '/new/*' } },
    { id: 'https', match: { path: '/*', host: 'www.example.com' }, redirect: { to: 'https://{host}{path}' } },
    { id: 'bare', match: { path: '/bare' }, redirect: { to: '/b?x=1#f', query: false } },
  ])
  for (const [target, location, host] of [
    ['/u/7', '/users/7'],
    ['/u/a%3Fb?c=d&e', '/users/a%3Fb?c=d&e'],
    ['/old', '/new'],
    ['/older/a/b/?q=%20', '/new/a/b/?q=%20'],
    ['/old/a/../b', '/new/b'],
    ['/any/where?a', 'https://www.example.com/any/where?a', 'www.example.com'],
    ['/bare?a=b', '/b?x=1#f'],
  ] as const) {
    const reply = await get(target, host)
    assert.equal(reply.fields.get('Location'), location, target)
    assert.equal(reply.text, '')
  }
})

test("HEAD is accepted wherever GET is: routes, fixed replies, redirects and the gateway's endpoints", async (t) => {
  const { get } = await setUp(t, [
    { id: 'text', match: { path: '/text', method: 'GET' }, reply: { body: 'x' } },
    { id: 'moved', match: { path: '/moved', method: 'GET' }, redirect: { to: '/text' } },
    { id: 'echo', match: { path: '/echo', method: 'GET' }, service: 'echo' },
    {
      id: 'described',
      match: { path: '/described' },
      service: 'echo',
      policies: {
        validation: {
          openapi: { document: { openapi: '3.1.0', paths: { '/described': { get: { responses: {} } } } } },
        },
      },
    },
  ])
  for (const [path, status] of [
    ['/text', 200],
    ['/moved', 307],
    ['/echo', 200],
    ['/described', 200],
    ['/health', 200],
  ] as const) {
    const reply = await get(path, 'example.com', 'HEAD')
    assert.deepEqual([reply.status, reply.text], [status, ''], path)
  }
})

test('OPTIONS * is answered without a route', async (t) => {
  const { get } = await setUp(t, [{ id: 'all', match: { path: '/*' }, service: 'echo' }])
  const reply = await get('*', 'example.com', 'OPTIONS')
  assert.equal(reply.status, 204)
})

test('matches can be lists of values, or expressions for the whole value', async (t) => {
  const { get } = await setUp(t, [
    fixed('numbers', { path: '/users/{id}', pathRegex: '/users/[0-9]+' }),
    fixed('names', { path: '/users/{id}' }),
    fixed('old', { path: '/api/*', headers: { 'x-version': ['1', '2'] } }),
    fixed('beta', { path: '/api/*', headers: { 'x-version': { regex: '[0-9]+-beta' } } }),
    fixed('page', { path: '/api/*', query: { page: { regex: '[1-9][0-9]*' } } }),
    fixed('rest', { path: '/api/*' }),
  ])
  assert.equal((await get('/users/42')).text, 'numbers')
  assert.equal((await get('/users/42a')).text, 'names')
  for (const version of ['1', '2']) assert.equal((await get('/api', 'a', 'GET', `X-Version: ${version}`)).text, 'old')
  assert.equal((await get('/api', 'a', 'GET', 'X-Version: 3-beta')).text, 'beta')
  for (const version of ['3', '3-beta2', 'x3-beta'])
    assert.equal((await get('/api', 'a', 'GET', `X-Version: ${version}`)).text, 'rest')
  assert.equal((await get('/api', 'a', 'GET', 'X-Version: 9', 'X-Version: 2')).text, 'old', 'a separate line counts')
  assert.equal((await get('/api?page=%312')).text, 'page')
  assert.equal((await get('/api?page=0')).text, 'rest')
})

test('among equally specific routes, the one with the highest precedence wins', async (t) => {
  const { get } = await setUp(t, [
    fixed('a', { path: '/x', headers: { a: true } }),
    fixed('b', { path: '/x', headers: { b: true }, precedence: 1 }),
    fixed('both', { path: '/x', headers: { a: true, b: true }, precedence: -1 }),
    fixed('any', { path: '/*', precedence: 9 }),
  ])
  assert.equal((await get('/x', 'a', 'GET', 'A: 1', 'B: 1')).text, 'both', 'the more specific one still comes first')
  assert.equal((await get('/x', 'a', 'GET', 'B: 1')).text, 'b')
  assert.equal((await get('/x')).text, 'any')
})

test('a route can be limited to one listener', async (t) => {
  const routes = [
    fixed('inside', { listener: 'inside', path: '/*' }),
    fixed('admin', { path: '/admin/*', host: 'example.com' }),
    fixed('all', { path: '/*' }),
  ]
  const listeners = [{ address: '127.0.0.1:0' }, { name: 'inside', address: '127.0.0.1:0' }]
  const { gateway } = await startGateway(t, { listeners, routes })
  const [outside, inside] = await Promise.all(gateway.addresses.map(({ port }) => connect(t, port)))
  assert.ok(outside !== undefined && inside !== undefined)
  const textOf = async (client: Peer, path: string) => (await ask(client, path, 'example.com', 'GET', [])).text
  for (const path of ['/x', '/admin/x', '/health']) assert.equal(await textOf(inside, path), 'inside')
  assert.equal(await textOf(outside, '/x'), 'all')
  assert.equal(await textOf(outside, '/admin/x'), 'admin')
  assert.match(await textOf(outside, '/health'), /"status"/)
})

test('after a listener is renamed its connections use the routes of the new name', async (t) => {
  const routes = [fixed('a', { listener: 'a', path: '/*' }), fixed('rest', { path: '/*' })]
  const configOf = (name: string): GatewayInput => ({
    listeners: [
      { name, address: '127.0.0.1:0' },
      { name: 'a', address: '127.0.0.1:0', redirectToHttps: 443 },
    ],
    admin: false,
    routes,
  })
  const { gateway, port } = await startGateway(t, configOf('b'))
  const client = await connect(t, port)
  assert.equal((await ask(client, '/x', 'a', 'GET', [])).text, 'rest')
  await gateway.reload(configOf('a'))
  assert.equal((await ask(client, '/x', 'a', 'GET', [])).text, 'a')
})
