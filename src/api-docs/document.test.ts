import assert from 'node:assert/strict'
import test from 'node:test'
import { runToEnd } from '../core/time-slices.ts'
import { type ApiDocument, type ApiOperation, documentOf, type Json } from '../../test/support/openapi.ts'
import { SECRET } from '../../test/support/tokens.ts'
import { parseConfig } from '../config/parse.ts'
import type { GatewayInput } from '../config/gateway-input.ts'
import { policies } from '../policies/index.ts'
import { apiDocument, type OwnPath } from './document.ts'
import { Places } from './places.ts'
import { readServiceApi } from './service-api.ts'

const OK = { responses: { 200: { description: 'fine' } } }

/** The document for routes, and for services that describe themselves so. */
function write(
  config: Omit<GatewayInput, 'services'>,
  documents: Readonly<Record<string, Json>> = {},
  own: readonly OwnPath[] = [],
): ApiDocument {
  const names = (config.routes ?? []).flatMap(({ service }) => service ?? [])
  const services = Object.fromEntries(names.map((name, i) => [name, { instances: [`http://127.0.0.1:${8001 + i}`] }]))
  const { docs, routes } = parseConfig({ ...config, services })
  const places = new Places(
    routes,
    own.map(({ path }) => path),
  )
  const apis = new Map(
    Object.entries(documents).map(([name, document]) => [
      name,
      runToEnd(readServiceApi(JSON.stringify({ openapi: '3.1.0', ...document }), name, places)),
    ]),
  )
  return documentOf(
    runToEnd(apiDocument({ docs, services: names, places, policies, apis, described: new Map(), own })).toString(),
  )
}

function operationsOf({ paths }: ApiDocument): string[] {
  return Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`))
}

const users = { id: 'users', match: { path: '/users/*' }, service: 'users' }

test('only operations that a route exposes are listed, under the paths of the service', () => {
  const document = write(
    { routes: [{ ...users, match: { path: '/users/*', method: ['GET', 'DELETE'] } }] },
    {
      users: {
        paths: {
          '/users': { get: OK, post: OK },
          '/users/{id}': { get: OK, delete: OK },
          '/users2': { get: OK },
          '/health': { get: OK },
          '/openapi.json': { get: OK },
        },
      },
    },
  )
  assert.deepEqual(operationsOf(document), ['get /users', 'get /users/{id}', 'delete /users/{id}'])
})

test('operations are listed under the paths that clients use', () => {
  const paths = { '/': { get: OK }, '/users/{id}': { get: OK }, '/api/users': { get: OK } }
  const strip = write(
    { routes: [{ id: 'u', match: { path: '/api/*' }, service: 'users', rewrite: { strip: '/api' } }] },
    { users: { paths } },
  )
  assert.deepEqual(operationsOf(strip), ['get /api', 'get /api/users/{id}', 'get /api/api/users'])
  const replaced = write(
    { routes: [{ id: 'u', match: { path: '/v1/*' }, service: 'users', rewrite: { prefix: '/v1', with: '/api' } }] },
    { users: { paths } },
  )
  assert.deepEqual(operationsOf(replaced), ['get /v1/users'])
})

test('paths are prefixed with the path of the server URL if a route matches it', () => {
  const paths = { '/users': { get: OK } }
  const routes = [{ id: 'u', match: { path: '/base/*' }, service: 'users' }]
  const servers = [{ url: 'http://users.internal:8001/base/' }]
  assert.deepEqual(operationsOf(write({ routes }, { users: { paths, servers } })), ['get /base/users'])
  assert.deepEqual(operationsOf(write({ routes: [users] }, { users: { paths, servers } })), ['get /users'])
})

test('an operation whose path a more specific route takes is not listed', () => {
  const document = write(
    {
      routes: [
        users,
        { id: 'secret', match: { path: '/users/introspect' }, reply: { status: 404 } },
        { id: 'me', match: { path: '/users/me', method: 'GET' }, service: 'people' },
      ],
    },
    {
      users: { paths: { '/users/introspect': { post: OK }, '/users/me': { get: OK }, '/users/{id}': { get: OK } } },
      people: { paths: { '/users/{who}': { get: { ...OK, summary: 'people' } } } },
    },
  )
  assert.deepEqual(operationsOf(document), ['get /users/{id}', 'get /users/me'])
  assert.equal(document.paths['/users/me']!['get']!.summary, 'people')
  assert.equal(document.paths['/users/me']!['get']!.parameters, undefined)
})

test('path parameters are renamed so that one path has one name for each', () => {
  const parameter = { name: 'key', in: 'path', required: true, schema: { type: 'integer' } }
  const document = write(
    {
      routes: [
        { id: 'read', match: { path: '/x/{any}', method: 'GET' }, service: 'reader' },
        { id: 'write', match: { path: '/x/{any}', method: 'PUT' }, service: 'writer' },
      ],
    },
    {
      reader: { paths: { '/x/{id}': { get: OK } } },
      writer: { paths: { '/x/{key}': { parameters: [parameter], put: OK } } },
    },
  )
  const item = document.paths['/x/{id}']!
  assert.deepEqual(item['put']!.parameters, [{ ...parameter, name: 'id' }])
  assert.deepEqual(item['get']!.parameters, [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }])
})

test('a service without a document gets operations from its routes', () => {
  const document = write({
    routes: [
      { id: 'any', match: { path: '/any/{id}/*' }, service: 'dumb' },
      { id: 'one', match: { path: '/one', method: ['GET', 'PURGE'] }, service: 'dumb2' },
    ],
  })
  assert.deepEqual(operationsOf(document), [
    ...['get', 'post', 'put', 'patch', 'delete'].map((method) => `${method} /any/{id}/{path}`),
    'get /one',
  ])
  const { get } = document.paths['/any/{id}/{path}']!
  assert.deepEqual([get!.tags, get!.operationId], [['dumb'], 'get-any-id-path'])
})

test('fixed replies and redirects are listed, except error replies', () => {
  const document = write({
    routes: [
      { id: 'status', match: { path: '/status' }, reply: { headers: { 'content-type': 'text/plain' }, body: 'open' } },
      { id: 'old', match: { path: '/old' }, redirect: { to: '/new', status: 308 } },
      { id: 'gone', match: { path: '/gone' }, reply: { status: 410 } },
    ],
  })
  assert.deepEqual(operationsOf(document), ['get /status', 'get /old'])
  const { responses } = document.paths['/status']!['get']!
  assert.deepEqual(responses['200'], { description: 'OK', content: { 'text/plain': { example: 'open' } } })
  const moved = document.paths['/old']!['get']!.responses['308'] as { headers: Json }
  assert.ok(moved.headers['Location'])
  assert.deepEqual(document.tags, [{ name: 'gateway', description: 'A reply of the gateway itself.' }])
})

test("the gateway's own endpoints replace the same paths of services", () => {
  const item = { get: { operationId: 'own', tags: ['gateway'], responses: OK.responses } }
  const document = write(
    { routes: [{ id: 'all', match: { path: '/*' }, service: 'all' }] },
    { all: { paths: { '/health': { get: { ...OK, operationId: 'theirs' } }, '/other': { get: OK } } } },
    [{ path: '/health', item }],
  )
  assert.deepEqual(operationsOf(document), ['get /other', 'get /health'])
  assert.equal(document.paths['/health']!['get']!.operationId, 'own')
})

test('a route replaces an endpoint of the gateway, except for other methods', () => {
  const item = { get: { operationId: 'own', tags: ['gateway'], responses: OK.responses } }
  const own = [{ path: '/health', item }]
  const taken = write({ routes: [{ id: 'mine', match: { path: '/health', method: 'GET' }, reply: {} }] }, {}, own)
  assert.equal(taken.paths['/health']!['get']!.operationId, 'mine')
  const all = { id: 'all', match: { path: '/*' }, service: 'all' }
  const beside = write({ routes: [all] }, { all: { paths: { '/health': { get: OK, post: OK } } } }, own)
  assert.deepEqual(operationsOf(beside), ['post /health', 'get /health'])
})

test('conditions of routes are documented, and routes without conditions come first', () => {
  const route = { match: { path: '/a' }, reply: {} }
  const document = write({
    routes: [
      { ...route, id: 'beta', match: { path: '/b', headers: { 'x-beta': 'on' }, query: { v: true } } },
      { ...route, id: 'host', match: { path: '/a', host: 'a.example.com' } },
      { ...route, id: 'plain' },
      { ...route, id: 'elsewhere', match: { path: '/c', host: ['a.example.com', '*.example.com'] } },
    ],
  })
  assert.equal(document.paths['/a']!['get']!.operationId, 'plain')
  assert.match(document.paths['/c']!['get']!.description!, /Only for the hosts a\.example\.com, \*\.example\.com\./)
  assert.deepEqual(document.paths['/b']!['get']!.parameters, [
    { name: 'x-beta', in: 'header', required: true, schema: { type: 'string', const: 'on' } },
    { name: 'v', in: 'query', required: true, schema: { type: 'string' } },
  ])
})

const auth = {
  public: ['/users/login'],
  methods: { jwt: { secret: SECRET, cookie: 'session' }, 'api-key': { header: 'X-Key', query: 'key', keys: [] } },
}
const described = { users: { paths: { '/users/login': { post: OK }, '/users/{id}': { get: OK } } } }

test('auth methods become security schemes, and public paths need none', () => {
  const document = write({ policies: { auth }, routes: [users] }, described)
  assert.deepEqual(document.components['securitySchemes'], {
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    cookie: { type: 'apiKey', in: 'cookie', name: 'session' },
    apiKey: { type: 'apiKey', in: 'header', name: 'X-Key' },
    apiKeyInQuery: { type: 'apiKey', in: 'query', name: 'key' },
  })
  const { get } = document.paths['/users/{id}']!
  assert.deepEqual(get!.security, [{ bearer: [] }, { cookie: [] }, { apiKey: [] }, { apiKeyInQuery: [] }])
  assert.deepEqual(document.paths['/users/login']!['post']!.security, [])
  assert.deepEqual(statusesOf(get!), ['200', '401', '429', '503', 'default'])
  assert.deepEqual(statusesOf(document.paths['/users/login']!['post']!), ['200', '503', 'default'])
})

test('required roles and scopes are in the security requirements and in the description', () => {
  const require = { roles: ['admin', 'auditor'], scopes: ['read'] }
  const options = { methods: { jwt: { secret: SECRET } }, require, failures: false as const, public: ['/*'] }
  const { get } = write({ policies: { auth: options }, routes: [users] }, described).paths['/users/{id}']!
  assert.deepEqual(get!.security, [{ bearer: ['admin', 'read'] }, { bearer: ['auditor', 'read'] }])
  assert.equal(get!.description, 'Needs one of the roles admin, auditor.\n\nNeeds the scope read.')
  assert.deepEqual(statusesOf(get!), ['200', '401', '403', '503', 'default'])
})

test('without auth in the gateway the security of the service document is kept', () => {
  const paths = { '/users/a': { get: OK }, '/users/b': { get: { ...OK, security: [] } } }
  const components = { securitySchemes: { own: { type: 'http', scheme: 'basic' }, odd: { type: 'magic' } } }
  const security = [{ own: [] }, { odd: [] }]
  const { paths: shown } = write({ routes: [users] }, { users: { paths, components, security } })
  assert.deepEqual(shown['/users/a']!['get']!.security, [{ own: [] }])
  assert.equal(shown['/users/b']!['get']!.security, undefined)
  const guarded = write({ policies: { auth }, routes: [users] }, { users: { paths, components, security } })
  assert.equal(guarded.components['securitySchemes']!['own'], undefined)
})

test('rate limits add 429 and their headers', () => {
  const limit = { tiers: { unauthenticated: ['10/s' as const, '500/10m' as const], api_key: false as const } }
  const document = write({ policies: { 'rate-limit': limit, 'correlation-id': {} }, routes: [users] }, described)
  const { get } = document.paths['/users/{id}']!
  assert.deepEqual(get!.responses['200'], {
    description: 'fine',
    headers: Object.fromEntries(
      ['X-Correlation-ID', 'RateLimit', 'RateLimit-Policy'].map((name) => [
        name,
        { $ref: `#/components/headers/${name}` },
      ]),
    ),
  })
  const refusal = document.components['responses']!['rate-limited']!
  assert.equal(
    refusal['description'],
    'Too many requests; at most 1000 per hour for the tier authenticated, ' +
      '10 per second and 500 in 10 minutes for the tier unauthenticated.',
  )
  assert.deepEqual(Object.keys(refusal['headers'] as Json), ['Retry-After', 'RateLimit', 'RateLimit-Policy'])
  const off = write({ policies: { 'rate-limit': limit }, routes: [{ ...users, policies: { 'rate-limit': false } }] })
  assert.equal(off.components['headers'], undefined)
})

test('a status of both gateway and service has both schemas, unless the service is not called', () => {
  const problem = (status: number) => ({
    [status]: { description: 'theirs', content: { 'text/plain': { example: 'no' } } },
  })
  const responses = { ...problem(401), ...problem(503), default: { description: 'theirs' } }
  const { get } = write(
    { policies: { auth }, routes: [users] },
    { users: { paths: { '/users/{id}': { get: { responses } } } } },
  ).paths['/users/{id}']!
  assert.deepEqual(get!.responses['401'], { $ref: '#/components/responses/unauthorized' })
  const { description, content } = get!.responses['503'] as { description: string; content: Json }
  assert.equal(description, 'theirs')
  assert.deepEqual(Object.keys(content), ['application/problem+json', 'text/plain'])
  assert.deepEqual(get!.responses['default'], { description: 'theirs' })
})

test('an operation with a body gets 413', () => {
  const post = { ...OK, requestBody: { content: { 'application/json': { schema: { type: 'object' } } } } }
  const { paths } = write({ routes: [users] }, { users: { paths: { '/users': { post, get: OK } } } })
  assert.deepEqual(statusesOf(paths['/users']!['post']!), ['200', '413', '503', 'default'])
  assert.deepEqual(statusesOf(paths['/users']!['get']!), ['200', '503', 'default'])
})

test('a route whose transform changes the path does not use the service document', () => {
  const transform = { request: { path: '/elsewhere' } }
  const document = write({ routes: [{ ...users, policies: { transform } }] }, described)
  assert.ok(operationsOf(document).includes('get /users/{path}'))
  assert.ok(!operationsOf(document).includes('get /users/{id}'))
})

test('conflicting operation ids are prefixed with their service', () => {
  const get = { ...OK, operationId: 'list' }
  const document = write(
    { routes: ['a', 'b', 'c'].map((id) => ({ id, match: { path: `/${id}` }, service: id })) },
    { a: { paths: { '/a': { get } } }, b: { paths: { '/b': { get } } }, c: { paths: { '/c': { get: OK } } } },
  )
  const ids = Object.values(document.paths).map((item) => item['get']!.operationId)
  assert.deepEqual(ids, ['list', 'b.list', 'get-c'])
})

test('title, version, description and tags come from the configuration and the services', () => {
  const docs = { title: 'Shop', version: '2.1', description: 'All of it.' }
  const info = { title: 'Users', description: 'Who is who.' }
  const document = write({ docs, routes: [users] }, { users: { ...described.users, info } })
  assert.deepEqual(document.info, docs)
  assert.deepEqual(document.tags, [{ name: 'users', description: 'Users: Who is who.' }])
})

function statusesOf({ responses }: ApiOperation): string[] {
  return Object.keys(responses)
}

test('match conditions become JSON Schema, combined across routes of the same operation', () => {
  const document = write(
    {
      routes: [
        {
          ...users,
          id: 'some',
          match: {
            path: '/users/*',
            pathRegex: '/users/[0-9]+',
            headers: { 'x-version': ['1', '2'], 'x-tester': { regex: 'yes|no' } },
            listener: '0.0.0.0:8000',
          },
        },
      ],
    },
    { users: { paths: { '/users/{id}': { get: OK } } } },
  )
  const operation = document.paths['/users/{id}']?.['get']
  const wanted = (operation?.parameters ?? []).filter((parameter) => parameter['in'] === 'header')
  assert.deepEqual(wanted.map(({ name, schema }) => [name, schema]).slice(0, 2), [
    ['x-version', { type: 'string', enum: ['1', '2'] }],
    ['x-tester', { type: 'string', pattern: '^(?:yes|no)$' }],
  ])
  assert.match(
    operation?.description ?? '',
    /Only paths that match `\/users\/\[0-9\]\+`\..*Only on the listener 0\.0\.0\.0:8000\./s,
  )
})
