import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { parse } from 'yaml'
import { fieldOf, isFields, itemsOf } from '../../core/value.ts'
import { DIGEST } from '../../../test/support/imported.ts'
import type { Entry } from '../report.ts'
import { importKong } from './index.ts'

/** Imports a text of format 3.0 unless it says otherwise. */
async function imported(text: string) {
  const whole = text.includes('_format_version') ? text : `_format_version: '3.0'\n${text}`
  const { yaml, report } = await importKong(whole, 'kong.yml', () => Promise.resolve(DIGEST))
  const config: unknown = parse(yaml)
  const entry = (kind: string, name: string): Entry => {
    const found = report.entries.find((each) => each.kind === kind && each.name === name)
    assert.ok(found !== undefined, `no ${kind} ${name}`)
    return found
  }
  return {
    yaml,
    report,
    config,
    entry,
    routes: itemsOf(fieldOf(config, 'routes')),
    services: fieldOf(config, 'services'),
    policies: fieldOf(config, 'policies'),
  }
}

/** A service with one route of these fields, in YAML. */
function routed(route: string, service = ''): string {
  return `services:\n- name: orders\n  url: http://orders:8080${service}\n  routes:\n  - name: all\n${route.replaceAll(/^/gm, '    ')}\n`
}

test('a prefix matches whole segments only, and is reported as narrower', async () => {
  const { routes, entry } = await imported(routed('paths: [/a]'))
  assert.deepEqual(fieldOf(routes[0], 'match'), { path: '/a/*' })
  assert.equal(entry('route', 'all').fidelity, 'narrower')
})

test('braces in a plain path are text, not a parameter', async () => {
  const { routes } = await imported(routed('paths: ["/{id}"]'))
  assert.deepEqual(fieldOf(routes[0], 'match'), { path: '/%7Bid%7D/*' })
  assert.deepEqual(fieldOf(routes[0], 'rewrite'), { strip: '/%7Bid%7D' })
})

test('the root path is exact', async () => {
  const { routes, entry } = await imported(routed('paths: [/]'))
  assert.deepEqual(routes, [{ id: 'all', match: { path: '/*' }, service: 'orders' }])
  assert.equal(entry('route', 'all').fidelity, 'exact')
})

for (const [what, route, path, rewrite] of [
  ['strip_path is on by default', 'paths: [/a]', '', { strip: '/a' }],
  ['strip_path: false keeps the path', 'paths: [/a]\nstrip_path: false', '', undefined],
  ['the path of the service comes before what is left', 'paths: [/a]', '/base', { path: '/base/*' }],
  [
    'the path of the service comes before the whole path',
    'paths: [/a]\nstrip_path: false',
    '/base',
    { path: '/base{path}' },
  ],
  ['several prefixes are stripped', 'paths: [/a, /b]', '', { path: '/*' }],
  ['what an expression has matched to its end goes as a whole', "paths: ['~/a/(?<id>[^/]+)$']", '', { path: '/' }],
  ['and the path of the service takes its place', "paths: ['~/a/(?<id>[^/]+)$']", '/base/', { path: '/base' }],
  ['nothing is stripped where there are no paths', 'hosts: [a.test]', '/base', { path: '/base{path}' }],
] as const)
  test(what, async () => {
    const { routes } = await imported(routed(route, path))
    assert.deepEqual(fieldOf(routes[0], 'rewrite'), rewrite)
  })

test('Host is that of the service, unless the route preserves it', async () => {
  const own = await imported(routed('paths: [/]'))
  assert.equal(fieldOf(fieldOf(own.services, 'orders'), 'host'), 'instance')
  const stored = await imported(routed('paths: [/]\npreserve_host: true'))
  assert.equal(fieldOf(fieldOf(stored.services, 'orders'), 'host'), 'client')
  const both = await imported(`services:
- { name: orders, url: 'http://orders', routes: [{ name: a, paths: [/a], strip_path: false }, { name: b, paths: [/b], strip_path: false, preserve_host: true }] }`)
  assert.equal(fieldOf(fieldOf(both.services, 'orders'), 'host'), 'instance')
  assert.deepEqual(
    both.routes.map((route) => fieldOf(route, 'rewrite')),
    [undefined, { host: '{host}' }],
  )
})

test('the default timeouts of 60 s are written, as the gateway has others', async () => {
  const { services } = await imported(routed('paths: [/]'))
  assert.deepEqual(fieldOf(fieldOf(services, 'orders'), 'timeouts'), { connect: '1m', response: '1m', idle: '1m' })
})

test("upstream targets become instances with Kong's defaults, and 5 retries", async () => {
  const { services, entry } = await imported(`
services:
- { name: orders, host: orders.upstream, routes: [{ name: all, paths: [/] }] }
upstreams:
- name: orders.upstream
  targets: [{ target: 'a' }, { target: 'b:81', weight: 200 }, { target: 'c:82', weight: 0 }]
`)
  assert.deepEqual(services, {
    orders: {
      instances: [
        { url: 'http://a:8000', weight: 1 },
        { url: 'http://b:81', weight: 2 },
        { url: 'http://c:82', weight: 0 },
      ],
      balancer: 'round-robin',
      health: false,
      passive: false,
      host: 'instance',
      timeouts: { connect: '1m', response: '1m', idle: '1m' },
      retry: { attempts: 5, statuses: [] },
    },
  })
  assert.equal(entry('upstream', 'orders.upstream').fidelity, 'exact')
  assert.equal(entry('target', 'c:82').fidelity, 'exact')
})

test('active health checks are imported', async () => {
  const { services } = await imported(`
services: [{ name: orders, host: up, routes: [{ paths: [/] }] }]
upstreams:
- name: up
  targets: [{ target: 'a:1' }]
  healthchecks:
    active: { http_path: /up, timeout: 2, healthy: { interval: 5, successes: 3 }, unhealthy: { http_failures: 4, timeouts: 2 } }
    passive: { unhealthy: { http_failures: 7 } }
`)
  assert.deepEqual(fieldOf(fieldOf(services, 'orders'), 'health'), {
    path: '/up',
    interval: '5s',
    timeout: '2s',
    unhealthyAfter: 2,
    healthyAfter: 3,
    status: [200, 302],
  })
  assert.deepEqual(fieldOf(fieldOf(services, 'orders'), 'passive'), { consecutive: 7 })
})

test('in format 3.0 a path without "~" is literal, and one that looks like an expression has a note', async () => {
  const { routes, entry } = await imported(routed("paths: ['/files/[a-f0-9-]{36}$']\nstrip_path: false"))
  assert.deepEqual(fieldOf(routes[0], 'match'), { path: '/files/%5Ba-f0-9-%5D%7B36%7D%24/*' })
  assert.equal(entry('route', 'all').fidelity, 'different')
  assert.match(entry('route', 'all').notes.join('\n'), /plain text in Kong 3.*use \/files\/\{id\}/)
})

test('before format 3.0 such a path is an expression', async () => {
  const { routes } = await imported(
    `_format_version: '2.1'\n${routed("paths: ['/files/[a-f0-9-]{36}$']\nstrip_path: false")}`,
  )
  assert.deepEqual(fieldOf(routes[0], 'match'), { path: '/files/{p1}', pathRegex: '/files/[a-f0-9-]{36}' })
})

for (const [written, match] of [
  ['~/x/(?<id>[^/]+)$', { path: '/x/{id}' }],
  ['~/x/(?<id>[^/]+)', { path: '/x/{id}/*' }],
  ['~/x/(?P<id>\\d+)/y$', { path: '/x/{id}/y', pathRegex: '/x/(?P<id>\\d+)/y' }],
  ['~/x/.*', { path: '/x/*', pathRegex: '/x/.*' }],
  ['~/v\\d/users$', { path: '/{p1}/users', pathRegex: '/v\\d/users' }],
  ['~/api(/v1)?/users', { path: '/*', pathRegex: '/api(/v1)?/users.*' }],
  ['~/a/b', { path: '/a/*', pathRegex: '/a/b.*' }],
  ['~^/a\\.b$', { path: '/a.b' }],
  ['~/(a|b)/c$', { path: '/{p1}/c', pathRegex: '/(a|b)/c' }],
] as const)
  test(`the expression ${written} is imported`, async () => {
    const { routes } = await imported(routed(`paths: ['${written}']\nstrip_path: false`))
    assert.deepEqual(fieldOf(routes[0], 'match'), match)
  })

test('an expression without a linear-time equivalent is left out and reported', async () => {
  const { routes, entry, report } = await imported(routed("paths: ['~/a(?!dmin).*']"))
  assert.deepEqual(routes, [])
  assert.equal(entry('route', 'all').fidelity, 'left out')
  assert.match(entry('route', 'all').notes.join('\n'), /~\/a\(\?!dmin\)\.\*/)
  assert.equal(report.entries.length, 2)
})

test('the first of several routes with the same path is kept', async () => {
  const { routes, entry } = await imported(`
services:
- { name: a, url: 'http://a', routes: [{ name: health-a, paths: [/status] }] }
- { name: b, url: 'http://b', routes: [{ name: health-b, paths: [/status] }, { name: both, paths: [/status, /b] }] }
`)
  assert.deepEqual(
    routes.map((route) => fieldOf(route, 'id')),
    ['health-a', 'both'],
  )
  assert.equal(entry('route', 'health-b').fidelity, 'left out')
  assert.match(entry('route', 'both').notes.join('\n'), /health-a matches the same requests/)
})

test("the gateway's own endpoints move away from paths of routes", async () => {
  const { config, report } = await imported(routed('paths: [/health, /docs/x]'))
  assert.deepEqual(fieldOf(config, 'endpoints'), { health: '/_gateway/health', docs: '/_gateway/docs' })
  assert.match(report.notes.join('\n'), /health to \/_gateway\/health/)
})

test('hosts, methods and headers become matches', async () => {
  const { routes, entry } = await imported(
    routed("hosts: ['*.a.test', 'b.*', 'C.test:81']\nmethods: [get, POST]\nheaders: { X-V: [v1, v2], x-w: ['~*^b'] }"),
  )
  assert.deepEqual(fieldOf(routes[0], 'match'), {
    path: '/*',
    host: ['*.a.test', 'c.test'],
    method: ['GET', 'POST'],
    headers: { 'x-v': ['v1', 'v2'], 'x-w': { regex: '(?i)b.*' } },
  })
  assert.equal(entry('route', 'all').fidelity, 'different')
})

test('routes for other protocols, or by expression, are left out', async () => {
  const { entry } = await imported(`
services:
- name: a
  url: http://a
  routes: [{ name: stream, protocols: [tcp], destinations: [{ port: 1 }] }, { name: rule, expression: 'http.path == "/"' }]
`)
  assert.equal(entry('route', 'stream').fidelity, 'left out')
  assert.equal(entry('route', 'rule').fidelity, 'left out')
})

test('foreign keys may be names or ids, top-level or nested', async () => {
  const { routes, policies } = await imported(`
services: [{ id: s1, name: a, url: 'http://a' }, { name: b, url: 'http://b' }]
routes:
- { id: r1, name: one, paths: [/one], service: { id: s1 } }
- { name: two, paths: [/two], service: b }
plugins:
- { name: correlation-id, route: r1, config: { header_name: X-One, generator: uuid, echo_downstream: true } }
- { name: correlation-id, service: b, config: { header_name: X-Two, generator: uuid, echo_downstream: true } }
`)
  assert.deepEqual(
    routes.map((route) => fieldOf(route, 'service')),
    ['a', 'b'],
  )
  assert.deepEqual(
    routes.map((route) => fieldOf(fieldOf(route, 'policies'), 'correlation-id')),
    [{ header: 'X-One' }, { header: 'X-Two' }],
  )
  assert.equal(policies, undefined)
})

test('a plugin of a route overrides that of its service, which overrides the global one', async () => {
  const { routes, policies } = await imported(`
plugins: [{ name: request-size-limiting, config: { allowed_payload_size: 1 } }]
services:
- name: a
  url: http://a
  plugins: [{ name: request-size-limiting, config: { allowed_payload_size: 2 } }]
  routes:
  - { name: own, paths: [/own], plugins: [{ name: request-size-limiting, config: { allowed_payload_size: 3, size_unit: kilobytes } }] }
  - { name: service, paths: [/service] }
- { name: b, url: 'http://b', routes: [{ name: global, paths: [/global] }] }
`)
  assert.deepEqual(policies, { validation: { body: { limit: '1mb' } } })
  assert.deepEqual(
    routes.map((route) => fieldOf(route, 'policies')),
    [{ validation: { body: { limit: '3kb' } } }, { validation: { body: { limit: '2mb' } } }, undefined],
  )
})

function sha256(text: string): string {
  return hash('sha256', text)
}

const KEYS = `
consumers:
- { username: alice, keyauth_credentials: [{ key: plain-key-of-alice }], acls: [{ group: admins }] }
- { username: bob, keyauth_credentials: [{ key: plain-key-of-bob }] }
`

test('keys become digests, hide_credentials is always on, and services get X-Consumer-Username', async () => {
  const { yaml, report, routes, entry } = await imported(
    `${KEYS}${routed('paths: [/]\nplugins: [{ name: key-auth }, { name: acl, config: { allow: [admins] } }]')}`,
  )
  assert.deepEqual(fieldOf(routes[0], 'policies'), {
    auth: {
      methods: {
        'api-key': {
          header: 'apikey',
          query: 'apikey',
          keys: [
            { id: 'alice', sha256: sha256('plain-key-of-alice'), roles: ['admins'] },
            { id: 'bob', sha256: sha256('plain-key-of-bob') },
          ],
        },
      },
      require: { roles: ['admins'] },
    },
    'request-headers': { set: { 'X-Consumer-Username': '{consumer.id}', 'X-Consumer-Groups': '{consumer.roles}' } },
  })
  assert.match(entry('plugin', 'key-auth').notes.join('\n'), /never passed on/)
  assert.equal(entry('group', 'admins').fidelity, 'exact')
  assert.doesNotMatch(yaml + JSON.stringify(report), /plain-key/)
})

test('keys used by several routes are written once', async () => {
  const { yaml } = await imported(`${KEYS}
services:
- name: a
  url: http://a
  plugins: [{ name: key-auth }]
  routes: [{ name: one, paths: [/one] }, { name: two, paths: [/two] }]
`)
  assert.equal(yaml.match(/sha256:/g)?.length, 2)
})

test('a JWT credential has its secret in a variable, requires exp, and uses its issuer as key', async () => {
  const secret = 'a-secret-of-more-than-32-bytes-of-text'
  const { yaml, routes, report, entry } = await imported(`
consumers: [{ username: app, jwt_secrets: [{ key: app, secret: ${secret} }] }]
${routed('paths: [/]\nplugins: [{ name: jwt }]')}`)
  const auth = fieldOf(fieldOf(routes[0], 'policies'), 'auth')
  assert.deepEqual(auth, {
    methods: {
      jwt: { issuer: 'app', secret: '${JWT_SECRET_APP}', algorithms: ['HS256'], claims: { id: 'iss' }, query: 'jwt' },
    },
  })
  assert.deepEqual(
    report.variables.map(({ name }) => name),
    ['JWT_SECRET_APP'],
  )
  assert.equal(entry('plugin', 'jwt').fidelity, 'narrower')
  assert.match(entry('plugin', 'jwt').notes.join('\n'), /must have exp/)
  assert.doesNotMatch(yaml + JSON.stringify(report), new RegExp(secret))
})

test('variables of decK, vaults and the shell remain variables', async () => {
  const { yaml } = await imported(`
consumers:
- { username: a, keyauth_credentials: [{ key: '\${{ env "DECK_A_KEY" }}' }] }
- { username: b, keyauth_credentials: [{ key: '{vault://env/b-key}' }] }
- username: c
  keyauth_credentials:
  - key: \${{ env "DECK_C_KEY" }}
  - key: $C_SECOND
services: [{ name: a, url: 'http://\${HOST}:80', plugins: [{ name: key-auth }], routes: [{ paths: [/] }] }]
`)
  for (const name of ['DECK_A_KEY_SHA256', 'B_KEY_SHA256', 'DECK_C_KEY_SHA256', 'C_SECOND_SHA256', 'HOST'])
    assert.ok(yaml.includes(`\${${name}}`), name)
})

test('credentials for every origin are left out of cors', async () => {
  const { policies, entry } = await imported(`plugins: [{ name: cors, config: { origins: ['*'], credentials: true } }]`)
  assert.equal(fieldOf(fieldOf(policies, 'cors'), 'credentials'), undefined)
  assert.equal(entry('plugin', 'cors').fidelity, 'different')
})

test('limits of a consumer are added to the general ones', async () => {
  const { policies } = await imported(`
consumers: [{ username: alice, plugins: [{ name: rate-limiting, config: { minute: 5 } }] }]
plugins: [{ name: rate-limiting, config: { minute: 100, hour: 1000, policy: redis, redis: { host: cache, password: secret-of-redis } } }]
`)
  const quota = ['100/m', '1000/h']
  assert.deepEqual(fieldOf(policies, 'rate-limit'), {
    tiers: { authenticated: quota, unauthenticated: quota, api_key: quota },
    consumers: { alice: '5/m' },
    legacyHeaders: true,
    onStoreFailure: 'open',
  })
})

for (const plugin of ['hmac-auth', 'ldap-auth', 'pre-function', 'some-plugin-of-ours', 'basic-auth', 'jwt'])
  test(`a route whose auth plugin ${plugin} cannot be imported is closed`, async () => {
    const { routes, yaml, entry } = await imported(routed(`paths: [/]\nplugins: [{ name: ${plugin} }]`))
    assert.deepEqual(fieldOf(fieldOf(routes[0], 'policies'), 'ip-access'), { deny: ['0.0.0.0/0', '::/0'] })
    assert.equal(entry('plugin', plugin).fidelity, 'left out')
    assert.match(yaml, /All requests are refused/)
  })

test('of two auth plugins one is imported, and requests without its credentials are rejected', async () => {
  const { routes, entry } = await imported(`${KEYS}
consumers: []
${routed('paths: [/]\nplugins: [{ name: key-auth }, { name: openid-connect, config: { issuer: "https://id.test", groups_required: [] } }]')}`)
  const methods = fieldOf(fieldOf(fieldOf(routes[0], 'policies'), 'auth'), 'methods')
  assert.ok(isFields(methods))
  assert.deepEqual(Object.keys(methods), ['api-key'])
  assert.match(entry('plugin', 'openid-connect').notes.join('\n'), /Here only those of key-auth are checked/)
})

test('denied groups become a rule of the route', async () => {
  const { routes, entry } = await imported(
    `${KEYS}${routed('paths: [/]\nplugins: [{ name: key-auth }, { name: acl, config: { deny: [admins] } }]')}`,
  )
  const auth = fieldOf(fieldOf(routes[0], 'policies'), 'auth')
  assert.deepEqual(fieldOf(auth, 'require'), { allow: ['!("admins" in consumer.roles)'] })
  assert.equal(entry('plugin', 'acl').fidelity, 'exact')
})

test('ignored options are reported', async () => {
  const { entry } =
    await imported(`plugins: [{ name: acl, config: { allow: [a], always_use_authenticated_groups: true } },
  { name: correlation-id, config: { header_name: X-Id, generator: uuid, echo_downstream: true, new_option: [1], off: false } }]`)
  assert.deepEqual(entry('plugin', 'correlation-id').notes, ['Options that were not imported: new_option.'])
})

test('an OpenID provider becomes the issuer of tokens, with browser login', async () => {
  const { routes, yaml, report } = await imported(
    routed(`paths: [/]
plugins:
- name: openid-connect
  config:
    issuer: https://id.test/.well-known/openid-configuration
    auth_methods: [bearer, authorization_code]
    client_id: [shop]
    client_secret: [very-secret]
    audience_required: [api]
    roles_required: [admin]
    roles_claim: [realm_access, roles]`),
  )
  const claims = { roles: ['realm_access', 'roles'] }
  assert.deepEqual(fieldOf(fieldOf(routes[0], 'policies'), 'auth'), {
    methods: {
      jwt: { issuer: 'https://id.test', audience: ['api'], claims },
      oidc: {
        issuer: 'https://id.test',
        clientId: 'shop',
        clientSecret: '${OIDC_CLIENT_SECRET}',
        secret: '${SESSION_SECRET}',
        claims,
      },
    },
    require: { roles: ['admin'] },
  })
  assert.doesNotMatch(yaml + JSON.stringify(report), /very-secret/)
})

test('request-termination becomes a fixed reply', async () => {
  const { routes } = await imported(
    routed('paths: [/]\nplugins: [{ name: request-termination, config: { status_code: 410, message: Gone } }]'),
  )
  assert.deepEqual(fieldOf(routes[0], 'reply'), {
    status: 410,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: '{"message":"Gone"}',
  })
  assert.equal(fieldOf(routes[0], 'service'), undefined)
})

test('transformers become header edits with templates, and computed values are left out', async () => {
  const { routes, yaml, report, entry } = await imported(
    routed(`paths: ['~/u/(?<id>[^/]+)$']
plugins:
- name: request-transformer
  config:
    add: { headers: ['X-User:$(uri_captures.id)', 'X-Lua:$(1 + (2 * (3)))', 'Authorization:Bearer very-secret'], querystring: ['a:$(headers.x-a)'] }
    remove: { headers: [Cookie] }
    replace: { uri: '/people/$(uri_captures.id)' }
- name: response-transformer
  config: { add: { headers: ['X-Frame-Options:DENY'] }, remove: { headers: [Server] } }`),
  )
  const policies = fieldOf(routes[0], 'policies')
  assert.deepEqual(policies, {
    'request-headers': { remove: ['Cookie'], set: { 'X-User': '{path.id}', Authorization: '${HEADER_AUTHORIZATION}' } },
    transform: { request: { query: { set: { a: '{header.x-a}' } } } },
    'response-headers': { remove: ['Server'], set: { 'X-Frame-Options': 'DENY' } },
  })
  assert.deepEqual(fieldOf(routes[0], 'rewrite'), { path: '/people/{id}' })
  assert.match(entry('plugin', 'request-transformer').notes.join('\n'), /X-Lua/)
  assert.doesNotMatch(yaml + JSON.stringify(report), /very-secret/)
})

test('a header that is both replaced and added is set', async () => {
  const { policies, entry } = await imported(
    `plugins: [{ name: request-transformer, config: { add: { headers: ['X-A:b'] }, replace: { headers: ['X-A:b'] } } }]`,
  )
  assert.deepEqual(policies, { 'request-headers': { set: { 'X-A': 'b' } } })
  assert.equal(entry('plugin', 'request-transformer').fidelity, 'exact')
})

test('drainTimeout is as long as replies may take', async () => {
  assert.equal(fieldOf((await imported(routed('paths: [/]'))).config, 'drainTimeout'), '1m')
})

test('anything but a declarative configuration is rejected', async () => {
  for (const [text, message] of [
    ['', /is empty/],
    ['[]', /not a declarative configuration/],
    ['a: b', /_format_version/],
    ["_format_version: '4.0'", /Convert it with decK/],
    ['a: [', /kong.yml:1:\d+: is neither YAML nor JSON/],
    ['a: 1\n---\nb: 1', /several YAML documents/],
  ] as const)
    await assert.rejects(
      importKong(text, 'kong.yml', () => Promise.resolve(DIGEST)),
      { message },
    )
})

test('nested aliases cannot expand without limit', async () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`)
  const text = `_format_version: '3.0'\nl0: &l0 [{ name: a }]\n${levels.join('\n')}\n`
  await assert.rejects(
    importKong(text, 'kong.yml', () => Promise.resolve(DIGEST)),
    { message: /too many aliases/ },
  )
})

test('JSON is read like YAML, with positions', async () => {
  const text = JSON.stringify(
    { _format_version: '1.1', services: [{ name: 'a', url: 'http://a', routes: [{ name: 'r', paths: ['/'] }] }] },
    null,
    2,
  )
  const { report } = await importKong(text, 'kong.json', () => Promise.resolve(DIGEST))
  assert.deepEqual(
    report.entries.map(({ kind, position }) => [kind, position.line]),
    [
      ['service', 4],
      ['route', 8],
    ],
  )
})
