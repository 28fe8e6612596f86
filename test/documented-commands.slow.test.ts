/** Runs the commands in documents with bash, against gateways that have what they refer to. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { requestAdmin } from './support/admin.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startCommand } from './support/command.ts'
import { hasCommands, linesOf } from './support/documented-commands.ts'
import { type CodeBlock, codeBlocks } from './support/markdown.ts'
import { startRedis } from './support/redis.ts'
import { startService } from './support/service.ts'

const TOKEN = 'a-token-of-32-visible-characters'
const CORRELATION = '7c0d6c1e-4c5b-4f0e-9d0a-3a1f1a1b2c3d'
const main = join(import.meta.dirname, '../src/main.ts')

const OPENAPI = `openapi: 3.1.0
info: { title: Orders, version: 1.0.0 }
paths: { /orders: { get: { responses: { '200': { description: Orders. } } } } }
`

/** Services, policies and stores by the names in the guides. */
const configuration = (redis: string, service: string, admin: string): string => `workers: 1
listeners: [{ address: '127.0.0.1:0' }]
admin: { ${admin} }
stores: { redis: { url: '${redis}' } }
log: { access: { headers: [X-Version] } }
services:
  user-service: { instances: [{ url: 'http://10.0.0.7:8001', weight: 0 }, '${service}'], health: false, openapi: false }
  order-service: { instances: ['${service}'], health: false, openapi: false }
policies:
  correlation-id: {}
  auth: { methods: { api-key: { store: redis } }, public: ['/api/v1/*'] }
  rate-limit: { tiers: { authenticated: 1000/h, unauthenticated: 100/h } }
routes:
  - { id: users, match: { path: /api/v1/users/* }, service: user-service, policies: { cache: { ttl: 1m } } }
  - { id: orders, match: { path: /api/v1/orders/* }, service: order-service, policies: { idempotency: {} } }
`

const shown = codeBlocks().filter(({ document }) => document !== 'docs/cli.md')
const scripts = shown.filter((block) => {
  return block.language === 'sh' || block.language === 'console' || (block.language === null && hasCommands(block.code))
})

test('documented commands print what their documents say', { timeout: 600_000 }, async (t) => {
  const place = await prepare(t)
  const run = scripts.filter(({ notRun }) => notRun === null)
  assert.ok(run.length > 12)
  for (const block of run) await t.test(`${block.document}:${block.line}`, () => runShown(block, place))
})

interface Place {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  /** Of the gateway. */
  readonly pid: number
}

/** 0, or 2 for a command that reports differences. */
async function runShown({ code }: CodeBlock, { folder, env, pid }: Place): Promise<void> {
  const script = linesOf(code)
    .join('\n')
    .replaceAll(/\bPID\b/g, String(pid))
  const withToken = code.includes('ADMIN_TOKEN') ? { ...env, ADMIN_TOKEN: TOKEN } : env
  const { status, output } = await new Promise<{ status: unknown; output: string }>((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env: withToken }, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, output: stdout + stderr }),
    )
  })
  assert.ok(
    status === 0 || (status === 2 && script.includes('sallyport plan')),
    `${script}\nended with ${String(status)}:\n${output}`,
  )
}

/**
 * Two gateways with the same configuration: one whose admin listener requires a token and accepts configurations, at
 * gateway.internal:9000 for curl, and one at 127.0.0.1:9000, whose clients are at 127.0.0.1:8000. A folder with the
 * files that commands name.
 */
async function prepare(t: TestContext): Promise<Place> {
  const [redis, service, home] = [
    await startRedis(t),
    await startService(t),
    await mkdtemp(join(tmpdir(), 'sallyport-')),
  ]
  cleanUp(t, () => rm(home, { recursive: true }))
  const folder = join(home, 'gateway')
  await mkdir(join(home, 'main'))
  await mkdir(join(home, 'bin'))
  await mkdir(folder)
  // Queries and starts the running gateway with the same file.
  const open = configuration(redis.url, service.url, "address: '127.0.0.1:${ADMIN_PORT:-0}'")
  const files: Readonly<Record<string, string>> = {
    'gateway/sallyport.yaml': open,
    'gateway/gateway.yaml': open,
    'main/sallyport.yaml': open,
    'gateway/openapi.yaml': OPENAPI,
    'token.yaml': configuration(redis.url, service.url, `address: '127.0.0.1:0', token: ${TOKEN}, writable: true`),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text)
  await writeFile(join(folder, 'new.yaml'), files['token.yaml'] ?? '')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem']
  await promisify(execFile)('openssl', ['req', '-x509', ...key, '-out', 'cert.pem', '-subj', '/CN=a'], { cwd: folder })
  const gateway = await startCommand(t, join(folder, 'sallyport.yaml'))
  const writable = await startCommand(t, join(home, 'token.yaml'))
  await send(gateway.port, { path: '/api/v1/orders/7', headers: { 'X-Correlation-ID': CORRELATION } })
  await gateway.command.line('API Gateway Request')
  const log = gateway.command.log.map((line) => `${JSON.stringify(line)}\n`).join('')
  for (const name of ['access.log', 'gateway.log']) await writeFile(join(folder, name), log)
  await requestAdmin(gateway.adminPort, '/status')
  const places = [
    ['127.0.0.1:8000', gateway.port],
    ['127.0.0.1:9000', gateway.adminPort],
    ['gateway.internal:9000', writable.adminPort],
  ]
  const mapped = places.map(([address, port]) => `connect-to = "${address}:127.0.0.1:${port}"`)
  await writeFile(join(home, '.curlrc'), ['silent', 'show-error', 'fail-with-body', ...mapped, ''].join('\n'))
  const program = join(home, 'bin/sallyport')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  await chmod(program, 0o755)
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const env = {
    ...inherited,
    HOME: home,
    XDG_DATA_HOME: join(home, 'data'),
    ADMIN_PORT: String(gateway.adminPort),
    PATH: `${join(home, 'bin')}:${inherited['PATH']}`,
  }
  return { folder, env, pid: gateway.command.child.pid ?? 0 }
}
