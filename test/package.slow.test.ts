/** The package as installed into an empty folder. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { after, before } from 'node:test'
import { promisify } from 'node:util'
import { send } from './support/client.ts'
import { cleanUp } from './support/cleanup.ts'
import { startService } from './support/service.ts'

const root = join(import.meta.dirname, '..')
const SECRET = 'a-secret-that-is-long-enough-for-a-signature'
const execute = promisify(execFile)

let folder = ''
const sallyport = (): string => join(folder, 'node_modules/.bin/sallyport')

/** Runs to completion, in the folder of the user. */
async function run(command: string, ...args: string[]) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return execute(command, args, { cwd: folder, env: { ...env, JWT_SECRET: SECRET } })
}

/** The timeout of packing and installing, in milliseconds. */
const timeout = 300_000

before(
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-package-'))
    const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root })
    const [, filename] = /"filename": "([^"]+)"/.exec(stdout) ?? []
    await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }')
    await run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`)
  },
  { timeout },
)

// Immediately, so that nothing of it is left when the file is checked.
after(() => rmSync(folder, { recursive: true }))

test('the command prints its version', { timeout }, async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  assert.equal((await run(sallyport(), '--version')).stdout, `${version}\n`)
})

test('on an older Node.js the command prints the required version in one line', async () => {
  // No version that old is available: this one claims to be.
  const old = join(folder, 'old.cjs')
  await writeFile(old, "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })")
  const { code, stdout, stderr } = await run(process.execPath, '--require', old, sallyport(), '--version').then(
    () => assert.fail('it ran'),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^sallyport needs Node\.js 26\.9 or newer, and this is v[\d.]+\.\n$/)
})

test('the configuration in the README passes check, and the gateway serves with it', async (t) => {
  const service = await startService(t)
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, shown = ''] = /^## Your own services$[^]*?^```yaml\n([^]*?)^```$/m.exec(readme) ?? []
  assert.match(shown, /^services:$/m)
  const yaml = shown.replace('0.0.0.0:8000', '127.0.0.1:0')
  await writeFile(join(folder, 'sallyport.yaml'), `${yaml}admin: false\n`)
  assert.match((await run(sallyport(), 'check')).stdout, /\/api\/v1\/users\/\* +\* +-> user-service/)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(sallyport(), ['start'], {
    cwd: folder,
    env: { ...env, JWT_SECRET: SECRET, USER_SERVICE_URL: service.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await ended
  })
  for await (const line of createInterface(child.stdout)) {
    const { message, listeners } = JSON.parse(line) as { message: string; listeners: string[] }
    if (message !== 'Sallyport is listening') continue
    const port = Number(listeners[0]!.split(':').at(-1))
    assert.equal((await send(port, { path: '/status' })).text, 'open')
    assert.equal((await send(port, { path: '/api/v1/users' })).status, 401)
    assert.equal((await send(port, { path: '/api/v1/auth/login' })).text, String(service.port))
    break
  }
  child.stdout.resume()
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})

test('a project written by init passes check and its tests, and serves', async (t) => {
  await run(sallyport(), 'init', 'new', '--yes')
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const env = { ...inherited, SALLYPORT_ADDRESS: '127.0.0.1:0', SALLYPORT_ADMIN_ADDRESS: '127.0.0.1:0' }
  const cwd = join(folder, 'new')
  const checked = await execute(sallyport(), ['check'], { cwd, env })
  assert.match(checked.stdout, /^\* +\/hello /m)
  assert.equal(checked.stderr, '')
  await execute(sallyport(), ['policy', 'new', 'tenant-header'], { cwd, env })
  const tested = await execute(process.execPath, ['--test', '--test-reporter=tap'], { cwd, env })
  assert.match(tested.stdout, /^# pass 4$/m)
  const child = spawn(sallyport(), ['start'], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await ended
  })
  for await (const line of createInterface(child.stdout)) {
    const { message, listeners, admin } = JSON.parse(line) as { message: string; listeners: string[]; admin: string }
    if (message !== 'Sallyport is listening') continue
    const reply = await send(Number(listeners[0]!.split(':').at(-1)), { path: '/hello' })
    assert.deepEqual([reply.status, reply.headers['x-greeting']], [200, 'hello'])
    const adminPort = Number(admin.split(':').at(-1))
    const page = await send(adminPort, { path: '/console/' })
    const files = [...page.text.matchAll(/(?:href|src)="(\/console\/[^"]+)"/g)].map(([, path = '']) => path)
    assert.ok(files.includes('/console/main.js') && files.includes('/console/console.css'))
    for (const path of files) assert.equal((await send(adminPort, { path })).status, 200, path)
    break
  }
})

test('a configuration and a policy in TypeScript find the package and compile under strict nodenext', async () => {
  const example = await readFile(join(root, 'examples/policies/tenant.ts'), 'utf8')
  await writeFile(join(folder, 'tenant.ts'), example.replaceAll('../../src/gateway.ts', 'sallyport'))
  const config = `
    import { createGateway, defineConfig } from 'sallyport'
    import { applyPolicy } from 'sallyport/testing'
    import tenant from './tenant.ts'

    export default defineConfig({
      ownPolicies: [{ policy: tenant, before: 'auth' }],
      policies: { tenant: { tenants: ['acme'] } },
      routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
    })
    export const uses = [createGateway, applyPolicy, tenant]
    // @ts-expect-error -- what the schema does not take, the types do not take either
    defineConfig({ routes: [{ id: 7 }] })
  `
  await writeFile(join(folder, 'gateway.config.ts'), config)
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2024',
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['gateway.config.ts'] }))
  await run(process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.').catch(
    ({ stdout }: { stdout: string }) => assert.fail(stdout),
  )
})

test('a configuration in a folder without node_modules finds the package', async (t) => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'sallyport-elsewhere-'))
  cleanUp(t, () => rm(elsewhere, { recursive: true }))
  await mkdir(join(elsewhere, 'policies'))
  await copyFile(join(folder, 'tenant.ts'), join(elsewhere, 'policies/tenant.ts'))
  const config = `
    import { defineConfig } from 'sallyport'
    export default defineConfig({
      ownPolicies: ['./policies/tenant.ts'],
      policies: { tenant: { tenants: ['acme'] } },
      routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
    })
  `
  await writeFile(join(elsewhere, 'gateway.config.ts'), config)
  const { stdout } = await run(sallyport(), 'check', join(elsewhere, 'gateway.config.ts'))
  assert.match(stdout, /reply 204 +.*tenant/)
})
