import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { send } from './support/client.ts'
import { run, start, temporaryFile } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { connect, startRawService } from './support/peer.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

const GOOD = `
listeners: [{ address: '127.0.0.1:0' }]
admin: false
services:
  users: { instances: ['\${USERS_URL:-http://127.0.0.1:1}'], health: false }
routes:
  - id: users
    match: { path: [/api/users/*, '/api/users/{id}'] }
    service: users
  - id: old
    match: { path: /old, method: PUT }
    redirect: { to: /new }
`

/** A policy that throws for some options that its schema accepts. */
const TOUCHY = `
import { definePolicy, z } from 'sallyport'

export default definePolicy({
  name: 'touchy',
  summary: 'Is choosy.',
  options: z.strictObject({ when: z.string() }),
  create({ when }) {
    if (when === 'never') throw new Error('it is never the time')
    return (next) => next
  },
})
`

test('check reads sallyport.yaml in the working directory by default', async (t) => {
  const file = await temporaryFile(t, 'sallyport.yaml', GOOD)
  const { code, stdout } = await runHere(['check'], { cwd: dirname(file) })
  assert.equal(code, 0)
  assert.match(stdout, /\/api\/users\/\*/)
})

test('start with an address in use by another exits with 1 and says so, with several workers', async (t) => {
  const { port } = await startRawService(t)
  const yaml = GOOD.replace('127.0.0.1:0', `127.0.0.1:${port}`)
  const file = await temporaryFile(t, 'taken.yaml', `workers: 2\n${yaml}`)
  const { code, stdout, stderr } = await run(['start', '--config', file])
  assert.equal(code, 1)
  assert.match(stdout + stderr, /EADDRINUSE/)
})

test('the configuration of the project is valid with the variables of the compose file', async (t) => {
  const service = await startService(t)
  const env = Object.fromEntries(
    ['USER', 'ORDER', 'INVENTORY', 'PAYMENT', 'NOTIFICATION'].map((name) => [`${name}_SERVICE_URL`, service.url]),
  )
  const { code, stdout, stderr } = await runHere(['check', 'sallyport.yaml'], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...env, REDIS_URL: 'redis://127.0.0.1:6379', JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'INFO' },
  })
  assert.equal(code, 0, stderr)
  for (const path of ['/api/v1/users/*', '/api/v1/order-items/*', '/api/v1/email/*']) assert.ok(stdout.includes(path))
})

test('after drainTimeout the rest is cut off, and the process still exits with 0', async (t) => {
  const service = await startRawService(t)
  const yaml = `workers: 1\ndrainTimeout: 200ms\n${GOOD}`
  const { command, port } = await start(t, yaml, { env: { USERS_URL: service.url } })
  const client = await connect(t, port)
  client.write('GET /api/users HTTP/1.1\r\nHost: a\r\n\r\n')
  await (await service.accept()).request()
  command.child.kill('SIGTERM')
  await client.closed()
  assert.equal((await command.ended).code, 0)
})

test('check rejects what start rejects, with the same messages', async (t) => {
  const folder = dirname(await temporaryFile(t, 'touchy.ts', TOUCHY))
  const many = Array.from({ length: 5000 }, (_, i) => `http://10.${i >> 8}.${i & 255}.1:80`)
  const yaml = (text: string) => `listeners: [{ address: '127.0.0.1:0' }]\nadmin: false\n${text}\n`
  const cases = {
    'touchy.yaml': yaml(`ownPolicies: [./touchy.ts]
routes:
  - { id: users, match: { path: /* }, reply: { status: 204 }, policies: { touchy: { when: never } } }`),
    'folder.yaml': yaml('log: { file: . }'),
    'itself.yaml':
      "listeners: [{ address: '127.0.0.1:18000' }]\nadmin: false\nservices: { a: { instances: ['http://127.0.0.1:18000'] } }",
    'taken.yaml': "listeners: [{ address: '127.0.0.1:18000' }]\nadmin: { address: 'localhost:18000' }",
    'head.yaml': yaml('limits: { head: 1b }'),
  }
  const expected = {
    'touchy.yaml': 'policy "touchy" could not be set up for route "users": it is never the time',
    'folder.yaml': 'folder.yaml:3:14: log.file: a folder; expected a file that can be written',
    'itself.yaml': 'services.a.instances[0]: this is the gateway itself, at the address of listeners[0]',
    'taken.yaml': 'listeners[0].address: also the address of the admin listener, localhost:18000',
    'head.yaml': 'head.yaml:3:17: limits.head: expected at least "1kb"',
  }
  for (const [name, text] of Object.entries(cases)) {
    await writeFile(join(folder, name), text)
    for (const ending of [
      runHere(['check', name], { cwd: folder }),
      run(['start', '--config', name], { cwd: folder }),
    ]) {
      const { code, stderr } = await ending
      assert.equal(code, 1, stderr)
      assert.ok(stderr.includes(expected[name as keyof typeof expected]), stderr)
      assert.doesNotMatch(stderr, /^ {4}at /m)
    }
  }
  await writeFile(
    join(folder, 'many.yaml'),
    yaml(`services: { a: { health: false, instances: [${many.join(', ')}] } }`),
  )
  assert.equal((await runHere(['check', 'many.yaml'], { cwd: folder })).code, 0)
})

test('the number of instances is not limited', async (t) => {
  const many = Array.from({ length: 5000 }, (_, i) => `http://10.${i >> 8}.${i & 255}.1:80`)
  const yaml = `listeners: [{ address: '127.0.0.1:0' }]
services: { a: { health: false, instances: [${many.join(', ')}] } }
routes: [{ id: all, match: { path: /* }, reply: { status: 204 } }]`
  const { port } = await startFromText(t, yaml)
  assert.equal((await send(port)).status, 204)
})
