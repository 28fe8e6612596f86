import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from './load.ts'
import { ConfigError } from './problems.ts'
import { ReadFiles } from './read-files.ts'
import { readYaml } from './yaml.ts'

const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
after(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const prefixes = [
  'users',
  'auth',
  'roles',
  'orders',
  'order-items',
  'inventory',
  'products',
  'payments',
  'transactions',
]

test('sallyport.yaml routes the eleven prefixes of the platform to its five services', async () => {
  const config = await loadConfig(fileURLToPath(new URL('../../sallyport.yaml', import.meta.url)), {
    JWT_SECRET: 'x'.repeat(32),
  })
  const paths = new Set(config.routes.flatMap((route) => (route.service === undefined ? [] : route.match.path)))
  const wanted = [...prefixes, 'notifications', 'email'].map((prefix) => `/api/v1/${prefix}/*`)
  assert.deepEqual([...paths].filter((path) => path.endsWith('/*')).toSorted(), wanted.toSorted())
  const ports = Object.entries(config.services).map(([name, { instances }]) => [name, instances[0]?.url.port])
  assert.deepEqual(ports, [
    ['user-service', 8001],
    ['order-service', 8002],
    ['inventory-service', 8003],
    ['payment-service', 8004],
    ['notification-service', 8005],
  ])
})

test('sallyport.yaml takes instances and the log level from the environment', async () => {
  const config = await loadConfig(fileURLToPath(new URL('../../sallyport.yaml', import.meta.url)), {
    USER_SERVICE_URL: 'http://user-service-1:8001,http://user-service-2:8001',
    LOG_LEVEL: 'WARN',
    JWT_SECRET: 'x'.repeat(32),
  })
  assert.deepEqual(
    config.services['user-service']?.instances.map(({ url }) => url.host),
    ['user-service-1', 'user-service-2'],
  )
  assert.equal(config.log.level, 'warn')
})

test('sallyport.yaml has no default secret', async () => {
  const loaded = loadConfig(fileURLToPath(new URL('../../sallyport.yaml', import.meta.url)), {})
  await assert.rejects(loaded, /policies\.auth\.methods\.jwt\.secret: environment variable JWT_SECRET is not set/)
})

test('a configuration in code is its default export, without substitution', async () => {
  const path = await file(
    'a.config.ts',
    "export default { routes: [{ id: 'a', match: { path: '/a' }, reply: { body: '${A}' } }] } satisfies object",
  )
  assert.equal((await loadConfig(path, {})).routes[0]?.reply?.body, '${A}')
})

test('a changed configuration in code is loaded again', async () => {
  const path = await file('b.config.ts', 'export default { workers: 1 }')
  await utimes(path, 1, 1)
  assert.equal((await loadConfig(path, {})).workers, 1)
  await file('b.config.ts', 'export default { workers: 2 }')
  await utimes(path, 2, 2)
  assert.equal((await loadConfig(path, {})).workers, 2)
})

test('problems in code name the file', async () => {
  const path = await file('c.config.ts', 'export default { workers: 0 }')
  await assert.rejects(loadConfig(path, {}), {
    name: 'ConfigError',
    message: `${path}: workers: expected a number of at least 1, not 0`,
  })
})

test('a missing file, and code that throws or exports nothing, is a problem', async () => {
  const missing = join(folder, 'missing.yaml')
  await assert.rejects(
    loadConfig(missing, {}),
    (error) =>
      error instanceof ConfigError &&
      error.message === `${missing}: no such file; name another one, or create one with "sallyport init"`,
  )
  const module = join(folder, 'missing.config.ts')
  await assert.rejects(loadConfig(module, {}), { message: /^\S+missing\.config\.ts: no such file; name another one/ })
  await assert.rejects(loadConfig(folder, {}), { message: `${folder}: is a folder; expected a file in it` })
  const throwing = await file('d.config.ts', "throw new Error('broken')")
  await assert.rejects(loadConfig(throwing, {}), {
    name: 'ConfigError',
    message: `${throwing}: cannot be loaded: broken (${throwing}:1:7)`,
  })
  const nothing = await file('e.config.ts', 'export const config = {}')
  await assert.rejects(
    loadConfig(nothing, {}),
    (error) => error instanceof ConfigError && /no default export/.test(error.message),
  )
})

test('the error for an ES module in a CommonJS package says how to fix it', async () => {
  const inside = await mkdtemp(join(folder, 'commonjs-'))
  await writeFile(join(inside, 'package.json'), '{ "type": "commonjs" }')
  for (const name of ['a.config.ts', 'b.config.js']) {
    const path = join(inside, name)
    await writeFile(path, 'export default {}')
    await assert.rejects(
      loadConfig(path, {}),
      (error) => error instanceof ConfigError && /add "type": "module" to package\.json/.test(error.message),
    )
  }
})

test('an unset variable for Redis is one problem, without follow-up problems', async () => {
  const path = await file(
    'redis.yaml',
    `stores: { redis: { url: '\${REDIS_URL}' } }
policies: { cache: { store: redis } }
routes: [{ id: a, match: { path: /a }, reply: {} }]`,
  )
  await assert.rejects(loadConfig(path, {}), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.deepEqual(
      error.problems.map((problem) => problem.path),
      ['stores.redis.url'],
    )
    return true
  })
  await writeFile(path, (await readFile(path, 'utf8')).replace('REDIS_URL', 'REDIS_URL:-'))
  await assert.rejects(loadConfig(path, {}), /policies\.cache\.store: redis, but stores\.redis is not configured/)
})

test('an unreadable OTLP certificate file is a problem if spans are exported', async () => {
  const path = await file('exported.yaml', 'routes: []')
  const files = { OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem', OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: path }
  await loadConfig(path, files)
  await assert.rejects(
    loadConfig(path, { ...files, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318' }),
    (error: Error) => {
      assert.match(error.message, /^OTEL_EXPORTER_OTLP_CERTIFICATE: "\/nowhere\/ca\.pem": no such file$/m)
      assert.match(error.message, /^OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: ".*": has no private key in it/m)
      return true
    },
  )
})

test('an OTLP endpoint without a scheme is a problem, which does not show it', async () => {
  const path = await file('otlp.yaml', 'routes: [{ id: a, match: { path: /a }, reply: {} }]')
  for (const [environment, problem] of [
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:pass@collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector:4318/v1/traces' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector:4317' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector', OTEL_SDK_DISABLED: 'true' }, null],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector', OTEL_TRACES_EXPORTER: 'none' }, null],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' https://collector:4318/base ' }, null],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, null],
  ] as const) {
    const loading = loadConfig(path, environment)
    const message = await loading.then(
      () => null,
      (error: unknown) => (error instanceof ConfigError ? error.message : String(error)),
    )
    const expected = 'expected a URL with its scheme, such as "http://collector:4318"'
    assert.equal(message, problem === null ? null : `${problem}: ${expected}`)
  }
})

test('secrets can be read from files relative to the configuration or absolute, also in flow maps', async () => {
  await file('jwt', `${'a'.repeat(32)}\n`)
  await file('workers', '3\n')
  const elsewhere = await file('absolute', 'b'.repeat(32))
  const text = `workers: \${file:workers}
secrets: ["\${file:./jwt}", '\${file:${elsewhere}}', "\${file:none:-${'c'.repeat(32)}}"]
`
  const path = await file('secrets.yaml', text)
  const { workers, secrets } = await loadConfig(path, {})
  assert.deepEqual([workers, secrets], [3, ['a', 'b', 'c'].map((letter) => letter.repeat(32))])
  const files = new ReadFiles()
  readYaml(text, path, {}, files)
  assert.deepEqual(
    [...files.all.keys()],
    ['workers', 'jwt', 'absolute', 'none'].map((name) => join(folder, name)),
  )
})

test('an unusable secret file is one problem, which does not show its content', async () => {
  await writeFile(join(folder, 'latin1'), Buffer.from('p\xe4ssword', 'latin1'))
  await file('large', 'password'.repeat(10_000))
  await file('short', 'password')
  const path = await file(
    'bad-files.yaml',
    ['latin1', 'large', 'short', 'none', '.']
      .map((name) => `- "\${file:${name}}"`)
      .join('\n')
      .replace(/^/, 'secrets:\n'),
  )
  await assert.rejects(loadConfig(path, {}), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.deepEqual(
      error.problems.map((problem) => `${problem.path}: ${problem.message}`),
      [
        'secrets[0]: file latin1: is not UTF-8 text',
        'secrets[1]: file large: is larger than 64 KiB',
        'secrets[2]: expected at least 32 bytes, for example from "openssl rand -base64 32", not "${file:short}"',
        'secrets[3]: file none: no such file',
        'secrets[4]: file .: is a folder; expected a file in it',
      ],
    )
    return true
  })
})

test('keys starting with "x-" are ignored in code too', async () => {
  const path = await file('extension.ts', 'export default { "x-any": [1], routes: [] }')
  assert.deepEqual((await loadConfig(path, {})).routes, [])
})
