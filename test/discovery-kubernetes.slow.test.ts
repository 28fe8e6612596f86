import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { type Clock, systemClock } from '../src/core/clock.ts'
import type { GatewayInput } from '../src/gateway.ts'
import { startAdminGateway } from './support/admin.ts'
import { type ApiServer, slice, startApiServer, type TestSlice } from './support/api-server.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { temporaryFile } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { Load } from './support/load.ts'
import { authority } from './support/tls-service.ts'

/** The system clock, without long waits. */
const quick: Clock = { ...systemClock, after: (ms, task) => systemClock.after(ms < 1000 ? ms : ms / 50, task) }

const EXCHANGED = 'Discovered instances are in use'

/** Pods on the same port of several addresses of this machine, each of which answers with its address. */
async function startPods(t: TestContext, ...hosts: readonly string[]): Promise<number> {
  let port = 0
  for (const host of hosts) {
    const server = createServer((_, response) => void response.end(host))
    server.listen(port, host)
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
    cleanUp(t, () => {
      server.closeAllConnections()
      server.close()
    })
  }
  return port
}

function discovering(api: ApiServer, options: object = {}, service: object = {}): GatewayInput {
  const server = `http://127.0.0.1:${api.port}`
  const discover = { kubernetes: { service: 'users', namespace: 'shop', port: 'http', server, ...options } }
  return {
    services: { users: { discover, health: false, ...service } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'users' }],
  }
}

async function answers(port: number, requests: number): Promise<string[]> {
  const seen: string[] = []
  for (let i = 0; i < requests; i++) seen.push((await send(port, { path: '/' })).text)
  return seen.toSorted()
}

test('requests go to the pods of a Service as its slices change, with one watch for several services', async (t) => {
  const api = await startApiServer(t)
  const pods = await startPods(t, '127.0.0.1', '127.0.0.2', '127.0.0.3')
  api.put('shop', slice('users', 'users-a', ['127.0.0.1'], pods))
  const { services, routes } = discovering(api)
  const again = discovering(api, { port: pods }).services!['users']!
  const config = { services: { ...services, again }, routes: routes! }
  const { port, ask, log } = await startAdminGateway(t, config)
  assert.deepEqual(await answers(port, 2), ['127.0.0.1', '127.0.0.1'])
  await api.until(() => api.watching === 1)
  api.put('shop', slice('users', 'users-b', ['127.0.0.2', '127.0.0.3'], pods))
  await log.line({ message: EXCHANGED })
  assert.deepEqual(await answers(port, 3), ['127.0.0.1', '127.0.0.2', '127.0.0.3'])
  const { discovery, instances } = (await ask('/services/again')).json
  assert.deepEqual(discovery, {
    kind: 'kubernetes',
    subject: `Service users in shop, port ${pods}`,
    instances: 3,
    lastSuccessAt: (discovery as { lastSuccessAt: string }).lastSuccessAt,
    problem: null,
  })
  assert.equal((instances as unknown[]).length, 3)
  assert.deepEqual(
    api.asked.map(({ kind }) => kind),
    ['list', 'watch'],
  )
})

test('a rollout under load loses no request, with two workers', async (t) => {
  const api = await startApiServer(t)
  const pods = await startPods(t, '127.0.0.1', '127.0.0.2', '127.0.0.3')
  const endpoint = (host: string, conditions: object) => ({ addresses: [host], conditions })
  const put = (...endpoints: readonly object[]): void =>
    api.put('shop', { ...slice('users', 'users-a', [], pods), endpoints } satisfies TestSlice)
  put(endpoint('127.0.0.1', { ready: true }))
  const config = { ...discovering(api, {}, { health: {} }), workers: 2, log: { access: false } }
  const { port, log } = await startGateway(t, config, { workers: true })
  await api.until(() => api.watching === 1)
  const load = new Load(t, port, { secure: false, keeping: 4, connecting: 2 })
  const exchanged = async (times: number): Promise<void> => {
    const seen = log.lines.filter(({ message }) => message === EXCHANGED).length
    if (seen < times) await log.line({ message: EXCHANGED }, log.lines.length)
  }
  await load.more(30)
  put(endpoint('127.0.0.1', { ready: true }), endpoint('127.0.0.2', { ready: false }))
  put(endpoint('127.0.0.1', { ready: true }), endpoint('127.0.0.2', { ready: true }))
  await exchanged(1)
  await load.more(30)
  put(endpoint('127.0.0.1', { ready: false, serving: true, terminating: true }), endpoint('127.0.0.2', { ready: true }))
  await exchanged(2)
  assert.deepEqual(await answers(port, 3), ['127.0.0.2', '127.0.0.2', '127.0.0.2'])
  put(endpoint('127.0.0.2', { ready: true }))
  await exchanged(3)
  await load.more(30)
  await load.stop()
  assert.deepEqual(load.failures, [])
})

test('the API server is queried over TLS with the token in a file, which is read again for each query', async (t) => {
  const api = await startApiServer(t, authority.issue())
  const pods = await startPods(t, '127.0.0.1', '127.0.0.2')
  api.put('shop', slice('users', 'users-a', ['127.0.0.1'], pods))
  api.token = 'first'
  const [tokenFile, caFile] = [
    await temporaryFile(t, 'token', 'first\n'),
    await temporaryFile(t, 'ca.crt', authority.cert),
  ]
  const options = { server: `https://127.0.0.1:${api.port}`, tokenFile, caFile }
  const { port, log } = await startGateway(t, discovering(api, options))
  assert.deepEqual(await answers(port, 1), ['127.0.0.1'])
  await api.until(() => api.watching === 1)
  api.token = 'second'
  await writeFile(tokenFile, 'second')
  api.put('shop', slice('users', 'users-a', ['127.0.0.2'], pods))
  await log.line({ message: EXCHANGED })
  api.end('orderly')
  await api.until(() => api.asked.length === 3)
  assert.equal(api.asked.at(-1)!.authorization, 'Bearer second')
  assert.deepEqual(await answers(port, 1), ['127.0.0.2'])
})

test('a Service without slices is 503, and for a missing port the status lists the existing ones', async (t) => {
  const api = await startApiServer(t)
  const { port, ask } = await startAdminGateway(t, discovering(api))
  assert.equal((await send(port, { path: '/' })).status, 503)
  await api.until(() => api.watching === 1)
  const known = discovering(api, { port: 'grpc' })
  api.put('shop', slice('users', 'users-a', ['127.0.0.1']))
  await ask('/services/users')
  const other = await startAdminGateway(t, { ...known, reload: { warm: '0s' } }, { clock: quick })
  const { discovery } = (await other.ask('/services/users')).json
  assert.equal((discovery as { problem: string }).problem, 'it has no port grpc: its ports are http')
})

test('the test API server passes for a real one with kubectl: pages, watches and conflicts', async (t) => {
  const api = await startApiServer(t)
  const home = join(await temporaryFile(t, 'kubectl', ''), '..')
  const own = [`--server=http://127.0.0.1:${api.port}`, '--namespace=shop', `--cache-dir=${join(home, 'cache')}`]
  const env = { ...process.env, HOME: home, KUBECONFIG: join(home, 'none') }
  const kubectl = promisify(execFile)
  const run = async (...args: readonly string[]) => (await kubectl('kubectl', [...own, ...args], { env })).stdout
  const first = slice('users', 'users-a', ['127.0.0.1'])
  for (const name of ['users-a', 'users-b', 'users-c'])
    api.put('shop', { ...first, metadata: { ...first.metadata, name } })
  api.put('shop', slice('orders', 'orders-a', ['127.0.0.1']))
  const selector = '--selector=kubernetes.io/service-name=users'
  const listed = await run('get', 'endpointslices', selector, '--output=name', '--chunk-size=2')
  assert.deepEqual(listed.trim().split('\n'), [
    'endpointslice.discovery.k8s.io/users-a',
    'endpointslice.discovery.k8s.io/users-b',
    'endpointslice.discovery.k8s.io/users-c',
  ])
  assert.ok(api.asked.some(({ query }) => query.has('continue')))
  const stale = JSON.parse(await run('get', 'endpointslices/users-a', '--output=json')) as object
  const file = await temporaryFile(t, 'stale.json', JSON.stringify(stale))
  api.put('shop', first)
  await assert.rejects(run('replace', '--validate=false', `--filename=${file}`), /the object has been modified/)
  const watching = spawn(
    'kubectl',
    [...own, 'get', 'endpointslices', selector, '--watch-only', '--output-watch-events', '--output=name'],
    { env },
  )
  cleanUp(t, () => void watching.kill())
  let events = ''
  const more = new Set<() => void>()
  watching.stdout.on('data', (text: Buffer) => {
    events += text.toString()
    for (const resolve of more) resolve()
  })
  await api.until(() => api.watching === 1)
  api.put('shop', first)
  api.bookmark()
  api.remove('shop', 'users-b')
  // kubectl prints bookmarks too.
  const seen = /users-a[^]*users-b/
  while (!seen.test(events)) await new Promise<void>((resolve) => void more.add(resolve))
  assert.match(events, seen)
})
