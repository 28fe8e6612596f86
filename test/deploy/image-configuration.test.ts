import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { version } from '../../src/core/version.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { cleanUp } from '../support/cleanup.ts'
import { send } from '../support/client.ts'
import { startFromFile } from '../support/file-gateway.ts'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'deploy/docker/sallyport.yaml')
const added = `trustedProxies:
  - \${TRUSTED_PROXY:-127.0.0.1} # address or network of the load balancer in front, such as 10.0.0.0/8: its X-Forwarded-For is trusted

shutdownDelay: \${SHUTDOWN_DELAY:-5s} # keeps serving for this long after SIGTERM, until load balancers have noticed
drainTimeout: \${DRAIN_TIMEOUT:-30s}

reload:
  watch: true # reloads by itself when the file changes: mount the folder, not just the file
`
const secret = { JWT_SECRET: 's'.repeat(32) }

test('the configuration of the image is that of the repository with other defaults', () => {
  const own = readFileSync(file, 'utf8')
  const repository = readFileSync(join(root, 'sallyport.yaml'), 'utf8')
  const expected = body(repository)
    .replaceAll(/\$\{([A-Z]+)_SERVICE_URL:-http:\/\/127\.0\.0\.1:/g, (_, name: string) => {
      return `\${${name}_SERVICE_URL:-http://${name.toLowerCase()}-service:`
    })
    .replace('\nlog:', `\n${added}\nlog:`)
  assert.equal(body(own), expected)
})

test('without variables each service is found by its name, as the manifest of the specification requires', async () => {
  const { services, listeners, stores } = await loadConfig(file, secret)
  const urls = Object.values(services).map(({ instances: [instance] }) => instance?.url)
  assert.deepEqual(
    urls.map((url) => `${url?.host}:${url?.port}`),
    [
      'user-service:8001',
      'order-service:8002',
      'inventory-service:8003',
      'payment-service:8004',
      'notification-service:8005',
    ],
  )
  assert.deepEqual(
    listeners.map(({ address }) => address),
    [{ host: '0.0.0.0', port: 8000 }],
  )
  assert.equal(stores.redis, null)
})

test('the variables of compose and the network of a proxy in front are used', async () => {
  const { stores, log, trustedProxies } = await loadConfig(file, {
    ...secret,
    REDIS_URL: 'redis://redis:6379',
    LOG_LEVEL: 'INFO',
    TRUSTED_PROXY: '10.0.0.0/8',
  })
  assert.ok(stores.redis !== null)
  assert.equal(log.level, 'info')
  assert.deepEqual(trustedProxies, ['10.0.0.0/8'])
})

test('with only the secret it starts, and /health is 200 although no service is reachable', async (t) => {
  const env = { ...secret, SALLYPORT_ADDRESS: '127.0.0.1:0', SALLYPORT_ADMIN_ADDRESS: '127.0.0.1:0' }
  Object.assign(process.env, env)
  cleanUp(t, () => Object.keys(env).forEach((name) => delete process.env[name]))
  const { port } = await startFromFile(t, file, { clock: new ManualClock() })
  assert.equal((await send(port, { path: '/health' })).status, 200)
})

/** Without the comment at the top, which describes the file. */
function body(text: string): string {
  return text.slice(text.indexOf('\nlisteners:'))
}

test('the default version of the image is that of the gateway', () => {
  assert.match(
    readFileSync(join(root, 'deploy/docker/Dockerfile'), 'utf8'),
    new RegExp(`^ARG VERSION=${version}$`, 'm'),
  )
})

test('the image of the example platform has the packages that its services import, in the versions of the repository', () => {
  const packages = z.record(z.string(), z.string())
  const versions = z.object({ dependencies: packages, devDependencies: packages.default({}) })
  const [own, all] = ['examples/platform/package.json', 'package.json'].map((path) => {
    const { dependencies, devDependencies } = versions.parse(JSON.parse(readFileSync(join(root, path), 'utf8')))
    return Object.assign(devDependencies, dependencies)
  })
  const files = globSync('examples/platform/{serve,platform,support/*,*-service/*}.ts', {
    cwd: root,
    exclude: ['**/*.test.ts'],
  })
  const imported = files.flatMap((path) =>
    Array.from(
      readFileSync(join(root, path), 'utf8').matchAll(/ from '(?!node:)([^.'][^']*)'/g),
      ([, name = '']) => name,
    ),
  )
  assert.deepEqual(new Set(Object.keys(own ?? {})), new Set(imported))
  for (const [name, wanted] of Object.entries(own ?? {})) assert.equal(wanted, all?.[name], name)
})

test('both images use the Node.js version of the project', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  for (const recipe of ['deploy/docker/Dockerfile', 'examples/platform/Dockerfile']) {
    const [, base] = /^ARG NODE_IMAGE=node:([\d.]+)-/m.exec(readFileSync(join(root, recipe), 'utf8')) ?? []
    assert.equal(base, devDependencies['node'])
  }
})
