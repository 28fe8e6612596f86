import assert from 'node:assert/strict'
import test from 'node:test'
import { parse } from 'yaml'
import { fieldOf, itemsOf } from '../../core/value.ts'
import { importOpenApi, type OpenApiOptions } from './index.ts'

const SERVICE = { name: 'orders', url: 'http://orders:8080' }

function imported(document: object, options: Partial<OpenApiOptions> = {}) {
  const text = JSON.stringify({ openapi: '3.1.0', info: { title: 'Orders', version: '1' }, ...document }, null, 1)
  const { yaml, report } = importOpenApi(text, 'openapi.json', {
    document: './openapi.json',
    service: SERVICE,
    ...options,
  })
  const config: unknown = parse(yaml)
  return {
    yaml,
    report,
    config,
    routes: itemsOf(fieldOf(config, 'routes')),
    policies: fieldOf(config, 'policies'),
    fidelities: report.entries.map(({ name, fidelity }) => [name, fidelity]),
  }
}

const ok = { responses: { 200: { description: 'OK' } } }

test('each path becomes a route with its methods, below the path of the server, with validation', () => {
  const { routes, config, policies, fidelities } = imported({
    servers: [{ url: 'https://api.test/v1' }],
    paths: {
      '/orders': { get: ok, post: ok },
      '/orders/{order-id}': { get: { ...ok, operationId: 'getOrder' }, parameters: [] },
    },
  })
  assert.deepEqual(routes, [
    { id: 'orders', match: { path: '/v1/orders', method: ['GET', 'POST'] }, service: 'orders' },
    { id: 'getOrder', match: { path: '/v1/orders/{order_id}', method: 'GET' }, service: 'orders' },
  ])
  assert.deepEqual(fieldOf(fieldOf(fieldOf(config, 'services'), 'orders'), 'instances'), ['http://orders:8080'])
  assert.deepEqual(policies, { validation: { openapi: { document: './openapi.json', basePath: '/v1' } } })
  assert.deepEqual(fidelities, [
    ['https://api.test/v1', 'exact'],
    ['GET /orders', 'exact'],
    ['POST /orders', 'exact'],
    ['GET /orders/{order-id}', 'exact'],
  ])
})

test('without --service the API is at its first server, unless API_URL is set', () => {
  const { config, fidelities } = imported(
    {
      servers: [{ url: 'https://{region}.test', variables: { region: { default: 'eu' } } }, { url: '/staging' }],
      paths: {},
    },
    { service: null },
  )
  assert.deepEqual(fieldOf(fieldOf(fieldOf(config, 'services'), 'api'), 'instances'), ['${API_URL:-https://eu.test}'])
  assert.deepEqual(fidelities, [
    ['https://{region}.test', 'different'],
    ['/staging', 'left out'],
  ])
})

test('a parameter that is part of a segment becomes an expression', () => {
  const { routes } = imported({ paths: { '/files/{name}.{ext}': { get: ok } } })
  assert.deepEqual(fieldOf(routes[0], 'match'), {
    path: '/files/{name_ext}',
    pathRegex: String.raw`/files/[^/]+\.[^/]+`,
    method: 'GET',
  })
})

const schemes = {
  components: {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      key: { type: 'apiKey', in: 'header', name: 'X-Key' },
      digest: { type: 'http', scheme: 'digest' },
    },
  },
}

test('security schemes become auth methods, and each operation requires its own', () => {
  const { routes, policies, report } = imported({
    ...schemes,
    security: [{ token: [] }],
    paths: {
      '/own': { get: ok },
      '/both': { get: { ...ok, security: [{ token: [] }, { key: [] }] } },
      '/open': { get: { ...ok, security: [] }, post: ok },
      '/maybe': { get: { ...ok, security: [{}, { key: [] }] } },
      '/digest': { get: { ...ok, security: [{ digest: [] }] } },
      '/together': { get: { ...ok, security: [{ key: [], token: [] }] } },
      '/scoped': { get: { ...ok, security: [{ token: ['orders:read'] }] } },
    },
  })
  const jwt = { jwks: '${JWKS_URL}' }
  const key = { header: 'X-Key', keys: [] }
  assert.deepEqual(fieldOf(fieldOf(policies, 'auth'), 'methods'), { jwt, 'api-key': key })
  const own = Object.fromEntries(routes.map((route) => [String(fieldOf(route, 'id')), fieldOf(route, 'policies')]))
  assert.deepEqual(own, {
    own: { auth: { methods: { jwt } } },
    both: undefined,
    open: { auth: false },
    'open-2': { auth: { methods: { jwt } } },
    maybe: { auth: { methods: { 'api-key': key }, public: ['/maybe'] } },
    digest: { auth: false, 'ip-access': { deny: ['0.0.0.0/0', '::/0'] } },
    together: { auth: { methods: { jwt } } },
    scoped: { auth: { methods: { jwt }, require: { scopes: ['orders:read'] } } },
  })
  assert.deepEqual(
    report.variables.map(({ name }) => name),
    ['JWKS_URL'],
  )
  assert.equal(report.entries.find(({ name }) => name === 'digest')?.fidelity, 'left out')
})

test('security schemes that no operation requires are not converted, and take no place from others', () => {
  const { policies, report } = imported({
    components: {
      securitySchemes: {
        old: { type: 'http', scheme: 'bearer' },
        id: { type: 'openIdConnect', openIdConnectUrl: 'https://id.test/.well-known/openid-configuration' },
      },
    },
    security: [{ id: [] }],
    paths: { '/a': { get: ok } },
  })
  assert.deepEqual(fieldOf(policies, 'auth'), { methods: { jwt: { issuer: 'https://id.test' } } })
  assert.deepEqual(report.variables, [])
  assert.deepEqual(report.entries.find(({ name }) => name === 'old')?.notes, ['No operation requires it.'])
})

test('an OpenID provider becomes the issuer, and Basic users become variables', () => {
  const { policies } = imported({
    components: {
      securitySchemes: {
        id: { type: 'openIdConnect', openIdConnectUrl: 'https://id.test/.well-known/openid-configuration' },
        basic: { type: 'http', scheme: 'Basic' },
      },
    },
    security: [{ id: [] }, { basic: [] }],
    paths: { '/a': { get: ok } },
  })
  assert.deepEqual(fieldOf(policies, 'auth'), {
    methods: {
      jwt: { issuer: 'https://id.test' },
      basic: { users: [{ name: '${BASIC_USER}', password: '${BASIC_PASSWORD_DIGEST}' }] },
    },
  })
})

test('TRACE, webhooks and duplicate paths are reported as left out', () => {
  const { fidelities } = imported({
    paths: { '/a/{x}': { get: ok, trace: ok }, '/a/{y}': { get: ok } },
    webhooks: { created: { post: ok } },
  })
  assert.deepEqual(fidelities, [
    ['GET /a/{x}', 'exact'],
    ['TRACE /a/{x}', 'left out'],
    ['GET /a/{y}', 'left out'],
    ['created', 'left out'],
  ])
})

test("the gateway's own endpoints move away", () => {
  const { config, report } = imported({ paths: { '/health': { get: ok } } })
  assert.deepEqual(fieldOf(config, 'endpoints'), { health: '/_gateway/health' })
  assert.equal(report.notes.length, 1)
})

test('patterns without a linear-time equivalent are skipped', () => {
  const { policies } = imported({ paths: {}, components: { schemas: { A: { type: 'string', pattern: '(a)\\1' } } } })
  assert.equal(fieldOf(fieldOf(policies, 'validation'), 'unusablePatterns'), 'skip')
})

test('other documents are rejected with advice', () => {
  const options = { document: './a', service: null }
  assert.throws(() => importOpenApi('swagger: "2.0"', 'a.yaml', options), {
    message: 'a.yaml: is Swagger 2.0: convert it to OpenAPI 3 first.',
  })
  assert.throws(() => importOpenApi('a: 1', 'a.yaml', options), { message: /not an OpenAPI document/ })
})
