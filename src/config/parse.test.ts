import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { policies as chain } from '../policies/index.ts'
import { parseConfig, parseFrom, parsing } from './parse.ts'
import { activePolicies } from './policy-schema.ts'
import { ConfigError } from './problems.ts'
import { valueSource } from './source.ts'
import { readYaml } from './yaml.ts'

const route = { id: 'a', match: { path: '/a' }, reply: {} }

function parseYaml(text: string, environment: Record<string, string>) {
  const { value, source, problems } = readYaml(text, 'a.yaml', environment)
  return parseFrom({ value, chain, findings: [] }, source, problems)
}

function problemsOf(value: unknown): string[] {
  try {
    parseConfig(value)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n')
  }
  return []
}

test('the identifying claim of an auth method may be logged if it is not a secret', () => {
  const oidc = { issuer: 'https://id.example.com', clientId: 'shop', secret: 'a secret of at least 32 characters' }
  const log = { access: { headers: ['Accept', 'Sec-Fetch-Mode'] } }
  assert.deepEqual(problemsOf({ log, policies: { auth: { methods: { oidc } } }, routes: [route] }), [])
})

test('every option has a default', () => {
  assert.deepEqual(parseConfig({}), {
    listeners: [
      { address: { host: '0.0.0.0', port: 8000 }, proxyProtocol: 'off', http2: true, redirectToHttps: false },
    ],
    endpoints: { health: '/health', metrics: '/metrics', docs: '/docs', openapi: '/openapi.json' },
    admin: {
      address: { host: '127.0.0.1', port: 9000 },
      token: null,
      users: [],
      loginLifetime: 43_200_000,
      requests: 200,
      writable: false,
    },
    workers: 'auto',
    workerTimeout: 10_000,
    trustedProxies: [],
    forwarding: 'x-forwarded',
    clientHeader: null,
    proxyFields: [],
    requestFields: 'pass',
    pathParameters: 'keep',
    log: { level: 'info', format: 'auto', access: { sample: 1, timings: false, headers: [], replay: false } },
    limits: {
      head: 16_384,
      target: 8192,
      headers: 100,
      body: 10_485_760,
      headTimeout: 10_000,
      bodyTimeout: 30_000,
      handshakeTimeout: 10_000,
      handshakes: 1000,
      idleTimeout: 60_000,
      writeTimeout: 60_000,
      minRate: 240,
      connections: 10_000,
      perClient: {},
    },
    overload: { delay: 100, for: 1000 },
    shutdownDelay: 0,
    drainTimeout: 30_000,
    reload: { watch: false, warm: 5000, stateDir: null },
    stores: { memory: { entries: 131_072, replies: 67_108_864 }, redis: null },
    secrets: [],
    docs: { title: 'API', version: '1.0.0', description: '', refresh: 60_000 },
    services: {},
    policies: {},
    ownPolicies: [],
    routes: [],
  })
})

test('a service only needs instances', () => {
  assert.deepEqual(parseConfig({ services: { users: { instances: ['http://users'] } } }).services, {
    users: {
      instances: [{ url: { scheme: 'http', host: 'users', port: 80 }, weight: 1 }],
      balancer: 'least-requests',
      health: {
        method: 'GET',
        path: '/health',
        headers: {},
        body: '',
        interval: 10_000,
        timeout: 5000,
        unhealthyAfter: 2,
        healthyAfter: 1,
        status: [200],
      },
      passive: {
        consecutive: 5,
        rate: 0.5,
        volume: 20,
        window: 10_000,
        eject: 30_000,
        longest: 300_000,
        most: 0.5,
      },
      retry: {
        attempts: 1,
        budget: 0.2,
        minimum: 10,
        statuses: [502, 503],
        body: 65_536,
        idempotencyKey: false,
        grpc: [],
      },
      hedge: false,
      openapi: '/openapi.json',
      timeouts: { connect: 2000, response: 30_000, idle: 60_000 },
      pool: {
        connections: 256,
        queue: 1024,
        queueTimeout: 2000,
        idleTimeout: 30_000,
        lifetime: 300_000,
        streams: 1024,
      },
      slowStart: 0,
      concurrency: false,
      limits: { head: 65_536, headers: 500 },
      host: 'client',
      proxyProtocol: 'off',
      http2: false,
    },
  })
})

test('one string can list several instances, and an object sets a weight', () => {
  const instances = ['http://a:1, http://b:2', { url: 'http://[::1]:3', weight: 5 }]
  assert.deepEqual(parseConfig({ services: { s: { instances } } }).services['s']?.instances, [
    { url: { scheme: 'http', host: 'a', port: 1 }, weight: 1 },
    { url: { scheme: 'http', host: 'b', port: 2 }, weight: 1 },
    { url: { scheme: 'http', host: '::1', port: 3 }, weight: 5 },
  ])
})

test('ranges of health statuses are expanded', () => {
  const services = { s: { instances: ['http://a'], health: { status: [200, '200-203', 404] } } }
  const { health } = parseConfig({ services }).services['s'] ?? {}
  assert.ok(health)
  assert.deepEqual(health.status, [200, 201, 202, 203, 404])
})

test('the log level is case-insensitive', () => {
  assert.equal(parseConfig({ log: { level: 'INFO' } }).log.level, 'info')
})

test('single match values become lists, and methods and header names are normalized', () => {
  const match = { path: '/a', host: 'Example.com', method: 'get', headers: { 'X-A': true } }
  assert.deepEqual(parseConfig({ routes: [{ ...route, match }] }).routes[0]?.match, {
    path: ['/a'],
    host: ['example.com'],
    method: ['GET'],
    headers: { 'x-a': true },
  })
})

test('options of a route replace those for all routes, and defaults fill the rest', () => {
  const policies = { 'response-headers': { set: { 'X-A': 'a' }, remove: ['Server'] } }
  const own = { 'response-headers': { set: { 'X-B': 'b' } }, 'request-headers': {} }
  const config = parseConfig({
    policies,
    routes: [
      { ...route, policies: own },
      { ...route, id: 'b', match: { path: '/b' } },
    ],
  })
  assert.deepEqual(config.routes[0]?.policies, {
    'response-headers': { set: { 'X-B': 'b' }, add: {}, remove: ['Server'] },
    'request-headers': { set: {}, add: {}, remove: [] },
  })
  assert.deepEqual(config.routes[1]?.policies, config.policies)
})

test('false turns a policy off for a route, and an object turns it on again', () => {
  const routes = [{ ...route, policies: { 'correlation-id': false, 'request-headers': {} } }]
  const config = parseConfig({ policies: { 'correlation-id': {}, 'request-headers': false }, routes })
  assert.equal(config.routes[0]?.policies['correlation-id'], false)
  assert.notEqual(config.routes[0]?.policies['request-headers'], false)
})

test('active policies are listed in chain order, without those that are off', () => {
  const routes = [{ ...route, policies: { 'request-headers': {}, 'response-headers': false, 'correlation-id': {} } }]
  const config = parseConfig({ routes })
  assert.deepEqual(
    activePolicies(config.routes[0]?.policies ?? {}).map(([policy, options]) => [policy.name, options]),
    [
      ['correlation-id', { header: 'X-Correlation-ID' }],
      ['request-headers', { set: {}, add: {}, remove: [] }],
    ],
  )
})

test('the input is not modified', () => {
  const value = { policies: { 'correlation-id': {} }, routes: [route] }
  const before = structuredClone(value)
  parseConfig(value)
  assert.deepEqual(value, before)
})

test('problems in a value have a path but no position', () => {
  assert.deepEqual(problemsOf({ workers: 0, routes: [{ ...route, service: 'b', reply: undefined }] }), [
    'workers: expected a number of at least 1, not 0',
    'routes[0].service: unknown service "b"; there are none',
  ])
})

test('a problem of the policies for all routes is reported once', () => {
  const routes = [route, { ...route, id: 'b', match: { path: '/b' }, policies: { 'correlation-id': {} } }]
  assert.deepEqual(problemsOf({ policies: { 'correlation-id': { header: 1 }, cofee: {} }, routes }).length, 2)
})

test('a variable as the whole value becomes a number or boolean if one is expected', () => {
  const text = 'workers: ${W}\nlog: { access: "${A}" }\nlimits: { headers: "${H:-7}" }'
  const config = parseYaml(text, { W: '3', A: 'false' })
  assert.equal(config.workers, 3)
  assert.equal(config.log.access, false)
  assert.equal(config.limits.headers, 7)
})

test('a variable stays a string where a string is expected, or inside a longer text', () => {
  const text = 'routes: [{ id: "${ID}", match: { path: /a }, reply: { body: "${ID}" } }]'
  const config = parseYaml(text, { ID: '42' })
  assert.equal(config.routes[0]?.id, '42')
  assert.equal(config.routes[0]?.reply?.body, '42')
  assert.throws(() => parseYaml('workers: 1${W}', { W: '2' }), ConfigError)
})

test('a boolean from a variable in the policies for all routes applies to every route', () => {
  const text = 'policies: { correlation-id: "${ON}" }\nroutes: [{ id: a, match: { path: /a }, reply: {} }]'
  assert.equal(parseYaml(text, { ON: 'false' }).routes[0]?.policies['correlation-id'], false)
})

test('the value of a variable is never parsed as YAML', () => {
  // What braces hold is a parameter of the path.
  const values = fc.string({ minLength: 1 }).filter((value) => !/[{}]/.test(value))
  fc.assert(
    fc.property(values, (body) => {
      const config = parseYaml('routes: [{ id: a, match: { path: /a }, reply: { body: "${B}" } }]', { B: body })
      assert.equal(config.routes[0]?.reply?.body, body)
    }),
  )
})

test('no problem shows the value of a variable', () => {
  const text = `
listeners: [{ address: "\${S}" }]
admin: { address: "\${S}" }
workers: \${S}
trustedProxies: ["\${S}"]
log: { level: "\${S}", access: "x\${S}" }
limits: { head: "\${S}", headers: "\${S}" }
services: { a: { instances: ["\${S}", { url: "\${S}", weight: "\${S}" }], balancer: "\${S}", health: "\${S}", host: " \${S}" } }
policies: { correlation-id: { header: " \${S}" }, request-headers: { set: { A: "{\${S}" }, remove: [" \${S}"] } }
routes:
  - { id: " \${S}", match: { path: "\${S}", host: " \${S}", method: " \${S}" }, service: "\${S}" }
  - { id: b, match: { path: ["/*/\${S}"] }, redirect: { to: "\${S}", status: "\${S}" } }
`
  fc.assert(
    fc.property(fc.string(), (end) => {
      assert.throws(
        () => parseYaml(text, { S: `hunter2${end}` }),
        (error) => error instanceof ConfigError && error.problems.length > 20 && !/hunter2/i.test(error.message),
      )
    }),
    { numRuns: 30 },
  )
})

test('an object without a prototype is rejected like other values', () => {
  const odd = { length: Object.create(null) as object }
  for (const value of [
    { services: { a: { instances: odd } } },
    { routes: [{ ...route, match: { path: odd } }] },
    { endpoints: odd },
  ])
    assert.throws(() => parseConfig(value), ConfigError)
})

test('property: any value anywhere gives a configuration or a ConfigError', () => {
  const good = {
    listeners: [{ address: '0.0.0.0:8000' }],
    services: { a: { instances: ['http://a', { url: 'http://b' }], health: { status: [200] } } },
    policies: { 'correlation-id': { header: 'X-Id' } },
    routes: [
      { ...route, policies: { 'correlation-id': {} } },
      { id: 'b', match: { path: ['/b'] }, service: 'a' },
    ],
  }
  const replaceAt = (value: unknown, steps: readonly number[], replacement: unknown): unknown => {
    const [step, ...rest] = steps
    if (step === undefined || typeof value !== 'object' || value === null) return replacement
    const keys = Object.keys(value)
    const chosen = keys[step % Math.max(1, keys.length)]
    const change = ([key, inner]: [string, unknown]) => [
      key,
      key === chosen ? replaceAt(inner, rest, replacement) : inner,
    ]
    const entries = Object.entries(value).map(change)
    return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)
  }
  fc.assert(
    fc.property(
      fc.array(fc.nat(5), { maxLength: 6 }),
      fc.anything({ withNullPrototype: true }),
      (steps, replacement) => {
        try {
          parseConfig(replaceAt(good, steps, replacement))
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error))
          assert.ok(error.problems.length > 0)
        }
      },
    ),
    { numRuns: 500 },
  )
})

/** So many routes, of which some are others. */
function many(count: number, others: Readonly<Record<number, object>>): object {
  const plain = (i: number): object => ({ id: `r${i}`, match: { path: `/${i}` }, reply: {} })
  return { policies: { cors: {} }, routes: Array.from({ length: count }, (_, i) => ({ ...plain(i), ...others[i] })) }
}

test('thousands of routes are parsed in steps, with the same result as at once', () => {
  const value = many(2000, { 1234: { policies: { cors: false } } })
  const steps = parsing({ value, chain, findings: [] }, valueSource())
  let count = 0
  let step = steps.next()
  for (; step.done !== true; step = steps.next()) count++
  assert.ok(count >= 20, `${count} steps`)
  const config = step.value
  assert.deepEqual(
    config.routes.map(({ id }) => id),
    Array.from({ length: 2000 }, (_, i) => `r${i}`),
  )
  assert.deepEqual(config.routes[1234], parseConfig(many(1235, { 1234: { policies: { cors: false } } })).routes[1234])
  // One value for all that say the same.
  assert.equal(config.routes[1999]!.policies, config.routes[0]!.policies)
})

test('problems among thousands of routes have the right path', () => {
  const value = many(250, { 7: { reply: { status: 'x' } }, 249: { match: { path: 5 }, other: 1 } })
  assert.throws(
    () => parseConfig(value),
    (error) => {
      assert.ok(error instanceof ConfigError)
      const paths = error.problems.map(({ path }) => path)
      assert.deepEqual(paths.toSorted(), ['routes[249].match.path', 'routes[249].other', 'routes[7].reply.status'])
      return true
    },
  )
})
