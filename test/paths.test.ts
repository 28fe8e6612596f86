import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { problemOf } from './support/problem.ts'
import { startService } from './support/service.ts'

type Routes = NonNullable<GatewayInput['routes']>

/** A gateway with those routes in front of a service that answers with the target it received. */
async function setUp(t: TestContext, routes: Routes, more: GatewayInput = {}) {
  const echo = await startService(t, ({ method, url }, response) => void response.end(`${method} ${url}`))
  const services = { echo: { instances: [echo.url], health: false as const } }
  const { port } = await startGateway(t, { services, routes, ...more })
  const client = await connect(t, port)

  async function send(line: string, ...fields: string[]) {
    client.write(`${line} HTTP/1.1\r\n${['Host: example.com', ...fields].map((field) => `${field}\r\n`).join('')}\r\n`)
    const reply = await client.reply(line.split(' ')[0])
    return { ...reply, status: Number(reply.start.split(' ')[1]), text: reply.body.toString() }
  }
  return {
    echo,
    send,
    /** What the service received. */
    reaches: async (target: string, sent = target): Promise<void> => {
      assert.equal((await send(`GET ${target}`)).text, `GET ${sent}`)
    },
    refuses: async (target: string, reason: RegExp): Promise<void> => {
      const received = echo.received.length
      const reply = await send(`GET ${target}`)
      assert.equal(reply.status, 400, target)
      assert.match(problemOf(reply).detail ?? '', reason, target)
      assert.equal(echo.received.length, received)
    },
  }
}

const all: Routes[number] = { id: 'all', match: { path: '/*' }, service: 'echo' }
const admin: Routes[number] = { id: 'admin', match: { path: '/admin/*' }, reply: { status: 403, body: 'admin' } }

test('encoded slashes and backslashes are 400 by default, in upper and lower case, with or without a route', async (t) => {
  const { refuses } = await setUp(t, [{ ...all, match: { path: '/any/*' } }, admin])
  for (const path of [
    '/any/a%2Fb',
    '/any/a%2fb',
    '/any/a%5Cb',
    '/any/a%5cb',
    '/any%2Fa',
    '/admin%2Fusers',
    '/none/%2F',
  ])
    await refuses(path, /encoded slash or backslash/)
  await refuses('/any/a\\b', /backslash/)
})

test('with encodedSlashes a route gets them unchanged, and paths that would bypass another route are 400', async (t) => {
  const { reaches, refuses } = await setUp(t, [{ ...all, encodedSlashes: true }, admin])
  await reaches('/@scope%2fname')
  await reaches('/@scope%2Fname')
  await reaches('/a%5Cb%5cc/d')
  for (const path of ['/admin%2Fusers', '/admin%2fusers', '/admin%5Cusers', '/%2Fadmin/x'])
    await refuses(path, /leads to another route/)
  await refuses('/a%2f..%2fadmin/x', /malformed or ambiguous/)
  await refuses('/admin/a%2Fb', /encoded slash/)
})

test('with encodedSlashes path parameters contain the decoded slash', async (t) => {
  const { send } = await setUp(t, [
    {
      id: 'project',
      match: { path: '/projects/{id}' },
      service: 'echo',
      encodedSlashes: true,
      policies: { 'response-headers': { set: { 'X-Project': '{path.id}' } } },
    },
  ])
  const reply = await send('GET /projects/group%2Fname')
  assert.equal(reply.text, 'GET /projects/group%2Fname')
  assert.equal(reply.fields.get('X-Project'), 'group/name')
})

test('a path that is public only with an encoded slash is 400', async (t) => {
  const { refuses, send } = await setUp(t, [{ ...all, encodedSlashes: true }], {
    policies: { auth: { public: ['/open/{name}', '/b/login'], methods: { 'api-key': {} } } },
  })
  assert.equal((await send('GET /open/a')).status, 200)
  await refuses('/open/a%2Fb', /leads to another route/)
  await refuses('/b%2Flogin', /leads to another route/)
})

test('path parameters are kept, and 400 if the path without them matches another route', async (t) => {
  const { reaches, refuses, send } = await setUp(t, [all, admin])
  await reaches('/a;v=1/b;w')
  assert.equal((await send('GET /admin/;x/users')).text, 'admin')
  for (const path of [
    '/admin;x/users',
    '/admin;/users',
    '/admin%3Bx/users',
    '/%3bx/admin/users',
    '/;x/admin/users',
    '/health;x',
  ])
    await refuses(path, /leads to another route/)
})

test('path parameters are 400 if the path is public only with or only without them', async (t) => {
  const { reaches, refuses } = await setUp(t, [all], {
    policies: { auth: { public: ['/login', '/open/*'], methods: { 'api-key': {} } } },
  })
  await reaches('/open/a;x')
  await refuses('/login;x', /leads to another route/)
  await refuses('/open;x/a', /leads to another route/)
})

test('path parameters can be rejected or stripped, for all routes or for one', async (t) => {
  const { reaches, refuses } = await setUp(
    t,
    [
      all,
      { id: 'java', match: { path: '/java/*' }, service: 'echo', pathParameters: 'strip' },
      { id: 'list', match: { path: '/list' }, service: 'echo', pathParameters: 'strip' },
      { id: 'kept', match: { path: '/kept/*' }, service: 'echo', pathParameters: 'keep' },
    ],
    { pathParameters: 'refuse' },
  )
  await refuses('/a;x', /are not accepted here/)
  await reaches('/java;jsessionid=1/a;x=1//b', '/java/a//b')
  await reaches('/list;jsessionid=7', '/list')
  await reaches('/kept/a;b')
})

test('a path not in normal form is forwarded as written', async (t) => {
  const { reaches, send } = await setUp(t, [{ ...all, match: { path: '/b/*' } }])
  for (const path of ['/b/x//y.txt', '/b//', '/b/%41', '/b/%7e%2d', '/b/caf%c3%a9', '/b/x//y.txt?a=//%2F'])
    await reaches(path)
  await reaches('/b/./x//y/../%41', '/b/x//%41')
  await reaches('/b/%2e%2E/b/c', '/b/c')
  await reaches('/b/a|b', '/b/a%7Cb')
  const put = await send('PUT /b/x//y.txt', 'Content-Length: 0')
  assert.equal(put.text, 'PUT /b/x//y.txt')
})

test('a path whose normal form matches another route is 400', async (t) => {
  const { refuses } = await setUp(t, [
    all,
    admin,
    { id: 'item', match: { path: '/items/{id}' }, service: 'echo' },
    { id: 'exact', match: { path: '/items/a/b' }, service: 'echo' },
  ])
  for (const path of ['/%61dmin/x', '/admi%6e/x', '/items//7', '/items/a//b', '/health//live'])
    await refuses(path, /leads to another route/)
  await refuses('//admin/x', /begins with two slashes/)
  await refuses('/x/..//admin/x', /begins with two slashes/)
  await refuses('/admin//../x', /dot segment after an empty one/)
})

test('a path that is public in only one of its forms is 400', async (t) => {
  const { refuses, reaches } = await setUp(t, [all], {
    policies: { auth: { public: ['/open/*', '/b/login'], methods: { 'api-key': {} } } },
  })
  await refuses('/b//login', /leads to another route/)
  await refuses('/%6fpen/a', /leads to another route/)
  await reaches('/open//%61')
})

test('a path whose normal form is another OpenAPI operation, or has other parameters, is 400', async (t) => {
  const document = {
    openapi: '3.1.0',
    info: { title: 'a', version: '1' },
    paths: { '/b/{key}': { get: { responses: {} } }, '/b/x/{key}': { get: { responses: {} } } },
  }
  const { refuses, reaches } = await setUp(t, [
    { ...all, policies: { validation: { openapi: { document, unknown: 'pass' } } }, encodedSlashes: true },
  ])
  await reaches('/b/%41')
  await reaches('/b/c;v')
  await refuses('/b//x', /leads to another route/)
  await refuses('/b/x%2Fy', /leads to another route/)
  await refuses('/b;v/x', /leads to another route/)
})

test('a route with a rewrite uses the normal form', async (t) => {
  const { reaches } = await setUp(t, [{ ...all, match: { path: '/s/*' }, rewrite: { strip: '/s' } }])
  await reaches('/s/a//%41', '/a/A')
})

test('the cache key is the path as forwarded', async (t) => {
  const { echo, send } = await setUp(t, [all], { policies: { cache: { ttl: '1m' } } })
  for (const path of ['/a/b', '/a//b', '/a/%62', '/a/b', '/a//b', '/a/%62'])
    assert.equal((await send(`GET ${path}`)).text, `GET ${path}`)
  assert.equal(echo.received.length, 3)
})

test('preflights use the route of the requested method, and pages can read the reason for a rejection', async (t) => {
  const { send } = await setUp(
    t,
    [
      { id: 'read', match: { path: '/*', method: 'GET' }, service: 'echo' },
      {
        id: 'write',
        match: { path: '/admin/*', method: 'PUT' },
        service: 'echo',
        policies: { cors: { maxAge: '7s' } },
      },
    ],
    { policies: { cors: { origins: ['*'] } } },
  )
  const preflight = (path: string) => send(`OPTIONS ${path}`, 'Origin: http://a', 'Access-Control-Request-Method: PUT')
  assert.equal((await preflight('/admin//x')).fields.get('Access-Control-Max-Age'), '7')
  const refused = await send('PUT /%61dmin/x', 'Origin: http://a', 'Content-Length: 0')
  assert.equal(refused.status, 400)
  assert.equal(refused.fields.get('Access-Control-Allow-Origin'), '*')
})
