import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { requestAdmin } from './support/admin.ts'
import { send } from './support/client.ts'
import { run, start, temporaryFile } from './support/command.ts'
import { TIMEOUT } from './support/timeout.ts'
import { runHere } from './support/run-here.ts'
import { startService, type TestService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

const preload = new URL('support/kill-worker.ts', import.meta.url).href

function startTwo(t: TestContext, services: readonly TestService[], more = '') {
  const yaml = `
workers: 2
listeners: [{ address: 127.0.0.1:0 }]
admin: { address: 127.0.0.1:0 }
services:
  backend: { instances: [${services.map(({ url }) => `'${url}'`).join(', ')}], health: { interval: 1h } }
policies: { rate-limit: { tiers: { unauthenticated: 1000/h } } }
routes: [{ id: all, match: { path: /* }, service: backend, policies: { cache: {} } }]
${more}`
  return start(t, yaml, { preload })
}

/** Sends requests over new connections until both workers have replied; returns how many each served. */
async function askBoth(port: number, adminPort: number): Promise<number> {
  const deadline = Date.now() + TIMEOUT
  for (let asked = 1; ; asked++) {
    assert.ok(Date.now() < deadline, 'only one worker replies')
    assert.equal((await send(port, { path: `/${asked}` })).status, 200)
    const { json } = await requestAdmin(adminPort, '/services/backend')
    const [first, second] = (json as unknown as Shown).instances
    if (idleOf(first) + idleOf(second) >= 4) return asked
  }
}

/** Polls until that many workers answer. */
async function untilWorkers(adminPort: number, count: number): Promise<void> {
  const deadline = Date.now() + TIMEOUT
  for (;;) {
    const { json } = await requestAdmin(adminPort, '/status')
    if (workersIn(json).length === count) return
    assert.ok(Date.now() < deadline, 'a worker is missing')
  }
}

/** The numbers of the workers in a reply. */
function workersIn(json: Readonly<Record<string, unknown>>): number[] {
  return (json['workers'] as readonly { worker: number }[]).map(({ worker }) => worker)
}

interface Shown {
  readonly instances: readonly { connections: { idle: number }; usable: boolean; inFlight: number }[]
}

function idleOf(instance: Shown['instances'][number] | undefined): number {
  return instance?.connections.idle ?? 0
}

test('status, services, requests and limits cover all workers', async (t) => {
  const cached = { 'Cache-Control': 'max-age=600' }
  const services = [
    await startService(t, (_, response) => void response.writeHead(200, cached).end('first')),
    await startService(t, (_, response) => void response.writeHead(200, cached).end('second')),
  ]
  const { command, port, adminPort } = await startTwo(t, services)
  const asked = await askBoth(port, adminPort)
  const ask = (path: string, method = 'GET', json?: unknown) => requestAdmin(adminPort, path, { method, json })

  const { json: status } = await ask('/status')
  assert.equal(status['pid'], command.child.pid)
  assert.deepEqual(workersIn(status), [0, 1])
  assert.deepEqual(status['listeners'], [{ name: '127.0.0.1:0', address: `127.0.0.1:${port}` }])

  const { json: recent } = await ask(`/requests?limit=${Math.min(asked, 1000)}`)
  assert.deepEqual(
    (recent['requests'] as { path: string }[]).map(({ path }) => path),
    Array.from({ length: asked }, (_, i) => `/${asked - i}`),
  )

  const { json: limits } = await ask('/limits/127.0.0.1')
  const [{ quotas }] = limits['limits'] as [{ quotas: { used: number }[] }]
  assert.deepEqual(
    quotas.map(({ used }) => used),
    [asked],
  )
  assert.equal((await ask('/limits/127.0.0.1', 'DELETE')).status, 200)
  assert.deepEqual((await ask('/limits/127.0.0.1')).json, { limits: [] })

  assert.equal((await ask('/cache/purge', 'POST', { prefix: `http://127.0.0.1:${port}/` })).json['purged'], asked)

  assert.equal((await ask('/log-level', 'PUT', { level: 'warn' })).json['level'], 'warn')
  for (let i = 0; i < 20; i++) await send(port, { path: '/quiet' })
  assert.equal((await ask('/log-level', 'PUT', { level: 'info' })).json['level'], 'info')
  for (let i = 0; i < 20; i++) await send(port, { path: '/loud' })
  command.child.kill('SIGTERM')
  await command.ended
  const logged = (path: string): number => command.log.filter(({ url }) => String(url).endsWith(path)).length
  assert.deepEqual([logged('/quiet'), logged('/loud')], [0, 20])
})

test('draining and the log level apply to all workers, and to replacements of workers', async (t) => {
  const services = [await startService(t), await startService(t)]
  const [first, second] = services
  const { command, port, adminPort } = await startTwo(t, services)
  await askBoth(port, adminPort)
  const path = `/services/backend/instances/${first!.address}/drain`
  assert.equal((await requestAdmin(adminPort, path, { method: 'PUT' })).status, 200)
  const before = first!.received.length
  for (let i = 0; i < 20; i++) assert.equal((await send(port, { path: `/drained/${i}` })).text, String(second!.port))
  await requestAdmin(adminPort, '/log-level', { method: 'PUT', json: { level: 'error' } })
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  await untilWorkers(adminPort, 2)
  for (const state of ['/status', '/config/status'])
    assert.deepEqual(workersIn((await requestAdmin(adminPort, state)).json), [0, 1])
  for (let i = 0; i < 20; i++) {
    assert.equal((await send(port, { path: `/replaced/${i}` })).text, String(second!.port))
  }
  assert.equal(first!.received.length, before)
  assert.deepEqual((await requestAdmin(adminPort, '/log-level')).json, { level: 'error' })
  command.child.kill('SIGTERM')
  await command.ended
  assert.ok(!command.log.some(({ url }) => String(url).includes('/replaced')))
})

test('workers balance by the requests of all of them, and those of a worker that dies are no longer counted', async (t) => {
  const held: (() => void)[] = []
  let arrived = Promise.withResolvers<void>()
  const hold = (): Promise<TestService> =>
    startService(t, (_, response) => {
      held.push(() => void response.end('late'))
      arrived.resolve()
    })
  const services = [await hold(), await hold()]
  const { command, port, adminPort } = await startTwo(t, services)
  const inFlight = async (): Promise<number[]> => {
    const { json } = await requestAdmin(adminPort, '/services/backend')
    return (json as unknown as Shown).instances.map((instance) => instance.inFlight)
  }
  const replies: Promise<boolean>[] = []
  for (let i = 0; i < 16; i++) {
    arrived = Promise.withResolvers()
    const reply = send(port, { path: `/${i}` })
    replies.push(reply.then(({ text }) => text === 'late').catch(() => false))
    await arrived.promise
  }
  assert.deepEqual(
    services.map(({ received }) => received.length),
    [8, 8],
    'in any worker',
  )
  assert.deepEqual(await inFlight(), [8, 8])
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  await untilWorkers(adminPort, 2)
  const [first = 0, second = 0] = await inFlight()
  for (const release of held) release()
  const answered = (await Promise.all(replies)).filter((whole) => whole)
  assert.equal(first + second, answered.length)
  await turnUntil('finished requests to be no longer counted', async () =>
    (await inFlight()).every((count) => count === 0),
  )
})

test('the admin API works while the gateway drains, and the process exits', async (t) => {
  const held = Promise.withResolvers<() => void>()
  const service = await startService(t, (_, response) => held.resolve(() => void response.end('late')))
  const { command, port, adminPort } = await startTwo(t, [service])
  const reply = send(port)
  const release = await held.promise
  command.child.kill('SIGTERM')
  await command.line('Sallyport is stopping')
  assert.equal((await requestAdmin(adminPort, '/status')).json['readiness'], 'draining')
  release()
  assert.equal((await reply).text, 'late')
  assert.equal((await command.ended).code, 0)
})

test('an admin address in use stops the start with one clear error', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const bound = server.address()
  assert.ok(typeof bound === 'object' && bound !== null)
  const yaml = `listeners: [{ address: 127.0.0.1:0 }]\nadmin: { address: 127.0.0.1:${bound.port} }\nworkers: 1\n`
  const { code, stdout } = await run(['start', '--config', await temporaryFile(t, 'taken.yaml', yaml)])
  assert.equal(code, 1)
  assert.match(stdout, new RegExp(`cannot listen on the admin address 127\\.0\\.0\\.1:${bound.port}: free it`))
  assert.doesNotMatch(stdout, /Sallyport is listening/)
})

test('ADMIN_TOKEN in the environment allows addresses other than loopback, and is required', async (t) => {
  const yaml = 'listeners: [{ address: 127.0.0.1:0 }]\nadmin: { address: 0.0.0.0:0 }\nworkers: 1\n'
  const file = await temporaryFile(t, 'open.yaml', yaml)
  const { code, stderr } = await run(['start', '--config', file], { env: { ADMIN_TOKEN: '' } })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /open\.yaml:2:19: admin\.address: expected a loopback address .* where there is no token \(ADMIN_TOKEN\), and neither users nor oidc, not "0\.0\.0\.0:0"/,
  )
  const short = await runHere(['check', file], { env: { ADMIN_TOKEN: 'a-short-secret' } })
  assert.equal(short.code, 1)
  assert.match(short.stderr, /admin\.token: expected 16 to 4096 visible ASCII characters/)
  assert.doesNotMatch(short.stderr, /a-short-secret/)
  const token = 'correct-horse-battery'
  const { adminPort } = await start(t, yaml, { env: { ADMIN_TOKEN: token } })
  assert.equal((await requestAdmin(adminPort, '/status')).status, 401)
  assert.equal(
    (await requestAdmin(adminPort, '/status', { headers: { Authorization: `Bearer ${token}` } })).status,
    200,
  )
})
