import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { z } from 'zod'
import { policies } from '../../policies/index.ts'
import type { Policy } from '../../policies/policy.ts'
import { parseConfig } from '../parse.ts'
import { formatPath, type Path } from '../problems.ts'
import { fieldOf, isFields, itemsOf, putAll } from '../../core/value.ts'
import { planChanges } from './plan.ts'
import type { Side } from './side.ts'

function side(value: unknown): Side {
  return { config: parseConfig(value), chain: policies, folder: '/etc/sallyport', code: [], renamed: [] }
}

/** Each change as kind, place and class. */
function changes(before: unknown, after: unknown): string[] {
  return planChanges(side(before), side(after)).changes.map(
    ({ kind, path, class: cost }) => `${kind} ${formatPath(path)} ${cost}`,
  )
}

const route = { id: 'users', match: { path: '/users/*' }, service: 'users' }
const users = { instances: ['http://a:1', 'http://b:1'] }
const base = { services: { users, orders: { instances: ['http://c:1'] } }, routes: [route] }
const limited = { ...base, policies: { 'rate-limit': {} } }

const withRoute = (change: object) => ({ ...base, routes: [{ ...route, ...change }] })
const withSplit = (services: object, more: object = {}) => ({
  ...base,
  routes: [{ id: 'users', match: route.match, split: { services, ...more } }],
})
const withUsers = (change: object) => ({ ...base, services: { ...base.services, users: { ...users, ...change } } })
const withLimit = (options: object) => ({ ...base, policies: { 'rate-limit': options } })
const redis = { redis: { url: 'redis://redis:6379' } }
const TLS = { acme: { domains: ['shop.test'], folder: '/var/lib/acme' } }

const cases: readonly (readonly [name: string, before: object, after: object, expected: readonly string[]])[] = [
  ['workers', base, { ...base, workers: 3 }, ['changed workers needs-restart']],
  [
    'the table size',
    base,
    { ...base, stores: { memory: { entries: 4096 } } },
    ['changed stores.memory.entries needs-restart'],
  ],
  [
    'the address of the admin listener',
    base,
    { ...base, admin: { address: '127.0.0.1:9001' } },
    ['changed admin.address needs-restart'],
  ],
  ['the heap limit', base, { ...base, memoryLimit: '1gb' }, ['added memoryLimit needs-restart']],
  ['no admin listener', base, { ...base, admin: false }, ['changed admin needs-restart']],
  ['the log file', base, { ...base, log: { file: 'a.log' } }, ['added log.file needs-restart']],
  ['the log level', base, { ...base, log: { level: 'debug' } }, ['changed log.level live']],
  ['a removed route', base, { ...base, routes: [] }, ['removed routes.users ends-tunnels']],
  [
    'a removed fixed reply',
    { ...base, routes: [{ id: 'r', match: { path: '/' }, reply: {} }] },
    { ...base, routes: [] },
    ['removed routes.r live'],
  ],
  ['a new route', { ...base, routes: [] }, base, ['added routes.users live']],
  ['a route to another service', base, withRoute({ service: 'orders' }), ['changed routes.users.service ends-tunnels']],
  [
    'a route that becomes a fixed reply',
    base,
    { ...base, routes: [{ id: 'users', match: route.match, reply: {} }] },
    ['removed routes.users.service ends-tunnels', 'added routes.users.reply live'],
  ],
  [
    'a route that is split between services',
    base,
    { ...base, routes: [{ id: 'users', match: route.match, split: { services: { users: 9, orders: 1 } } }] },
    ['removed routes.users.service ends-tunnels', 'added routes.users.split live'],
  ],
  [
    'other weights',
    withSplit({ users: 9, orders: 1 }),
    withSplit({ users: 5, orders: 1 }),
    ['changed routes.users.split.services.users live'],
  ],
  [
    'a service removed from a split',
    withSplit({ users: 9, orders: 1 }),
    withSplit({ users: 9 }),
    ['removed routes.users.split.services.orders ends-tunnels'],
  ],
  [
    'a split that is no longer sticky',
    withSplit({ users: 9 }, { sticky: 'ip' }),
    withSplit({ users: 9 }),
    ['removed routes.users.split.sticky live'],
  ],
  [
    'a mirror to another service',
    base,
    withRoute({ mirror: { service: 'orders' } }),
    ['added routes.users.mirror live'],
  ],
  [
    'the name of a listener',
    { ...base, listeners: [{ address: '127.0.0.1:1' }] },
    { ...base, listeners: [{ address: '127.0.0.1:1', name: 'inside' }] },
    ['added listeners["127.0.0.1:1"].name live'],
  ],
  [
    'another path',
    base,
    withRoute({ match: { path: ['/users/*', '/people/*'] } }),
    ['added routes.users.match.path live'],
  ],
  [
    'a replaced instance',
    base,
    withUsers({ instances: ['http://b:1', 'http://d:1'] }),
    ['removed services.users.instances["a:1"] live', 'added services.users.instances["d:1"] live'],
  ],
  [
    'the weight of an instance',
    base,
    withUsers({ instances: ['http://a:1', { url: 'http://b:1', weight: 3 }] }),
    ['changed services.users.instances["b:1"].weight live'],
  ],
  ['health checks', base, withUsers({ health: { interval: '1s' } }), ['changed services.users.health.interval live']],
  ['no health checks', base, withUsers({ health: false }), ['changed services.users.health resets-state']],
  [
    'a removed listener',
    { ...base, listeners: [{ address: '127.0.0.1:1' }, { address: '127.0.0.1:2' }] },
    { ...base, listeners: [{ address: '127.0.0.1:2' }] },
    ['removed listeners["127.0.0.1:1"] ends-tunnels'],
  ],
  [
    'a listener with TLS',
    { ...base, listeners: [{ address: '127.0.0.1:1' }] },
    { ...base, listeners: [{ address: '127.0.0.1:1', tls: TLS }] },
    ['added listeners["127.0.0.1:1"].tls ends-tunnels'],
  ],
  [
    'a listener with another TLS version',
    { ...base, listeners: [{ address: '127.0.0.1:1', tls: TLS }] },
    { ...base, listeners: [{ address: '127.0.0.1:1', tls: { ...TLS, minVersion: '1.3' } }] },
    ['changed listeners["127.0.0.1:1"].tls.minVersion live'],
  ],
  [
    'a larger limit',
    limited,
    withLimit({ tiers: { api_key: '99/h' } }),
    ['changed policies.rate-limit.tiers.api_key live'],
  ],
  [
    'a limit over another period',
    limited,
    withLimit({ tiers: { api_key: '10000/d' }, cost: 2 }),
    ['changed policies.rate-limit.tiers.api_key resets-state', 'changed policies.rate-limit.cost live'],
  ],
  [
    'a limit with an added window',
    limited,
    withLimit({ tiers: { api_key: ['10000/h', '100/m'] } }),
    ['changed policies.rate-limit.tiers.api_key live'],
  ],
  [
    'a limit in Redis with an added window',
    { ...limited, stores: redis },
    { ...withLimit({ tiers: { api_key: ['10000/h', '100/m'] } }), stores: redis },
    ['changed policies.rate-limit.tiers.api_key resets-state'],
  ],
  [
    'another algorithm',
    limited,
    withLimit({ algorithm: 'token-bucket' }),
    ['changed policies.rate-limit.algorithm resets-state'],
  ],
  [
    'a route with its own limits',
    limited,
    { ...limited, routes: [{ ...route, policies: { 'rate-limit': { tiers: { api_key: '1/h' } } } }] },
    ['changed routes.users.policies.rate-limit.tiers.api_key resets-state'],
  ],
  [
    'general limits moved to a route',
    { ...limited, routes: [{ ...route, policies: { 'rate-limit': { tiers: { api_key: '1/h' } } } }] },
    {
      ...withLimit({ tiers: { api_key: '1/h' } }),
      routes: [{ ...route, policies: { 'rate-limit': { tiers: { api_key: '1/h' } } } }],
    },
    ['changed policies.rate-limit.tiers.api_key resets-state'],
  ],
  [
    'other sharing of stored replies',
    withRoute({ policies: { cache: {} } }),
    withRoute({ policies: { cache: { share: 'consumer', ttl: '1m' } } }),
    ['changed routes.users.policies.cache.ttl live', 'changed routes.users.policies.cache.share resets-state'],
  ],
  [
    'other request headers for a cached route',
    withRoute({ policies: { cache: {}, 'request-headers': { set: { 'X-A': '1' } } } }),
    withRoute({ policies: { cache: {}, 'request-headers': { set: { 'X-A': '2' } } } }),
    ['changed routes.users.policies.request-headers.set.X-A resets-state'],
  ],
  [
    'another path at the service of a cached route',
    withRoute({ policies: { cache: {} } }),
    withRoute({ policies: { cache: {} }, rewrite: { strip: '/users' } }),
    ['added routes.users.rewrite resets-state'],
  ],
  [
    'another host of the service of a cached route',
    { ...withUsers({ host: 'a.example' }), policies: { cache: {} } },
    { ...withUsers({ host: 'b.example' }), policies: { cache: {} } },
    ['changed services.users.host resets-state'],
  ],
  [
    'more memory for stored replies',
    withRoute({ policies: { cache: { memory: '1mb' } } }),
    withRoute({ policies: { cache: { memory: '2mb' } } }),
    ['changed routes.users.policies.cache.memory live'],
  ],
  [
    'another Redis',
    { ...base, stores: redis },
    { ...base, stores: { redis: { url: 'redis://other:6379' } } },
    ['changed stores.redis.place.url resets-state'],
  ],
  [
    'a secret prepended to the existing one',
    { ...base, secrets: ['a'.repeat(32)] },
    { ...base, secrets: ['b'.repeat(32), 'a'.repeat(32)] },
    ['changed secrets live'],
  ],
  [
    'a replaced secret',
    { ...base, secrets: ['a'.repeat(32)] },
    { ...base, secrets: ['b'.repeat(32)] },
    ['changed secrets resets-state'],
  ],
]

for (const [name, before, after, expected] of cases)
  test(`a change has its cost: ${name}`, () => {
    assert.deepEqual(changes(before, after), expected)
  })

test('the start and the end of discovery differ from a change of it', () => {
  const discovered = (name: string) => ({
    ...base,
    services: { ...base.services, users: { discover: { dns: { name, port: 1 } } } },
  })
  const effects = (before: unknown, after: unknown): string[] =>
    planChanges(side(before), side(after))
      .changes.filter(({ path }) => path.includes('discover'))
      .flatMap(({ effects: texts }) => texts)
  assert.deepEqual(effects(base, discovered('a')), [
    'The instances are discovered; until the first answer, requests get 503.',
  ])
  assert.deepEqual(effects(discovered('a'), discovered('b')), [
    'The instances are discovered again; known ones stay until the first answer.',
  ])
  assert.deepEqual(effects(discovered('a'), base), ['Requests go to the listed instances.'])
})

test('a different service of a route means a loss of stored replies', () => {
  const cached = { policies: { cache: {} } }
  const [change] = planChanges(side(withRoute(cached)), side(withRoute({ ...cached, service: 'orders' }))).changes
  assert.equal(change?.class, 'ends-tunnels')
  assert.match(change.effects.join(' '), /WebSockets and streams of the route end.*stored under other rules/)
})

test('a change for all routes is listed once, with the affected routes', () => {
  const own = { id: 'own', match: { path: '/own' }, reply: {}, policies: { compression: { minimum: '3kb' } } }
  const off = { id: 'off', match: { path: '/off' }, reply: {}, policies: { compression: false } }
  const config = (minimum: string) => ({ ...base, policies: { compression: { minimum } }, routes: [route, own, off] })
  const { changes: found } = planChanges(side(config('4kb')), side(config('5kb')))
  assert.deepEqual(
    found.map(({ path, before, after, routes }) => ({ path: formatPath(path), before, after, routes })),
    [{ path: 'policies.compression.minimum', before: 4096, after: 5120, routes: ['users'] }],
  )
})

test('a change of a custom policy’s keep key costs its kept state', () => {
  const own: Policy = {
    name: 'own',
    summary: 'Own.',
    options: z.strictObject({ table: z.string(), label: z.string().default('') }),
    keeps: (options) => [
      {
        name: 'rows',
        identities: [String(fieldOf(options, 'table'))],
        options: [['table']],
        loss: 'The rows are lost.',
      },
    ],
    create: () => (next) => next,
  }
  const chain = [...policies, own]
  const sideWith = (options: object): Side => {
    const value = { ...base, policies: { own: options } }
    return { ...side(base), config: parseConfig(value, { value, chain, findings: [] }), chain }
  }
  const plan = planChanges(sideWith({ table: 'a' }), sideWith({ table: 'b', label: 'B' }))
  assert.deepEqual(
    plan.changes.map(({ path, class: cost, effects }) => [
      formatPath(path),
      cost,
      effects.includes('The rows are lost.'),
    ]),
    [
      ['policies.own.table', 'resets-state', true],
      ['policies.own.label', 'live', false],
    ],
  )
})

test('a custom policy whose keeps throws is a problem with its name', () => {
  const own: Policy = {
    name: 'own',
    summary: 'Own.',
    options: z.any(),
    keeps: () => {
      throw new Error('it forgot')
    },
    create: () => (next) => next,
  }
  const chain = [...policies, own]
  const value = { ...base, policies: { own: {} } }
  const config = parseConfig(value, { value, chain, findings: [] })
  assert.throws(() => planChanges({ ...side(base), config, chain }, { ...side(base), config, chain }), {
    name: 'ConfigError',
    message: 'policies.own: the policy could not report what it keeps: it forgot',
  })
})

test('reordering custom policies is a change', () => {
  const own = (name: string): Policy => ({
    name,
    summary: 'Own.',
    options: z.strictObject({}),
    create: () => (next) => next,
  })
  const sideWith = (...names: string[]): Side => ({ ...side(base), chain: [...policies, ...names.map(own)] })
  const found = planChanges(sideWith('a', 'b', 'c'), sideWith('b', 'a')).changes
  assert.deepEqual(
    found.map(({ kind, path }) => [kind, formatPath(path)]),
    [['changed', 'ownPolicies']],
  )
  assert.deepEqual(itemsOf(found[0]?.after).slice(-2), ['b', 'a'])
  assert.deepEqual(planChanges(sideWith('a', 'b'), sideWith('a', 'c', 'b')).changes, [])
})

test('a plan contains no secrets', () => {
  const config = (secret: string) => ({
    ...base,
    admin: { token: secret },
    secrets: [secret],
    stores: { redis: { url: `redis://user:${secret}@redis:6379` } },
    policies: { 'request-headers': { set: { Authorization: `Bearer ${secret}` } } },
    routes: [{ ...route, match: { path: '/users/*', headers: { 'X-Api-Key': secret } } }],
  })
  const [hush, silence] = ['hush'.repeat(10), 'silence'.repeat(10)]
  for (const [before, after] of [
    [config(hush), config(silence)],
    [base, config(silence)],
    [config(hush), base],
  ]) {
    const plan = planChanges(side(before), side(after))
    assert.ok(plan.changes.length > 3)
    assert.doesNotMatch(JSON.stringify(plan), /hush|silence/)
  }
})

const written: Record<string, unknown> = {
  listeners: [{ address: '127.0.0.1:8000' }],
  services: {
    users: { instances: ['http://a:1', { url: 'http://b:2', weight: 2 }], timeouts: { response: '10s' }, pool: {} },
    orders: { instances: ['http://c:3'], health: { interval: '1m' } },
  },
  limits: { body: '2mb' },
  policies: { 'rate-limit': { tiers: { api_key: '60/m' } }, cache: { ttl: '5m' } },
  routes: [
    { id: 'users', match: { path: '/users/*', method: ['GET', 'PUT'] }, service: 'users', policies: { cache: false } },
    { id: 'orders', match: { path: ['/orders/*', '/baskets/*'] }, service: 'orders' },
  ],
}

/** Defaults that may be written out, and other ways to write what is there. */
const respellings: readonly (readonly [Path, unknown])[] = [
  [['listeners', 0, 'proxyProtocol'], 'off'],
  [['workers'], 'auto'],
  [['drainTimeout'], '30000ms'],
  [['admin'], { address: '127.0.0.1:9000' }],
  [['stores'], { memory: { entries: 131_072, replies: '64mb' }, redis: null }],
  [['limits', 'body'], '2048kb'],
  [['limits', 'head'], '16kb'],
  [['services', 'users', 'timeouts', 'response'], '10000ms'],
  [['services', 'users', 'timeouts', 'idle'], '1m'],
  [['services', 'users', 'balancer'], 'least-requests'],
  [
    ['services', 'users', 'instances'],
    [
      { weight: 2, url: 'http://B:2/' },
      { url: 'http://a:1', weight: 1 },
    ],
  ],
  [['services', 'orders', 'instances'], [{ url: 'http://c:3' }]],
  [['services', 'orders', 'health', 'interval'], '60s'],
  [['services', 'orders', 'health', 'status'], ['200-200']],
  [['policies', 'rate-limit', 'tiers', 'api_key'], ['60/60s']],
  [['policies', 'rate-limit', 'store'], 'memory'],
  [['policies', 'rate-limit', 'algorithm'], 'fixed-window'],
  [['policies', 'cache', 'ttl'], '300s'],
  [['policies', 'cors'], false],
  [
    ['routes', 0, 'match', 'method'],
    ['put', 'GET'],
  ],
  [['routes', 0, 'pathParameters'], 'keep'],
  [
    ['routes', 1, 'match', 'path'],
    ['/baskets/*', '/orders/*'],
  ],
  [['routes', 1, 'policies'], { cache: { ttl: '5m' } }],
  [['routes', 1, 'log'], true],
]

/** The same map with its keys in another order, all the way down. */
function shuffled(value: unknown, order: (key: string) => number): unknown {
  if (Array.isArray(value)) return itemsOf(value).map((item) => shuffled(item, order))
  if (!isFields(value)) return value
  const keys = Object.keys(value).toSorted((a, b) => order(a) - order(b))
  return Object.fromEntries(keys.map((key) => [key, shuffled(value[key], order)]))
}

test('property: a configuration equals every other spelling of it', () => {
  fc.assert(
    fc.property(fc.subarray([...respellings]), fc.func(fc.integer()), fc.boolean(), (chosen, order, turned) => {
      const value = putAll(written, chosen)
      const again = shuffled(value, order)
      const routes = isFields(again) ? itemsOf(again['routes']) : []
      const other = turned ? putAll(again, [[['routes'], routes.toReversed()]]) : again
      assert.deepEqual(changes(written, other), [])
      assert.deepEqual(changes(other, written), [])
    }),
  )
})
