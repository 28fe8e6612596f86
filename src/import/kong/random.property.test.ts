import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../../test/support/cases.ts'
import { checkImported, DIGEST } from '../../../test/support/imported.ts'
import { isFields, itemsOf } from '../../core/value.ts'
import { leftOut } from './plugins/left-out.ts'
import { translators } from './plugins/index.ts'
import { importKong } from './index.ts'

/** Every secret of a random file begins so. */
const SECRET = 'sUpErSeCrEt'

const secret = fc.nat(1_000_000).map((n) => `${SECRET}-${n}-of-more-than-thirty-two-bytes`)
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.string({ maxLength: 6 }),
  fc.constantFrom('ä b', '__proto__', 'x:y'),
)
const junk = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
)
const path = fc.oneof(
  fc.constantFrom('/', '/a', '/a/', '/health', '/metrics', '/a//b', '/x/*/y', '/{id}', '/ä', '/a b', '/a?b', '/..', ''),
  fc.constantFrom(
    '~/a/(?<id>[^/]+)$',
    '~/a/.*',
    '~/(?!x)',
    '~/a|/b',
    '~(?i)/a',
    '~/a/(\\d+)/b',
    '~/a(b',
    '~',
    '~/a/(?<x>[^/]+)/(?<x>.*)',
  ),
  fc.string({ maxLength: 6 }).map((text) => `/${text}`),
)
const header = fc.constantFrom(
  'X-A:b',
  'X-B:$(headers.x-c)',
  'X-C:$(a or b)',
  'Content-Length:1',
  'X-Ä:1',
  'nothing',
  'X-D:ä',
  ':x',
  'X-E:{a}',
)
const edits = fc.record(
  {
    headers: fc.array(
      fc.oneof(
        header,
        secret.map((text) => `Authorization:Bearer ${text}`),
      ),
      { maxLength: 3 },
    ),
    querystring: fc.array(header, { maxLength: 2 }),
    body: fc.array(header, { maxLength: 2 }),
    json: fc.array(header, { maxLength: 2 }),
  },
  { requiredKeys: [] },
)

const config = fc.oneof(
  fc.record(
    {
      minute: fc.oneof(fc.integer({ min: -1, max: 2_000_000_000 }), junk),
      hour: fc.nat(),
      month: fc.nat(),
      policy: fc.constantFrom('local', 'redis', 'cluster'),
      redis: fc.record({ host: fc.constantFrom('cache', 'a b'), password: secret }),
      limit: fc.array(fc.integer({ min: -1, max: 10 })),
      window_size: fc.array(fc.integer({ min: -1, max: 99_999_999 })),
      limit_by: fc.constantFrom('ip', 'consumer', 'header'),
      allow: fc.array(fc.constantFrom('10.0.0.0/8', '::1', 'x', 'admins'), { maxLength: 3 }),
      deny: fc.array(fc.constantFrom('10.0.0.0/8', 'x'), { maxLength: 2 }),
      key_names: fc.array(fc.constantFrom('apikey', 'X-Key', 'Host', 'ä'), { maxLength: 2 }),
      anonymous: name,
      origins: fc.array(fc.constantFrom('*', 'https://a.test', 'x', '.*', 'null', 'https://.*\\.a\\.test'), {
        maxLength: 2,
      }),
      credentials: fc.boolean(),
      exposed_headers: fc.array(fc.constantFrom('*', 'X-A')),
      max_age: fc.integer({ min: -1, max: 1e12 }),
      header_name: fc.constantFrom('X-Id', 'Host', 'ä'),
      status_code: fc.integer({ min: 0, max: 700 }),
      body: fc.oneof(fc.string({ maxLength: 5 }), fc.constant('${A}$$')),
      message: fc.string({ maxLength: 5 }),
      location: fc.constantFrom('https://a.test/{x}', '/b/*', 'x'),
      keep_incoming_path: fc.boolean(),
      issuer: fc.constantFrom('https://id.test', 'x', 'https://id.test/.well-known/openid-configuration'),
      client_id: fc.constant(['shop']),
      client_secret: secret.map((text) => [text]),
      roles_required: fc.array(fc.constantFrom('admin', 'a b'), { maxLength: 1 }),
      scopes_required: fc.array(fc.constantFrom('a', 'b c', 'openid'), { maxLength: 2 }),
      add: edits,
      remove: edits,
      replace: fc.oneof(
        edits,
        fc.record({ uri: fc.constantFrom('/x/$(uri_captures.id)', '/y', 'z', '/a/*', '/q?a=b') }),
      ),
      append: edits,
      rename: edits,
      cache_ttl: fc.integer({ min: -1, max: 1e10 }),
      allowed_payload_size: fc.integer({ min: -1, max: 1e10 }),
      key_claim_name: fc.constantFrom('iss', 'kid'),
      read_timeout: fc.integer({ min: -1, max: 1e10 }),
    },
    { requiredKeys: [] },
  ),
  junk,
)

const plugin = fc.record(
  {
    name: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...translators.flatMap(({ names }) => names)) },
      { weight: 1, arbitrary: fc.constantFrom(...Object.keys(leftOut)) },
      { weight: 1, arbitrary: name },
    ),
    config,
    enabled: fc.boolean(),
    consumer: name,
    consumer_group: name,
    service: name,
    route: fc.oneof(name, fc.record({ id: name })),
  },
  { requiredKeys: ['name'] },
)
const plugins = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: plugin.map(({ name: called, config: options }) => ({ name: called, config: options })) },
    { weight: 1, arbitrary: plugin },
  ),
  { maxLength: 3 },
)

const route = fc.record(
  {
    name,
    paths: fc.oneof(fc.array(path, { maxLength: 3 }), junk),
    hosts: fc.array(fc.constantFrom('a.test', '*.a.test', 'a.*', 'B.test:80', 'ä.test'), { maxLength: 2 }),
    methods: fc.array(fc.constantFrom('GET', 'POST', 'TRACE', 'NONE'), { maxLength: 2 }),
    headers: fc.dictionary(
      fc.constantFrom('x-a', 'x-b', 'ä'),
      fc.array(fc.constantFrom('v', '~*a|b', '~*(?=x)', 'ä'), { maxLength: 2 }),
    ),
    protocols: fc.array(fc.constantFrom('http', 'https', 'tcp', 'grpc'), { maxLength: 2 }),
    strip_path: fc.boolean(),
    preserve_host: fc.boolean(),
    regex_priority: fc.integer(),
    snis: fc.array(fc.constantFrom('a.test')),
    sources: fc.array(fc.record({ ip: fc.constantFrom('10.0.0.1', 'x') }), { maxLength: 1 }),
    expression: fc.constant('http.path == "/"'),
    plugins,
    service: name,
  },
  { requiredKeys: ['paths'] },
)

const service = fc.record(
  {
    name,
    url: fc.constantFrom(
      'http://a:80/base',
      'https://a',
      'http://user:secret@b/',
      'tcp://a:1',
      'http://${HOST}',
      'x',
      'grpc://c:9',
      'http://up',
    ),
    host: fc.constantFrom('a', 'up', 'down', '', 'ä', '::1'),
    port: fc.oneof(fc.integer({ min: 0, max: 70_000 }), junk),
    path: fc.constantFrom('/base', '/b{x}', 'x', '/', '//'),
    protocol: fc.constantFrom('http', 'https', 'tcp', 'grpc'),
    enabled: fc.boolean(),
    retries: fc.integer({ min: -1, max: 99 }),
    connect_timeout: fc.integer({ min: -1, max: 1e11 }),
    read_timeout: junk,
    routes: fc.array(route, { maxLength: 4 }),
    plugins,
  },
  { requiredKeys: ['name', 'routes'] },
)

const upstream = fc.record(
  {
    name: fc.constantFrom('up', 'down'),
    algorithm: fc.constantFrom('round-robin', 'least-connections', 'consistent-hashing', 'latency', 'x'),
    hash_on: fc.constantFrom('none', 'ip', 'consumer', 'header', 'cookie', 'path', 'query_arg'),
    hash_on_header: fc.constantFrom('X-A', 'ä'),
    hash_on_cookie: fc.constant('sid'),
    targets: fc.array(
      fc.record(
        { target: fc.constantFrom('a', 'b:81', '[::1]:82', 'a:8000', 'x y'), weight: fc.oneof(fc.nat(65_535), junk) },
        { requiredKeys: ['target'] },
      ),
      { maxLength: 4 },
    ),
    healthchecks: fc.record(
      {
        active: fc.record(
          {
            type: fc.constantFrom('http', 'tcp', 'https'),
            http_path: fc.constantFrom('/up', 'x'),
            timeout: fc.integer({ min: -1, max: 99 }),
            healthy: fc.record({
              interval: fc.nat(9),
              successes: fc.nat(9),
              http_statuses: fc.array(fc.integer({ min: 0, max: 700 })),
            }),
          },
          { requiredKeys: [] },
        ),
        passive: fc.record({ unhealthy: fc.record({ http_failures: fc.integer({ min: -1, max: 9 }) }) }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['name'] },
)

const consumer = fc.record(
  {
    username: name,
    custom_id: name,
    plugins,
    keyauth_credentials: fc.array(fc.record({ key: secret }, { requiredKeys: [] }), { maxLength: 2 }),
    basicauth_credentials: fc.array(fc.record({ username: name, password: secret }, { requiredKeys: [] }), {
      maxLength: 2,
    }),
    jwt_secrets: fc.array(
      fc.record(
        { key: name, secret, algorithm: fc.constantFrom('HS256', 'HS512', 'RS256', 'ES256K') },
        { requiredKeys: [] },
      ),
      { maxLength: 2 },
    ),
    hmacauth_credentials: fc.array(fc.record({ username: name, secret }), { maxLength: 1 }),
    acls: fc.array(fc.record({ group: fc.constantFrom('admins', 'x') }), { maxLength: 2 }),
    groups: fc.array(fc.record({ name: fc.constantFrom('gold', 'x') }), { maxLength: 1 }),
  },
  { requiredKeys: ['username'] },
)

const file = fc.record(
  {
    _format_version: fc.constantFrom('1.1', '2.1', '3.0'),
    services: fc.array(service, { maxLength: 3 }),
    routes: fc.array(route, { maxLength: 2 }),
    upstreams: fc.array(upstream, { maxLength: 2 }),
    consumers: fc.array(consumer, { maxLength: 3 }),
    consumer_groups: fc.array(fc.record({ name: fc.constantFrom('gold', 'silver'), plugins }), { maxLength: 1 }),
    plugins: fc.array(plugin, { maxLength: 4 }),
    certificates: fc.array(fc.record({ cert: secret, key: secret, snis: fc.array(fc.record({ name })) }), {
      maxLength: 1,
    }),
    vaults: fc.array(fc.record({ name: fc.constantFrom('env', 'hcv'), prefix: name }), { maxLength: 1 }),
    things_of_a_plugin: fc.array(fc.record({ name, secret }), { maxLength: 2 }),
  },
  { requiredKeys: ['_format_version'] },
)

/** Lists of entities, wherever they stand. */
const LISTS = new Set([
  'services',
  'routes',
  'upstreams',
  'targets',
  'consumers',
  'consumer_groups',
  'plugins',
  'certificates',
  'snis',
  'vaults',
  'keyauth_credentials',
  'basicauth_credentials',
  'jwt_secrets',
  'hmacauth_credentials',
  'acls',
  'groups',
  'things_of_a_plugin',
])

/** How many entities there are, counted otherwise than the importer counts. */
function countOf(value: unknown): number {
  if (Array.isArray(value)) return itemsOf(value).reduce<number>((sum, item) => sum + countOf(item), 0)
  if (!isFields(value)) return 0
  return Object.entries(value).reduce(
    (sum, [key, child]) =>
      sum + (key === 'config' ? 0 : countOf(child) + (LISTS.has(key) ? itemsOf(child).filter(isFields).length : 0)),
    0,
  )
}

test('property: every entity is reported once, and the configuration is valid and without secrets', async () => {
  await fc.assert(
    fc.asyncProperty(file, async (source) => {
      const { yaml, report } = await importKong(JSON.stringify(source), 'kong.json', () => Promise.resolve(DIGEST))
      assert.equal(report.entries.length, countOf(source))
      for (const entry of report.entries) if (entry.fidelity !== 'exact') assert.ok(entry.notes.length > 0, entry.kind)
      const text = yaml + JSON.stringify(report)
      assert.ok(!text.includes(SECRET), 'a secret is in the configuration or the report')
      await checkImported({ yaml, report })
    }),
    { numRuns: cases(30) },
  )
})
