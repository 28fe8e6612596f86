import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { selfSigned } from '../../test/support/certificates.ts'
import { configJsonSchema } from './json-schema.ts'
import { parseConfig } from './parse.ts'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'
import { definePolicy } from '../policies/policy.ts'
import { policies } from '../policies/index.ts'
import { isSecret } from '../telemetry/redact.ts'
import { maskedConfig } from './masked-config.ts'

const SECRET = 'hush-hush-hush-hush-hush-hush-hush-hush'
const DIGEST = 'abcdef0123456789'.repeat(4)
const PASSWORD = '$scrypt$ln=14,r=8,p=1$sdBsDB4Pxof5OiTMEZ+5gw$3WECDVW+JTZIGwS9Vzwtpf6uDgDgwSDAcP2t+pAA5x8'

const pair = selfSigned()

const credentials = { id: 'gateway', secret: SECRET }
const introspection = { url: 'https://id.example.com/introspect?api_key=hush-hush', credentials }
const auth = {
  methods: {
    jwt: { secret: [SECRET, `${SECRET}2`], introspection, cookie: 'session' },
    basic: { users: [{ name: 'alice', password: PASSWORD }] },
    'api-key': { query: 'api_key', keys: [{ id: 'partner', sha256: DIGEST }] },
    introspection,
    oidc: { issuer: 'https://id.example.com', clientId: 'shop', clientSecret: SECRET, secret: [SECRET, `${SECRET}2`] },
    signature: { keys: [{ id: 'partner', algorithm: 'hmac-sha256', secret: SECRET }] },
  },
}
const ofIssuers = {
  methods: { jwt: { issuers: [{ issuer: 'https://id.example.com', secret: SECRET, introspection }] } },
}
const fields = {
  'X-Api-Key': SECRET,
  Authorization: `Bearer ${SECRET}`,
  Cookie: `session=${SECRET}`,
  'X-Upstream': 'Basic aHVzaC1odXNo',
  'X-Plain': 'plain',
}

const directory = { url: 'https://ca.example.com/directory', eab: { keyId: SECRET, hmacKey: SECRET } }
const acme = {
  domains: ['a.example.com'],
  email: 'a@example.com',
  folder: 'acme',
  challenge: 'dns-01',
  directory: [directory],
  dns: {
    url: `https://dns.example.com/?token=${SECRET}`,
    headers: { Authorization: `Bearer ${SECRET}` },
  },
}

const cdn = {
  secret: { header: 'X-Origin', values: [SECRET, `${SECRET}2`] },
  purge: [
    {
      url: `https://cdn.example.com/{url}?token=${SECRET}`,
      headers: { 'Fastly-Key': SECRET, Authorization: `Bearer ${SECRET}` },
    },
  ],
}

/** A configuration with every option that may hold a secret. */
const full = {
  admin: {
    token: SECRET,
    users: [{ name: 'ada', password: PASSWORD, role: 'admin' as const }],
    oidc: {
      issuer: 'https://id.example.com',
      clientId: 'console',
      clientSecret: SECRET,
      roles: { map: { ops: 'admin' as const } },
    },
  },
  secrets: [SECRET, `${SECRET}2`],
  listeners: [
    { address: '127.0.0.1:8443', tls: { acme } },
    { address: '127.0.0.1:8444', tls: { acme: { ...acme, domains: ['b.example.com'], directory } } },
  ],
  stores: { redis: { url: `redis://user:${SECRET}@redis:6379/0`, password: SECRET, tls: pair } },
  services: { a: { instances: ['https://a'], tls: pair } },
  policies: { auth, cdn, 'request-headers': { set: fields, add: fields }, 'response-headers': { set: fields } },
  routes: [
    {
      id: 'reply',
      match: { path: '/reply', headers: { 'X-Api-Key': SECRET }, query: { token: SECRET } },
      reply: { headers: { 'Set-Cookie': `session=${SECRET}` } },
      policies: { auth },
    },
    {
      id: 'redirect',
      match: { path: '/a' },
      redirect: { to: `https://user:${SECRET}@example.com/?token=${SECRET}&a=1` },
      policies: { auth: ofIssuers },
    },
  ],
}

/** Looks up what is at a path of keys with dots between. */
function at(value: unknown): (path: string) => unknown {
  const step = (from: unknown, key: string) => (Array.isArray(from) ? itemsOf(from)[Number(key)] : fieldOf(from, key))
  return (path) => path.split('.').reduce(step, value)
}

test('secrets of all options are masked', () => {
  const text = JSON.stringify(maskedConfig(parseConfig(full)))
  assert.doesNotMatch(text, /hush/)
  assert.ok(!text.includes(DIGEST))
  assert.ok(!text.includes('scrypt'))
  assert.ok(!text.includes('aHVzaC1odXNo'))
  assert.ok(!text.includes('PRIVATE KEY'))
})

test('other values are shown', () => {
  const shown = at(maskedConfig(parseConfig(full)))
  assert.deepEqual(shown('admin'), {
    address: { host: '127.0.0.1', port: 9000 },
    token: '[redacted]',
    users: [{ name: 'ada', password: '[redacted]', role: 'admin' }],
    oidc: {
      issuer: 'https://id.example.com',
      clientId: 'console',
      clientSecret: '[redacted]',
      userinfo: false,
      timeout: 5000,
      scopes: ['openid', 'profile'],
      name: 'preferred_username',
      roles: { claim: 'roles', map: { ops: 'admin' } },
    },
    loginLifetime: 43_200_000,
    requests: 200,
    writable: false,
  })
  assert.equal(shown('stores.redis.place.url'), 'redis://[redacted]@redis:6379/0')
  assert.deepEqual(shown('policies.auth.methods.jwt.secret'), ['[redacted]', '[redacted]'])
  const requested = 'policies.auth.methods.jwt.introspection'
  assert.equal(shown(`${requested}.url`), 'https://id.example.com/introspect?api_key=[redacted]')
  assert.deepEqual(shown(`${requested}.credentials`), { id: 'gateway', secret: '[redacted]' })
  assert.equal(shown('policies.auth.methods.api-key.query'), 'api_key')
  assert.equal(shown('policies.auth.methods.api-key.keys.0.id'), 'partner')
  assert.equal(shown('policies.auth.methods.signature.keys.0.id'), 'partner')
  assert.equal(shown('policies.auth.methods.oidc.clientId'), 'shop')
  assert.equal(shown('policies.request-headers.set.X-Plain'), 'plain')
  assert.deepEqual(shown('policies.cdn.secret'), { header: 'X-Origin', values: ['[redacted]', '[redacted]'] })
  assert.equal(shown('routes.1.redirect.to'), 'https://[redacted]@example.com/?token=[redacted]&a=1')
})

test('a configuration without secrets stays equal', () => {
  const config = parseConfig({
    services: { 'token-service': { instances: ['http://a:1'] } },
    policies: { 'rate-limit': {}, cors: {}, cache: {} },
    routes: [{ id: 'secret', match: { path: '/secret/*' }, service: 'token-service' }],
  })
  assert.deepEqual(maskedConfig(config), config)
})

test('options of custom policies with names like secrets are masked, including everything below them', () => {
  const options = z.strictObject({ apiKey: z.string(), secrets: z.any(), dsn: z.string(), plain: z.any() })
  const own = definePolicy({ name: 'own', summary: 'Own.', options, create: () => (next) => next })
  const written = {
    apiKey: SECRET,
    secrets: { first: SECRET, list: [{ deep: SECRET }, 42], on: true },
    dsn: `postgres://app:${SECRET}@db/app`,
    plain: { limit: 3, names: ['a'] },
  }
  const value = { policies: { own: written }, routes: [{ id: 'r', match: { path: '/' }, reply: {} }] }
  const config = parseConfig(value, { value, chain: [...policies, own], findings: [] })
  const shown = {
    apiKey: '[redacted]',
    secrets: { first: '[redacted]', list: [{ deep: '[redacted]' }, '[redacted]'], on: true },
    dsn: 'postgres://[redacted]@db/app',
    plain: { limit: 3, names: ['a'] },
  }
  const masked = at(maskedConfig(config))
  assert.deepEqual(masked('policies.own'), shown)
  assert.deepEqual(masked('routes.0.policies.own'), shown)
})

test('circular options and options without a JSON form are handled', () => {
  const options = z.strictObject({ value: z.any() })
  const own = definePolicy({ name: 'own', summary: 'Own.', options, create: () => (next) => next })
  const knot: Record<string, unknown> = { map: new Map([['token', SECRET]]) }
  knot['knot'] = knot
  const value = { policies: { own: { value: knot } } }
  const text = JSON.stringify(maskedConfig(parseConfig(value, { value, chain: [...policies, own], findings: [] })))
  assert.match(text, /\[object Map\]/)
  assert.doesNotMatch(text, /hush/)
})

/** Names of all options, with where they are, below a JSON Schema. */
function optionsOf(schema: unknown, path = ''): string[] {
  if (!isFields(schema)) return []
  const { properties, items, additionalProperties, anyOf } = schema
  const named = isFields(properties) ? Object.entries(properties) : []
  return [
    ...named.map(([name]) => `${path}.${name}`),
    ...named.flatMap(([name, option]) => optionsOf(option, `${path}.${name}`)),
    ...optionsOf(items, `${path}[]`),
    ...optionsOf(additionalProperties, `${path}.*`),
    ...itemsOf(anyOf).flatMap((branch) => optionsOf(branch, path)),
  ]
}

test('the tests above cover every option that is a secret', () => {
  const schema = configJsonSchema()
  const properties = fieldOf(schema, 'properties')
  const general = optionsOf({ properties: { ...(isFields(properties) ? properties : {}), routes: {} } })
  const suspects = general.filter((path) => {
    const name = path.slice(path.lastIndexOf('.') + 1)
    return isSecret(name) || /sha\d|digest|pepper|salt|privateKey/i.test(name)
  })
  assert.deepEqual([...new Set(suspects)].toSorted(), [
    '.admin.oidc.clientSecret',
    '.admin.token',
    '.admin.users[].password',
    '.listeners[].tls.acme.directory.eab.hmacKey',
    '.listeners[].tls.acme.directory.eab.keyId',
    '.listeners[].tls.acme.directory[].eab.hmacKey',
    '.listeners[].tls.acme.directory[].eab.keyId',
    '.listeners[].tls.certificates[].key',
    '.policies.auth',
    '.policies.auth.forwardToken',
    '.policies.auth.methods.api-key',
    '.policies.auth.methods.api-key.keys[].sha256',
    '.policies.auth.methods.basic.users[].password',
    '.policies.auth.methods.introspection.credentials',
    '.policies.auth.methods.introspection.credentials.secret',
    '.policies.auth.methods.jwt',
    '.policies.auth.methods.jwt.introspection.credentials',
    '.policies.auth.methods.jwt.introspection.credentials.secret',
    '.policies.auth.methods.jwt.issuers[].introspection.credentials',
    '.policies.auth.methods.jwt.issuers[].introspection.credentials.secret',
    '.policies.auth.methods.jwt.issuers[].secret',
    '.policies.auth.methods.jwt.secret',
    '.policies.auth.methods.oidc.clientSecret',
    '.policies.auth.methods.oidc.secret',
    '.policies.auth.methods.signature',
    '.policies.auth.methods.signature.keys[].publicKey',
    '.policies.auth.methods.signature.keys[].secret',
    '.policies.cdn.secret',
    '.policies.cors.credentials',
    '.policies.rate-limit.tiers.api_key',
    '.secrets',
    '.services.*.discover.kubernetes.tokenFile',
    '.services.*.retry.idempotencyKey',
    '.services.*.tls.key',
    '.stores.redis.password',
    '.stores.redis.tls.key',
  ])
})
